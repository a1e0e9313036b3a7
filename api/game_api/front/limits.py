"""The limits of a request's first line and headers, for gunicorn's parser."""

from game_events.fields import MAX_STRING

REQUEST_LINE = 8190
REQUEST_FIELD = MAX_STRING + len("Idempotency-Key: \r\n")
"""The longest value of an event, with its header's name."""
