"""Use cases of the ledger context."""
