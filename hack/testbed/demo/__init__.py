"""The demo: a known scenario, and a check of the numbers that it has to produce."""
