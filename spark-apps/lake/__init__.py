"""The library of the Spark jobs: how the lake is written, maintained and read."""
