"""Rows of the ledger; their guards and the posting function are in `migrations/sql`."""
