"""Membership plans and subscriptions."""
