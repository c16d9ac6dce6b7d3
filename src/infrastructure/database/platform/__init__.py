"""Rows that carry the machinery: outbox, deliveries, idempotency keys, scheduled runs, the sandbox's books."""
