"""Payroll: batches, payouts, bank files and banks' results."""
