"""A package, so that its servers are gone when its last test has run."""
