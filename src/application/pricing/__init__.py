"""Use cases of the pricing context."""
