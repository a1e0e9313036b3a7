"""The stack: servers and jobs as plain processes on this machine."""
