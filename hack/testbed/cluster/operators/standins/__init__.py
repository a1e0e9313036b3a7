"""Stand-ins for Strimzi and the Spark operator."""
