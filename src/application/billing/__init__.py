"""Use cases of the billing context."""
