"""Wallet, points, cashback."""
