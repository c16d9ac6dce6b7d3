"""Packages and departures."""
