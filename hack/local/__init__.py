"""The stack as plain processes on one machine: real servers, all on loopback."""
