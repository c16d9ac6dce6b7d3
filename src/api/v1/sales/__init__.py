"""Quotes and bookings."""
