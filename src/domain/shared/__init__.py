"""What every context speaks: money, identifiers, errors, events."""
