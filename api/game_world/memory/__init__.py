"""The world in the memory of one process, for tests of apps: without a store, and lost when the process ends."""
