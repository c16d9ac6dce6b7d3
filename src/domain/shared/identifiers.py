"""Identifiers: UUIDv7 (RFC 9562), so that rows made together lie together; and numbers that people read."""

from typing import Protocol
from uuid import UUID


class NewId(Protocol):
    """Makes a fresh UUIDv7; never the same twice, ordered by time of making."""

    def __call__(self) -> UUID: ...


def document_number(prefix: str, year: int, serial: int) -> str:
    """A number for people, such as BK-2026-000123; grows past six digits rather than wrapping."""
    return f"{prefix}-{year}-{serial:06d}"
