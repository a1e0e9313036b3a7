"""The front: the event loop that holds the clients' connections and passes complete requests to the service."""
