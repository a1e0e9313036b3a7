"""The library of the Spark jobs: what the lake is made of, and how it is written, kept and read."""
