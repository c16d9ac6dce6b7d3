"""What privacy needs from outside: its rows, everybody's rows about one person, and an archive to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.privacy.consents import Consent
from domain.privacy.erasure import Erasure
from domain.privacy.exports import Export

Document = Mapping[str, Any]
"""A person's data as plain JSON values: lists of rows by name, money as `{"amount", "currency"}`."""


class PrivacyRecords(Protocol):
    """Consents, erasures and exports."""

    def add_consent(self, consent: Consent) -> None: ...

    def add_erasure(self, erasure: Erasure) -> None:
        """Raises ErasureAlreadyRequested, here or at commit."""
        ...

    def open_erasure_of(self, user_id: UUID) -> Erasure | None:
        """The erasure that a person waits for, locked."""
        ...

    def open_erasure(self, erasure_id: UUID) -> Erasure | None:
        """The erasure, locked, while it is neither withdrawn nor done."""
        ...

    def hasten(self, erasure_id: UUID, *, due_at: datetime) -> None: ...

    def withdraw(self, erasure_id: UUID, *, at: datetime) -> None: ...

    def due_erasures(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        """Those that are due and not done; first what was not tried yet or longest ago."""
        ...

    def is_erased(self, user_id: UUID) -> bool: ...

    def blockers(self, user_id: UUID, *, at: datetime) -> Sequence[str]:
        """Which money is open, in the words of `domain.privacy.erasure.Blocker`."""
        ...

    def note_blocked(self, erasure_id: UUID, blockers: Sequence[str], *, at: datetime) -> None: ...

    def erase(self, erasure_id: UUID, *, at: datetime) -> None:
        """Erase the person everywhere in the database and note which files go, too.

        Raises, here or at commit, ErasureNotFound for one that is not due and ErasureBlocked.
        """
        ...

    def finish_erasure(self, erasure_id: UUID, *, at: datetime) -> None: ...

    def add_export(self, export: Export) -> None:
        """Raises ExportInProgress, here or at commit."""
        ...

    def exports_since(self, user_id: UUID, since: datetime) -> int: ...

    def export_to_make(self, export_id: UUID) -> Export | None: ...

    def export_is_ready(self, export_id: UUID, *, size: int, at: datetime, expires_at: datetime) -> bool:
        """Whether it was still wanted."""
        ...

    def give_up_exports(self, *, requested_before: datetime) -> None: ...

    def past_exports(self, *, at: datetime, failed_before: datetime, limit: int) -> Sequence[UUID]: ...

    def drop_export(self, export_id: UUID) -> None: ...

    def unused_accounts(self, *, created_before: datetime, limit: int) -> Sequence[UUID]:
        """Customers who never proved an address and never bought anything, locked."""
        ...


class PersonalDataReader(Protocol):
    """Everything that is registered as held about a person."""

    def collect(self, user_id: UUID) -> Document:
        """All of it; encrypted fields are read, secrets are left out."""
        ...

    def invoice_files(self, user_id: UUID) -> Mapping[str, str]:
        """File names of the person's invoices, and the keys that they are stored under."""
        ...


class PersonalDataArchive(Protocol):
    """Packs a person's data for them."""

    def pack(self, document: Document, language: str, files: Mapping[str, bytes]) -> bytes:
        """A ZIP of `data.json`, a page to read in `ar` or `en`, and the files."""
        ...

    def json_of(self, archive: bytes) -> bytes:
        """`data.json` of a packed archive."""
        ...
