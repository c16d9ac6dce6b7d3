"""Rows of vouchers, offers and their uses."""
