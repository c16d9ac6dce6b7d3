"""Rows of the privacy context."""
