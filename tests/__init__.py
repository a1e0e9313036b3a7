"""The tests, in folders by what they need: nothing, images, servers as processes, or a cluster."""
