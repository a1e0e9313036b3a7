"""Trino's users, whose rights images/trino/etc/login/rules.json grants."""

USERS = ("dashboard", "world", "gamelake", "analyst")
"""Those that a new login has: the API's and the world's, the jobs', and one for people."""
