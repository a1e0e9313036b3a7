"""The servers as plain processes on this machine."""
