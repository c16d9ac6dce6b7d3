"""Rows of the ledger; its guards and its posting function are in `posting.sql`."""
