"""What is read of wallets and of what is asked of them; conventions as in `application/queries.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from domain.ledger.accounts import AccountKind

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySearch:
    """Which entries of a wallet, or of the voucher credit beside it; `since` is included, `until` is not."""

    currency: str
    account: AccountKind = AccountKind.WALLET
    transaction_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A wallet as one snapshot shows it: how it stands, a page of its chain, and its active holds."""

    standing: Row
    entries: Sequence[Row]
    holds: Sequence[Row]


class WalletQueries(Protocol):
    """People's wallets; `account` is WALLET or VOUCHER_CREDIT."""

    def standing(self, user_id: UUID, currency: str, account: AccountKind = AccountKind.WALLET) -> Row:
        """balance, held and available; nothing for an account that never moved."""
        ...

    def wallets(self, user_id: UUID) -> Sequence[Row]:
        """balance, held, available, voucher credit and debt in each currency that ever moved, by currency."""
        ...

    def entries(
        self, user_id: UUID, search: EntrySearch, *, limit: int, before_sequence: int | None
    ) -> Sequence[Row]: ...

    def holds(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        """Active holds on all wallets, newest first, with what they are for."""
        ...

    def explain(
        self,
        user_id: UUID,
        currency: str,
        account: AccountKind = AccountKind.WALLET,
        *,
        limit: int,
        before_sequence: int | None,
    ) -> Explanation:
        """The chain behind a balance: each entry with its journal, source document, other legs and reversals."""
        ...

    def is_somebody(self, user_id: UUID) -> bool: ...


class WalletRequestQueries(Protocol):
    """Withdrawals, adjustments, transfers and rates."""

    def withdrawals(self, *, owner: UUID | None, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """Destinations as `destination_masked`."""
        ...

    def withdrawal(self, withdrawal_id: UUID, *, owner: UUID | None) -> Row | None:
        """With `destination` in full beside `destination_masked`."""
        ...

    def adjustments(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """`points` for adjustments of points, `amount_minor` for those of money."""
        ...

    def adjustment(self, adjustment_id: UUID) -> Row | None: ...

    def transfers(self, *, owner: UUID, limit: int, after: After | None) -> Sequence[Row]: ...

    def transfer(self, transfer_id: UUID, *, owner: UUID) -> Row | None: ...

    def newest_rates(self, *, source: str | None, target: str | None, at: datetime) -> Sequence[Row]:
        """The rate of each pair that is valid at an instant, by pair."""
        ...

    def rate(self, rate_id: UUID) -> Row | None: ...
