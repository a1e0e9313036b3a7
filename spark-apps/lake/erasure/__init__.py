"""The erasure of one player."""
