"""Benchmarks: gamelake compared with what people usually build instead. See `python -m testbed.bench --help`."""
