"""Rows of settings and of the audit log."""
