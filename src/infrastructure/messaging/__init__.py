"""The event relay, e-mail."""
