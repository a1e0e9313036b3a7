"""A test double of the service for apps: the same service, with the topic and the world in memory."""
