"""The double-entry ledger that carries every value: money, points, cashback."""
