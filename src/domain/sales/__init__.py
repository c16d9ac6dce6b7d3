"""Bookings and their whole life."""
