"""The unit of work, which has every repository, and what use cases need whatever their context: the log of what staff
did, encryption, answers that are kept by their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from application.billing.attention_ports import FlaggedRows
from application.billing.chasing_ports import Chasing, StatementDays
from application.billing.inbox import WebhookInbox
from application.billing.late_ports import LateMoneyChoices
from application.billing.manual_ports import ManualReceipts, Slips
from application.billing.payment_ports import Invoices, Payments
from application.billing.refund_ports import Disputes, Refunds
from application.billing.suspense_ports import Suspense
from application.catalogue.calendars import CalendarFeeds
from application.catalogue.pattern_ports import Patterns
from application.catalogue.ports import ItemImages, Ratings
from application.catalogue.record_ports import Departures, Items
from application.identity.records import (
    ApiKeys,
    CountedGuesses,
    Invitations,
    LoginFailures,
    PhoneVerifications,
    Roles,
    SecondFactors,
    Sessions,
    Users,
)
from application.ledger.books_ports import ClearingBooks, StatementRequests
from application.ledger.ports import Adjustments, CashbackRecords, Exchange, Points, Withdrawals
from application.ledger.posting_ports import Ledger, Seals
from application.ledger.reversible import Reversals
from application.membership.ports import Memberships
from application.messaging.record_ports import (
    Devices,
    NotificationDeliveries,
    Notifications,
    PreferenceRows,
    Suppressions,
)
from application.operations.ports import DeadLetters, SettingRows
from application.partners.ports import Partners
from application.payouts.earning_ports import Earnings
from application.payouts.ports import PayoutBatches, Payouts
from application.payouts.statement_ports import PayoutStatementRequests
from application.pricing.ports import ItemPrices, Offers, Promotions, Vouchers
from application.privacy.ports import PrivacyRecords
from application.sales.booking_ports import Bookings
from application.sales.manifest_ports import ManifestRequests
from application.sales.operation_ports import DepartureOperations
from application.sales.ports import CancellationPolicies, Instalments
from application.sales.waiting_ports import WaitingList
from domain.catalogue.activities import Activity
from domain.catalogue.packages import Package
from domain.operations.audit import AuditStatus
from domain.shared.errors import Conflict, RuleBroken
from domain.shared.events import DomainEvent


class AuditLog(Protocol):
    """What staff did, before and after; never changed."""

    def add(
        self,
        *,
        actor: UUID | None,
        action: str,
        resource_type: str,
        resource_id: UUID | None,
        changes: Mapping[str, object],
        at: datetime,
        status: AuditStatus = AuditStatus.SUCCESS,
        error_message: str | None = None,
    ) -> None:
        """`action` is `module.action`, a permission's code where one was needed; `changes` has before and after.

        Address, agent and request id are those of the origin (`application/origin.py`). Raises SecretInChanges
        for a secret in the changes; in production that is withheld instead, and card numbers always are.
        """
        ...


class Encryption(Protocol):
    """Keeps what must not be read from the rows themselves."""

    def encrypt(self, text: str) -> bytes: ...

    def decrypt(self, sealed: bytes) -> str: ...


class UnitOfWork(Protocol):
    """One transaction: everything done inside is committed together, or not at all.

    Rolled back unless `commit` is called. Commit writes the events of every aggregate that was added or
    got here, and of `publish`, to the outbox in the same transaction.
    """

    @property
    def users(self) -> Users: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def login_failures(self) -> LoginFailures: ...

    @property
    def second_factors(self) -> SecondFactors: ...

    @property
    def guesses(self) -> CountedGuesses: ...

    @property
    def phone_verifications(self) -> PhoneVerifications: ...

    @property
    def invitations(self) -> Invitations: ...

    @property
    def roles(self) -> Roles: ...

    @property
    def api_keys(self) -> ApiKeys: ...

    @property
    def memberships(self) -> Memberships: ...

    @property
    def packages(self) -> Items[Package]: ...

    @property
    def item_prices(self) -> ItemPrices: ...

    @property
    def activities(self) -> Items[Activity]: ...

    @property
    def images(self) -> ItemImages: ...

    @property
    def ratings(self) -> Ratings: ...

    @property
    def departures(self) -> Departures: ...

    @property
    def patterns(self) -> Patterns: ...

    @property
    def bookings(self) -> Bookings: ...

    @property
    def instalments(self) -> Instalments: ...

    @property
    def waiting_list(self) -> WaitingList: ...

    @property
    def departure_operations(self) -> DepartureOperations: ...

    @property
    def promotions(self) -> Promotions: ...

    @property
    def vouchers(self) -> Vouchers: ...

    @property
    def offers(self) -> Offers: ...

    @property
    def cancellation_policies(self) -> CancellationPolicies: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def disputes(self) -> Disputes: ...

    @property
    def inbox(self) -> WebhookInbox: ...

    @property
    def manual_receipts(self) -> ManualReceipts: ...

    @property
    def slips(self) -> Slips: ...

    @property
    def suspense(self) -> Suspense: ...

    @property
    def late_money(self) -> LateMoneyChoices: ...

    @property
    def chasing(self) -> Chasing: ...

    @property
    def flagged(self) -> FlaggedRows: ...

    @property
    def statement_days(self) -> StatementDays: ...

    @property
    def invoices(self) -> Invoices: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def reversals(self) -> Reversals: ...

    @property
    def seals(self) -> Seals: ...

    @property
    def cashback(self) -> CashbackRecords: ...

    @property
    def earnings(self) -> Earnings: ...

    @property
    def points(self) -> Points: ...

    @property
    def withdrawals(self) -> Withdrawals: ...

    @property
    def adjustments(self) -> Adjustments: ...

    @property
    def exchange(self) -> Exchange: ...

    @property
    def payout_batches(self) -> PayoutBatches: ...

    @property
    def payouts(self) -> Payouts: ...

    @property
    def payout_statement_requests(self) -> PayoutStatementRequests: ...

    @property
    def statement_requests(self) -> StatementRequests: ...

    @property
    def calendar_feeds(self) -> CalendarFeeds: ...

    @property
    def manifest_requests(self) -> ManifestRequests: ...

    @property
    def clearing(self) -> ClearingBooks: ...

    @property
    def partners(self) -> Partners: ...

    @property
    def notifications(self) -> Notifications: ...

    @property
    def deliveries(self) -> NotificationDeliveries: ...

    @property
    def devices(self) -> Devices: ...

    @property
    def notification_preferences(self) -> PreferenceRows: ...

    @property
    def suppressions(self) -> Suppressions: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def dead_letters(self) -> DeadLetters: ...

    @property
    def system_settings(self) -> SettingRows: ...

    @property
    def privacy(self) -> PrivacyRecords: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def publish(self, event: DomainEvent) -> None: ...

    def flush(self) -> None:
        """Write what was added so far, where later statements lean on it."""
        ...

    def commit(self) -> None: ...


class NewUnitOfWork(Protocol):
    """Opens units of work; for use cases that need several, one after another."""

    def __call__(self) -> UnitOfWork: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with, byte for byte; the body of a `sealed` one is kept encrypted."""

    status_code: int
    content_type: str
    location: str
    body: bytes
    etag: str = ""
    sealed: bool = False


class RequestInProgress(Conflict):
    """The first request with this idempotency key is still running."""

    code = "request_in_progress"


class IdempotencyKeyReused(RuleBroken):
    """The key was used for a request that said something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose token came with a request, to be looked up together with its key.

    `confirm` is told the roles and permissions that they have, None where the session is over or the account closed,
    before anything is run or answered. It raises where they are not let in.
    """

    user_id: UUID
    session_id: UUID
    confirm: Callable[[Mapping[str, Any] | None], None]


class Idempotency(Protocol):
    """Remembers what a key was answered with. Raises RequestInProgress or IdempotencyKeyReused.

    `scope` is actor and route; `fingerprint` a digest of what was asked. `run` raises for every refusal:
    what is refused is not remembered.
    """

    def once(
        self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer], *, asker: Asker | None = None
    ) -> Answer:
        """Run at most once per key: effect, events and answer are committed together.

        Units of work that `run` opens join this transaction, so it must not call a provider.
        """
        ...

    def staged(self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer]) -> Answer:
        """The same for a request that calls a provider between its transactions.

        The claim is committed first and ends with its lease; `run` has to finish what an earlier run left.
        """
        ...
