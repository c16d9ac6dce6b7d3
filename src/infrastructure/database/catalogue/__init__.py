"""Rows of packages and departures."""
