"""Use cases of the catalogue context."""
