"""The one home of how clients connect to Trino, and of the Secrets with which it proves itself and knows its users."""
