"""Rows of people, roles and sessions."""
