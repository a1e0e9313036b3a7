"""A package, so that its cluster is gone when its last test has run."""
