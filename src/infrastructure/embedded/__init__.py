"""The servers that start when no address is configured."""
