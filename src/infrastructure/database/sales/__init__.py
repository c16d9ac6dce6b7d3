"""Rows of bookings and holds."""
