"""Use cases of the privacy context."""
