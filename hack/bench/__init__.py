"""Measurements, side by side with what people pick instead. `python -m bench --help` explains itself."""
