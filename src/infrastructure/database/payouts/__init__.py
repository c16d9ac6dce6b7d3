"""Rows of earnings and payouts."""
