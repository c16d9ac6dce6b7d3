"""What statements of payouts need: their figures and entries, and the PDFs that were made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.payouts.statements import PayoutFigures, PayoutLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutStatementDocument:
    """What a payout's statement shows, complete in itself: nothing else is read while it is drawn."""

    figures: PayoutFigures
    made_on: date
    lines: tuple[PayoutLine, ...]


@dataclass(frozen=True, slots=True)
class PayoutStatementToDraw:
    """A PDF that was asked for."""

    payout_id: UUID
    language: str


class PayoutStatements(Protocol):
    """Payouts whose money has left the payable account, and the PDFs that were made of them."""

    def figures(self, payout_id: UUID, *, payee_id: UUID | None = None) -> PayoutFigures:
        """Raises PayoutNotFound, also for anybody else's payout where a payee is named, or PayoutNotApproved."""
        ...

    def lines(self, figures: PayoutFigures) -> Iterator[PayoutLine]:
        """The entries that it took, oldest first, read page by page."""
        ...

    def made(self, figures: PayoutFigures, language: str) -> UUID | None:
        """The PDF of the payout as it stands, if there is one."""
        ...

    def to_draw(self, statement_id: UUID) -> PayoutStatementToDraw | None:
        """None for one that is made, or that nobody wants any more."""
        ...

    def remember(self, statement_id: UUID, *, size: int, at: datetime) -> bool:
        """Note that the PDF is made; False where it is not wanted any more, its payee having been erased."""
        ...


class PayoutStatementRequests(Protocol):
    """PDFs that are to be drawn, and those whose time is over."""

    def ask(self, figures: PayoutFigures, language: str, *, statement_id: UUID, by: UUID, at: datetime) -> UUID | None:
        """Note that a PDF is wanted, once for each content; its id where nobody waits for it already."""
        ...

    def asked_since(self, by: UUID, since: datetime) -> int:
        """How many PDFs somebody asked for."""
        ...

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]: ...

    def drop(self, statements: Sequence[UUID]) -> None: ...
