"""Consents, exports and erasure."""
