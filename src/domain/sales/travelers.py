"""The people of a party."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveler:
    """One person of the party; the document number is stored encrypted."""

    first_name: str
    last_name: str
    birth_date: date | None = None
    document_number: str | None = field(default=None, repr=False)
    document_expires_on: date | None = None
