"""Simulated players: the requests that they send, and the ledger of the answers."""
