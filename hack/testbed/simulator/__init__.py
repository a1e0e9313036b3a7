"""Simulated players: what they like to do, the requests they send, and the ledger of what they were answered."""
