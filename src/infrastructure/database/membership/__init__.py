"""Rows of plans and subscriptions."""
