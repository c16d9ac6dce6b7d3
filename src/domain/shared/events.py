"""Domain events: facts that happened, published through the outbox after their transaction committed."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact. `name` and `version` are stable: they are stored, and read by later releases.

    Fields are ids, plain values and times only; never personal data or secrets.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1

    at: datetime
