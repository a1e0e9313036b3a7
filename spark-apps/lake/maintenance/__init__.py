"""Maintenance of the table `events`."""
