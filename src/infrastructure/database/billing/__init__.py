"""Rows of payments, webhooks and invoices."""
