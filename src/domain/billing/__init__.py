"""Payments, invoices."""
