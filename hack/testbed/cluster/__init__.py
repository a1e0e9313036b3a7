"""A kind cluster that runs all of gamelake. See `python -m testbed.kind --help`."""
