"""A kind cluster with all of gamelake in it. `python -m kind --help` explains itself."""
