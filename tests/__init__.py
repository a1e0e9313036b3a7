"""The tests, by what they need: nothing, an engine, the servers as processes, a cluster."""
