"""Use cases of the membership context."""
