"""The demo: a known scenario, and the numbers it must come to."""
