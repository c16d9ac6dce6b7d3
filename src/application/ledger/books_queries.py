"""What staff read of the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from domain.ledger.periods import Period
from domain.ledger.trial_balance import TrialBalance

if TYPE_CHECKING:
    from application.queries import After, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsFault:
    """A day whose totals are not the sums of its entries."""

    kind: str
    provider: str
    currency: str
    day: date


class LedgerTotals(Protocol):
    """What moved on each day: totals for what is settled, entries for what was posted since."""

    def trial_balance(self, period: Period) -> TrialBalance:
        """Every account's totals over a period."""
        ...

    def fold(self) -> None:
        """Add what was posted and settled since the last time to the totals of its days."""
        ...

    def rebuild(self) -> None:
        """Make all totals anew from the entries; whoever reads meanwhile reads right figures."""
        ...

    def faults(self) -> Sequence[TotalsFault]:
        """Every day whose totals differ from its entries, as far as they were folded."""
        ...


class _Search:
    """Filters of a list; None asks for nothing."""

    __slots__ = ()

    def asked(self) -> Mapping[str, Any]:
        """The filters that are set."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSearch(_Search):
    """Which accounts."""

    kind: str | None = None
    currency: str | None = None
    owner: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSearch(_Search):
    """Which journals; `since` is included, `until` is not, and both are of what occurred."""

    journal_type: str | None = None
    reference_type: str | None = None
    reference_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class BooksQueries(Protocol):
    """Accounts, journals and entries as staff see them; accounts carry their names and nature from the chart."""

    def accounts(self, search: AccountSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        """Newest first, with balance_minor and held_minor."""
        ...

    def account(self, account_id: UUID) -> Row | None: ...

    def owned_entries(self, account_id: UUID, *, limit: int, before: int | None) -> Sequence[Row]:
        """An owned account's, newest sequence first, with both balances."""
        ...

    def platform_entries(self, account_id: UUID, *, limit: int, before: tuple[UUID, int] | None) -> Sequence[Row]:
        """A platform account's, newest journal first."""
        ...

    def journal(self, journal_id: UUID) -> Row | None:
        """With `entries`, what it reverses, and `reversed_by`, the journals that reversed it."""
        ...

    def journals(self, search: JournalSearch, *, limit: int, before: UUID | None) -> Sequence[Row]:
        """Newest id first."""
        ...


class ReconciliationQueries(Protocol):
    """Reconciliations of clearing accounts and what they found."""

    def reconciliations(self, *, provider: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """Newest first."""
        ...

    def reconciliation(self, reconciliation_id: UUID) -> Row | None:
        """With `days`: for each that it is the last word about, what both sides say moved and was held."""
        ...

    def breaks(
        self, *, status: str | None, provider: str | None, now: datetime, limit: int, after: After | None
    ) -> Sequence[Row]:
        """Newest first, with `age_days`, whole days from when it was found to when it was over."""
        ...

    def one_break(self, break_id: UUID, *, now: datetime) -> Row | None: ...
