"""A package, so that its fixtures delete the cluster after its last test."""
