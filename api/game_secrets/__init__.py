"""The Secrets of a new installation, which are made inside its cluster."""
