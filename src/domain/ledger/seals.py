"""Seals: one hash for each day of the ledger, to be kept where nobody who could change the ledger can reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Seal:
    """A day in Cairo that is over: how much was posted until its midnight, and the root over all of it."""

    number: int
    business_day: date
    journals: int
    entries: int
    root: bytes
    """SHA-256, 32 bytes; it stands on the root of the day before."""
