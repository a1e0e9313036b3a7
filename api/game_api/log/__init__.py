"""The event log: where acknowledged events go."""
