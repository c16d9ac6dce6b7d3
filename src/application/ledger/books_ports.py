"""What the accountant's use cases need from outside: statements of account, and what providers state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.periods import Period
from domain.ledger.reconciliation import ClearingBreak, Comparison, ProviderStatement, Reconciliation
from domain.ledger.statements import Cause, StatementEntry, StatementFigures
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True)
class PrintedEntry:
    """One printed line, amounts in minor units of the statement's unit."""

    entry: StatementEntry
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDocument:
    """What a statement of account shows, complete in itself: nothing else is read while it is drawn."""

    figures: StatementFigures
    holder_name: str
    holder_email: str
    made_on: date
    lines: tuple[PrintedEntry, ...]
    causes: Mapping[Cause, int] = field(default_factory=dict)
    """What each cause moved in all; only of a payee's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementToDraw:
    """A PDF that was asked for: of what, in which language, and whom it is addressed to."""

    figures: StatementFigures
    language: str
    holder_name: str
    holder_email: str


class Statements(Protocol):
    """Owned accounts over a period, and the PDFs that were made of them."""

    def figures(self, account_id: UUID, period: Period) -> StatementFigures | None:
        """What stands above and below the entries; None for an account of nobody, or none at all."""
        ...

    def entries(self, figures: StatementFigures) -> Iterator[StatementEntry]:
        """The entries that the figures count, in order, read page by page."""
        ...

    def causes(self, figures: StatementFigures) -> Mapping[Cause, int]:
        """What each cause moved of the entries that the figures count, every cause named; of payees' accounts alone."""
        ...

    def made(self, figures: StatementFigures, language: str) -> UUID | None:
        """The statement with these figures, if its PDF is made."""
        ...

    def to_draw(self, statement_id: UUID) -> StatementToDraw | None:
        """None for one that is made, or that nobody wants any more."""
        ...

    def remember(self, statement_id: UUID, *, size: int, at: datetime) -> bool:
        """Note that the PDF is made; False where it is not wanted any more, its holder having been erased."""
        ...


@dataclass(frozen=True, slots=True)
class AskedStatement:
    """A statement that somebody waits for; `is_new` where this request is the first for it, or the last was in vain."""

    id: UUID
    is_new: bool


class StatementRequests(Protocol):
    """Statements that are to be drawn, and those whose time is over."""

    def ask(
        self, figures: StatementFigures, language: str, *, statement_id: UUID, by: UUID, at: datetime
    ) -> AskedStatement:
        """Note that a PDF is wanted, once for each content."""
        ...

    def asked_since(self, by: UUID, since: datetime) -> int:
        """How many PDFs somebody asked for."""
        ...

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]: ...

    def drop(self, statements: Sequence[UUID]) -> None: ...


class ClearingBooks(Protocol):
    """What providers state of our money, and where it differs from what we received."""

    def put(self, reconciliation: Reconciliation, statement: ProviderStatement, new_id: NewId) -> Sequence[str]:
        """Keep a statement in place of what was stated of its days before; the references that stood there."""
        ...

    def compare(self, statement: ProviderStatement, *, also: Sequence[str]) -> Sequence[Comparison]:
        """Both sides of every reference that the statement names, that we received on its days, or that is in `also`.

        What we received on a day that no statement speaks of is compared only where the provider names it.
        """
        ...

    def note(self, provider: str, compared: Sequence[Comparison], *, at: datetime, new_id: NewId) -> None:
        """Open a break where the two differ, close open ones where they do not.

        One that was decided about stays as it is unless its figures have changed since.
        """
        ...

    def finish(self, reconciliation: Reconciliation) -> None:
        """Keep what came of it."""
        ...

    def get_break(self, break_id: UUID) -> ClearingBreak:
        """The break, locked. Raises BreakNotFound."""
        ...

    def decide(self, decided: ClearingBreak) -> None:
        """Keep what was decided about a break; after the journal of its write-off is posted."""
        ...
