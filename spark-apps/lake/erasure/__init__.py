"""The erasure of players."""
