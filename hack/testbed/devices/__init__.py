"""Devices with a client SDK, each a process of its own, and the bad network between them and the API."""
