"""Payroll: batches are made, approved, sent, and brought to their end."""
