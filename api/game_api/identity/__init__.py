"""Who sends a request: credentials in, a `Caller` out. Nothing here knows the transport."""
