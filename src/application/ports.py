"""What use cases need from outside, whatever their context: transactions, time, ids, and the repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar
from uuid import UUID

from application.billing.attention_ports import FlaggedRows
from application.billing.chasing_ports import Chasing, StatementDays
from application.billing.inbox import WebhookInbox
from application.billing.late_ports import LateMoneyChoices
from application.billing.manual_ports import ManualReceipts, Slips
from application.billing.refund_ports import Disputes, Refunds
from application.billing.suspense_ports import Suspense
from application.catalogue.calendars import CalendarFeeds
from application.catalogue.pattern_ports import Patterns
from application.catalogue.ports import ItemImages, Ratings
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
from application.ledger.reversible import Reversals
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
from application.sales.manifest_ports import ManifestRequests
from application.sales.operation_ports import DepartureOperations
from application.sales.ports import CancellationPolicies, Instalments, OfferTerms, OnSale, RequestOpened, Sale
from application.sales.waiting_ports import WaitingList
from domain.billing.invoices import Credited, Documented, Invoice
from domain.billing.payments import Payment, PaymentType, Receipt
from domain.catalogue.activities import Activity
from domain.catalogue.departures import Departure
from domain.catalogue.items import Item
from domain.catalogue.packages import Package
from domain.catalogue.pools import Pool
from domain.ledger.accounts import AccountRef
from domain.ledger.holds import BalanceHold
from domain.ledger.journal import Journal
from domain.ledger.points import PointsLot
from domain.ledger.seals import Seal
from domain.membership.memberships import MembershipPlan, MembershipSubscription
from domain.operations.audit import AuditStatus
from domain.sales.amendments import Amendment
from domain.sales.bookings import Booking
from domain.sales.travelers import Traveler
from domain.shared.errors import Conflict, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.identifiers import NewId
from domain.shared.money import Money


class Memberships(Protocol):
    """Plans and subscriptions."""

    def plan(self, tier_code: str) -> MembershipPlan:
        """An active plan. Raises PlanNotFound."""
        ...

    def add(self, subscription: MembershipSubscription) -> None: ...

    def get(self, subscription_id: UUID) -> MembershipSubscription:
        """The subscription, locked. Raises NotFound."""
        ...

    def plan_of(self, subscription: MembershipSubscription) -> MembershipPlan:
        """The plan as it is sold now, on sale or not."""
        ...

    def active_of(self, user_id: UUID) -> UUID | None:
        """The customer's ACTIVE subscription."""
        ...

    def next_serial(self) -> int: ...


class Slugs(Protocol):
    """Addresses that no two items of a kind have."""

    def free_slug(self, wanted: str) -> str:
        """The slug, or with a number behind it, that no other has; nobody else is given it meanwhile."""
        ...

    def slug_taken(self, slug: str) -> bool:
        """Whether another has it; nobody else is given it meanwhile."""
        ...


_Held = TypeVar("_Held")


class Items(Slugs, Protocol[_Held]):
    """Packages, or activities, by id."""

    def add(self, held: _Held) -> None: ...

    def get(self, item_id: UUID) -> _Held:
        """The item, locked. Raises PackageNotFound or ActivityNotFound."""
        ...

    def read(self, item_id: UUID) -> _Held:
        """The item as it stands, not locked and not to be changed. Raises PackageNotFound or ActivityNotFound."""
        ...


class Departures(Protocol):
    """Departures and the pools that they draw from; whoever changes seats holds the locks of all of them.

    Locks are taken in one order: departures by id, then their pools by id.
    """

    def add(self, departure: Departure) -> None: ...

    def get(self, departure_id: UUID) -> Departure:
        """The departure, locked with its pools. Raises DepartureNotFound.

        Who needs several asks for all of them at once: one by one, two units of work could wait for each other.
        """
        ...

    def get_all(self, departure_ids: Sequence[UUID], *, pool_ids: Sequence[UUID] = ()) -> Sequence[Departure]:
        """These departures in this order, locked with all of their pools, and further pools that are asked for.

        Raises DepartureNotFound; `pool` says of each further one whether there is such a pool.
        """
        ...

    def add_pool(self, pool: Pool) -> None: ...

    def pool(self, pool_id: UUID) -> Pool:
        """The pool, locked. Raises PoolNotFound."""
        ...


class Bookings(Protocol):
    """Bookings with their items and hold."""

    def open_sale(
        self,
        item: Item,
        *,
        departure_id: UUID,
        buyer_id: UUID,
        agent_id: UUID | None,
        currency: str | None,
        at: datetime,
    ) -> Sale:
        """Everything that placing a booking needs, the departure locked. Raises DepartureNotFound."""
        ...

    def open_request(self, buyer_id: UUID, *, agent_id: UUID | None, at: datetime) -> RequestOpened:
        """Everything that keeping a request needs. Raises NotFound for an unknown customer."""
        ...

    def offer_terms(self, buyer_id: UUID, *, agent_id: UUID | None, at: datetime) -> OfferTerms:
        """What an offer that is made at an instant freezes."""
        ...

    def add(self, booking: Booking, travelers: Sequence[Traveler]) -> None: ...

    def travelers(self, booking_id: UUID) -> Sequence[Traveler]:
        """Who travels, with whole document numbers, in their order."""
        ...

    def replace_travelers(self, booking_id: UUID, travelers: Sequence[Traveler]) -> None:
        """Write the list anew; whoever calls holds the booking's lock."""
        ...

    def on_sale_again(self, booking: Booking, departure_id: UUID, *, at: datetime) -> OnSale:
        """The booking's item for another trip, on the terms that were frozen: rewards, the member's rate of that plan,
        and the exchange rate.

        Raises DepartureNotFound for another item's departure, or an item that is not sold any more,
        AmendmentNotOffered where it is sold in another currency since.
        """
        ...

    def keep_amendment(self, amendment: Amendment) -> None:
        """Store an amendment, or what was decided about it; whoever calls holds the booking's lock."""
        ...

    def lapsing_amendments(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose amendment is PENDING and ran out before an instant, oldest first."""
        ...

    def archive(self, *, settled_before: datetime, at: datetime, limit: int) -> int:
        """Take bookings that are over and have not changed since an instant out of lists; how many were taken."""
        ...

    def add_replacement(self, booking: Booking) -> None:
        """Add a booking that replaces another, with that one's travellers."""
        ...

    def next_serial(self) -> int: ...

    def replacement_of(self, booking_id: UUID) -> UUID | None:
        """The booking that replaces this one, unlocked; whoever holds this one's lock sees what stays true."""
        ...

    def is_booked_again(self, booking: Booking) -> bool:
        """Whether the customer has placed a booking of the same departure since this one ended, that is not over."""
        ...

    def get(self, booking_id: UUID) -> Booking:
        """The booking, locked. Raises BookingNotFound."""
        ...

    def lapsing_requests(self, *, begun_before: datetime, limit: int) -> Sequence[UUID]:
        """Requests without a price whose trip was to begin before an instant."""
        ...

    def due_for_expiry(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose hold is ACTIVE and ran out before an instant, oldest first."""
        ...

    def expire_together(self, *, before: datetime, at: datetime, limit: int, new_id: NewId) -> int:
        """Expire up to so many of those that took nothing but seats, and that nobody has locked; how many it was.

        They are written and told of here, not when the unit of work is committed.
        """
        ...


@dataclass(frozen=True, slots=True)
class PaymentTarget:
    """What a payment pays; this never changes."""

    payment_type: PaymentType
    payable_id: UUID | None


class Payments(Protocol):
    """Payments with their attempts, and the receipts of money."""

    def add(self, payment: Payment) -> None: ...

    def get(self, payment_id: UUID) -> Payment:
        """The payment, locked. Raises PaymentNotFound."""
        ...

    def target_of(self, payment_id: UUID) -> PaymentTarget:
        """What it pays, unlocked: that has to be locked first. Raises PaymentNotFound."""
        ...

    def by_key(self, idempotency_key: str) -> Payment | None: ...

    def pending_of(self, payable_id: UUID) -> Sequence[Payment]:
        """The payments of a booking or a subscription that are still PENDING, locked."""
        ...

    def of_booking(self, booking_id: UUID) -> Sequence[Payment]:
        """All payments of a booking, however they stand, locked in the order of their ids."""
        ...

    def abandoned(self, *, ended_before: datetime, after: UUID | None, limit: int) -> Sequence[UUID]:
        """PENDING payments as `Payment.is_abandoned` knows them, by id behind one of them; not locked."""
        ...

    def paid_before(self, payment: Payment) -> Money:
        """What was settled of the same booking or subscription before a payment that is settled."""
        ...

    def add_receipt(self, receipt: Receipt) -> None: ...

    def next_serial(self) -> int: ...


class Invoices(Protocol):
    """Issued invoices."""

    def next_number(self, series: str, year: int) -> int:
        """The next number of a series, gapless: its counter stays locked until the unit of work ends."""
        ...

    def exists_for(self, payment_id: UUID) -> bool:
        """Whether the payment has its invoice."""
        ...

    def exists_for_refund(self, refund_id: UUID) -> bool:
        """Whether the refund has its credit note."""
        ...

    def credited_of(self, payment_id: UUID) -> Credited:
        """The payment's invoice, and what credit notes have taken of it. Raises InvoiceNotFound."""
        ...

    def documented(self, booking_id: UUID, currency: str) -> Documented:
        """What a booking's invoices and credit notes say together; whoever asks holds the booking's lock."""
        ...

    def add(self, invoice: Invoice) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account holds, in minor units, and how much of it is set aside by holds."""

    balance_minor: int
    held_minor: int

    @property
    def available_minor(self) -> int:
        return self.balance_minor - self.held_minor


class Ledger(Protocol):
    """The posting path, and what has to be seen under the accounts' locks before something is posted."""

    def post(self, journals: Sequence[Journal]) -> None:
        """Post journals; one whose key was posted before is skipped.

        Raises InsufficientBalance, JournalKeyReused or ReversalRefused, here or at commit; then nothing was posted.
        """
        ...

    def lock(self, accounts: Iterable[AccountRef]) -> Mapping[AccountRef, Standing]:
        """Lock owned accounts, in one order, until the unit of work ends; how each of them stands.

        One that never moved stands at nothing, and is not locked: whoever first moves it waits for the other.
        """
        ...

    def add_hold(self, hold: BalanceHold) -> None:
        """Set an amount aside. Raises InsufficientBalance, here or at commit."""
        ...

    def get_hold(self, hold_id: UUID) -> BalanceHold:
        """The hold, locked. Raises HoldNotFound."""
        ...

    def resolve_hold(self, hold: BalanceHold) -> None:
        """Store how a hold ended; before the journal of its capture is posted."""
        ...

    def due_holds(self, *, before: datetime, limit: int) -> Sequence[BalanceHold]:
        """ACTIVE holds whose time was over before an instant, with their accounts locked.

        Without those that somebody else is ending at this moment.
        """
        ...

    def add_lot(self, lot: PointsLot) -> None: ...


class Seals(Protocol):
    """The auditor's marks on the ledger's days."""

    def seal_next_day(self) -> Seal | None:
        """Seal the oldest day in Cairo that is over and not sealed, once whoever asks; None when there is none.

        What a seal says follows from the rows alone. It waits for whoever was writing when it was asked.
        """
        ...


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


class Idempotency(Protocol):
    """Remembers what a key was answered with. Raises RequestInProgress or IdempotencyKeyReused.

    `scope` is actor and route; `fingerprint` a digest of what was asked. `run` raises for every refusal:
    what is refused is not remembered.
    """

    def once(self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer]) -> Answer:
        """Run at most once per key: effect, events and answer are committed together.

        Units of work that `run` opens join this transaction, so it must not call a provider.
        """
        ...

    def staged(self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer]) -> Answer:
        """The same for a request that calls a provider between its transactions.

        The claim is committed first and ends with its lease; `run` has to finish what an earlier run left.
        """
        ...
