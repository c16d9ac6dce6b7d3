"""What manifests are read from, and where those that are printed are noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.sales.manifests import Manifest


@dataclass(frozen=True, slots=True)
class AskedManifest:
    """A PDF that somebody waits for; `is_new` where this request is the first for it, or the last was in vain."""

    id: UUID
    is_made: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class ManifestToDraw:
    """Which departure's manifest is printed, and in which language."""

    departure_id: UUID
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDocument:
    """A manifest as it is printed: document numbers are masked."""

    manifest: Manifest
    made_on: date


class Manifests(Protocol):
    """Who travels on departures."""

    def read(self, departure_id: UUID, *, vendor_id: UUID | None) -> Manifest | None:
        """With whole document numbers; of a vendor's own items alone where one is named."""
        ...

    def to_draw(self, manifest_id: UUID) -> ManifestToDraw | None:
        """None for a PDF that is made, or that nobody wants any more."""
        ...

    def remember(self, manifest_id: UUID, *, size: int, at: datetime) -> bool:
        """Note that the PDF is made; False where it is not wanted any more, somebody on it having been erased."""
        ...


class ManifestRequests(Protocol):
    """PDFs that are to be drawn, and those whose time is over."""

    def ask(
        self, departure_id: UUID, language: str, *, content: bytes, manifest_id: UUID, by: UUID, at: datetime
    ) -> AskedManifest:
        """Note that a PDF is wanted, once for each content (a digest of it)."""
        ...

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]: ...

    def drop(self, manifests: Sequence[UUID]) -> None: ...
