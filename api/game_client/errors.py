"""Why the client refuses a call."""


class ClientError(Exception):
    """The base of all errors of this package."""


class InvalidEventError(ClientError, ValueError):
    """The event cannot be recorded; it took no sequence number."""


class QueueInUseError(ClientError):
    """Another client, of this process or of another one, has the queue open."""


class OtherPlayerError(ClientError):
    """The queue belongs to another player."""


class ForkedError(ClientError):
    """The client was made before a fork: the child needs a client with a path of its own."""
