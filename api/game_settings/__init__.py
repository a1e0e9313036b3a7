"""Settings and logging of every process: one reader of the environment, one format for log lines."""
