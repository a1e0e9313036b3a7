"""The two operators: the real ones, or stand-ins that reconcile the same resources."""
