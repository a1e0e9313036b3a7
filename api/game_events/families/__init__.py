"""The event types, a family a file."""
