"""Measurements, side by side with what people pick instead. `python -m testbed.bench --help` explains itself."""
