"""Results of benchmarks and fault campaigns: stored as JSON in docs/results, rendered as Markdown in docs."""
