"""A kind cluster with all of gamelake in it. `python -m testbed.kind --help` explains itself."""
