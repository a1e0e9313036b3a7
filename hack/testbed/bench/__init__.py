"""Benchmarks: gamelake beside what people usually build instead. See `python -m testbed.bench --help`."""
