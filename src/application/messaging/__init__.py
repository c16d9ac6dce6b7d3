"""Use cases of the messaging context."""
