"""Stripe's API on loopback, with books of its own: sessions, charges, refunds, disputes, transfers, webhooks."""

from fake_providers.stripe.server import StripeServer

__all__ = ["StripeServer"]
