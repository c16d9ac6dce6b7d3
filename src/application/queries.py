"""What views and handlers read: rows as mappings, filtered by what the viewer may see.

Columns are named as in the API; amounts are `<name>_minor` beside `currency`. A viewer's own rows only,
unless `owner` is None, which callers pass for staff alone. Lists are newest first, or in the `order` that
their `sort` names, and answer one row more than `limit` when there are more.

`updated_after` walks changes instead, with the order CHANGES: rows written after that instant, oldest change
first, without those that a transaction which is still running could precede.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from application.billing.attention_ports import AttentionQueries
from application.billing.late_ports import LateMoneyQueries
from application.billing.manual_queries import ManualQueries
from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.calendars import CalendarQueries
from application.catalogue.departure_queries import DepartureQueries
from application.catalogue.queries import ItemQueries, PackageSearch
from application.catalogue.rating_queries import RatingQueries
from application.ledger.books_queries import BooksQueries, ReconciliationQueries
from application.ledger.queries import WalletQueries, WalletRequestQueries
from application.operations.queries import OperationsQueries
from application.partners.ports import PartnerQueries
from application.payouts.queries import PayrollQueries
from application.pricing.queries import PricingQueries
from application.sales.operation_ports import OperationQueries
from application.sales.ports import BookingSearch, OnSale
from application.sales.waiting_ports import WaitingQueries
from domain.catalogue.items import Item
from domain.messaging.preferences import Preferences
from domain.payouts.standing import EarningState
from domain.sales.agreed import RewardTerms

Row = Mapping[str, Any]


CHANGES = "updated_at"
NEWEST = "-created_at"


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: behind this sort key; `id` breaks ties."""

    key: datetime | date | str | int
    id: UUID


class IdentityQueries(Protocol):
    """People as they see themselves, and as staff see them."""

    def profile(self, user_id: UUID, *, today: Any) -> Row | None:
        """id, email, names, phone, roles, locale, status, email_verified_at, membership (tier_code, number, until)."""
        ...

    def standing(self, user_id: UUID, session_id: UUID) -> Row | None:
        """roles, and the permissions that they give on the session's surface; None where either is over."""
        ...

    def sessions(self, user_id: UUID, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        """id, user_agent, address, created_at, last_used_at of a user's sessions that are not over."""
        ...

    def permissions_of(self, roles: Sequence[str]) -> frozenset[str]: ...

    def find_users(
        self,
        *,
        today: Any,
        q: str | None,
        role: str | None = None,
        status: str | None = None,
        verified: bool | None = None,
        limit: int,
        after: After | None,
        order: str = NEWEST,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        """Open accounts; a walk of changes shows closed ones, too. Sorts: ±created_at, ±email."""
        ...

    def second_factor(self, user_id: UUID) -> Row | None:
        """created_at, confirmed_at, recovery_codes_left; None where there is none."""
        ...

    def invitation(self, invitation_id: UUID, *, now: datetime) -> Row | None: ...

    def invitations(self, *, now: datetime, state: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """id, email, roles, locale, state (a pending one whose time is over is EXPIRED), invited_by, times."""
        ...

    def open_invitation(self, token_hash: bytes, *, now: datetime) -> Row | None:
        """email, roles, locale, has_account, has_second_factor of the invitation that a link accepts."""
        ...


class AccessQueries(Protocol):
    """Roles, permissions and API keys."""

    def roles(self) -> Sequence[Row]:
        """Every role with its `permissions` and how many `holders` it has, by name."""
        ...

    def role(self, role_id: UUID) -> Row | None: ...

    def api_keys(self, *, owner: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        """Keys with `owner_email`; no hashes."""
        ...

    def api_key(self, key_id: UUID, *, owner: UUID | None) -> Row | None: ...

    def key_holder(self, public_id: str) -> Row | None:
        """A key with its hash, and roles and permissions of its owner now; None where the owner may not act."""
        ...


class MembershipQueries(Protocol):
    def plans(self) -> Sequence[Row]:
        """Active plans by tier."""
        ...

    def subscription(self, subscription_id: UUID, *, owner: UUID | None) -> Row | None: ...

    def subscriptions(self, *, owner: UUID | None, limit: int, after: After | None) -> Sequence[Row]: ...


class SalesQueries(Protocol):
    """Bookings. `agent`, the viewer again while they are an agent, adds what they booked for customers."""

    def spendable_points(self, user_id: UUID, *, at: datetime) -> int:
        """How many points somebody can spend on a booking: neither held nor past their time."""
        ...

    def booking(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None, today: date) -> Row | None:
        """The booking with `items`, `travelers_count`, and the `standings` of its instalments; no document numbers."""
        ...

    def bookings(
        self,
        *,
        search: BookingSearch,
        owner: UUID | None,
        agent: UUID | None = None,
        limit: int,
        after: After | None,
        order: str = NEWEST,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        """Sorts: ±created_at, ±start_date, ±booking_number."""
        ...

    def exported_bookings(
        self,
        *,
        search: BookingSearch,
        owner: UUID | None,
        agent: UUID | None = None,
        limit: int,
        after: After | None,
    ) -> Sequence[Row]:
        """Bookings newest first, with names of their items and the addresses of customer and agent."""
        ...

    def bookings_by_status(self, *, search: BookingSearch, most: int) -> Sequence[Row]:
        """status and count for each status, whether or not one is asked for; nothing is counted beyond `most`."""
        ...

    def booking_span(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Row | None:
        """When a booked trip is: dates, `begins_at`, time_zone, duration_hours; names, status and version."""
        ...

    def booking_types(self) -> Sequence[Row]:
        """The types in their order: codes, names, icon, colour."""
        ...

    def history(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Sequence[Row] | None:
        """The steps of a booking, oldest first; None where there is no such booking."""
        ...

    def amendments(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Sequence[Row] | None:
        """The newest 100 amendments of a booking, newest first; None where there is no such booking."""
        ...

    def policies(self, *, active_only: bool) -> Sequence[Row]:
        """Cancellation policies, the default first, then oldest first."""
        ...

    def policy(self, policy_id: UUID, *, active_only: bool) -> Row | None: ...

    def on_sale(
        self, item: Item, *, departure_id: UUID | None, buyer_id: UUID, currency: str | None, at: datetime
    ) -> OnSale | None:
        """What a quote is made from; None where the item is not on sale. A departure that is not its own is None.

        Raises CustomerNotFound.
        """
        ...

    def rewards(self, buyer_id: UUID, *, at: datetime) -> RewardTerms:
        """What the buyer's plan gives on what they buy at an instant. Raises CustomerNotFound."""
        ...


class BillingQueries(Protocol):
    def payment(self, payment_id: UUID, *, owner: UUID | None) -> Row | None:
        """The payment with its newest attempt's checkout columns."""
        ...

    def payments(
        self,
        *,
        owner: UUID | None,
        limit: int,
        after: After | None,
        status: str | None = None,
        provider: str | None = None,
        reference_number: str | None = None,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        """`reference_number` finds payments that staff confirm by what their customers quote."""
        ...

    def invoice(self, invoice_id: UUID, *, owner: UUID | None) -> Row | None: ...

    def invoices(
        self,
        *,
        owner: UUID | None,
        booking_id: UUID | None,
        limit: int,
        after: After | None,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]: ...

    def refund(self, refund_id: UUID, *, owner: UUID | None) -> Row | None:
        """The refund with its `parts`."""
        ...

    def refunds(
        self,
        *,
        owner: UUID | None,
        limit: int,
        after: After | None,
        status: str | None = None,
        payment_id: UUID | None = None,
    ) -> Sequence[Row]: ...

    def disputes(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """Everybody's disputes, newest first."""
        ...

    def returned(self, payment_id: UUID) -> Row | None:
        """What the return page shows and where it leads: number, amount, states, success_url, cancel_url."""
        ...


class LedgerQueries(Protocol):
    def balance(self, account_id: UUID) -> int:
        """The balance of a chained account in minor units; 0 for one that never moved."""
        ...

    def entries(self, account_id: UUID, *, limit: int, before_sequence: int | None) -> Sequence[Row]:
        """Newest first: sequence, transaction_type, amounts, reference, both descriptions, occurred_at."""
        ...


class PointsQueries(Protocol):
    """A person's points; `expires_at` is when a lot ends, its grace included."""

    def summary(self, user_id: UUID, *, now: datetime, until: datetime) -> Row:
        """balance, available (neither held nor ended), expiring_soon (before `until`), debt; whatever the history."""
        ...

    def lots(self, user_id: UUID, *, spent: bool, limit: int, after: After | None) -> Sequence[Row]:
        """Lots with something left, with those that are spent where asked for, soonest-ending first.

        id, points, remaining, earned_at, expires_at, in_grace; journal_id, journal_type, reference_type,
        reference_id, reference_number of what they came from.
        """
        ...

    def explain(self, user_id: UUID, *, limit: int, after: After | None) -> Row:
        """balance, explained (what all lots hold), and `items`: a page of lots with something left.

        Each with `taken`, `given_back`, `movements_count`, and its newest `movements`.
        """
        ...


@dataclass(frozen=True, slots=True)
class CashbackSearch:
    """Which records; `eligible_by` asks for those that could be credited at an instant and are not yet."""

    status: str | None = None
    eligible_by: datetime | None = None


class CashbackQueries(Protocol):
    def records(
        self, search: CashbackSearch, *, owner: UUID | None, limit: int, after: After | None, order: str = NEWEST
    ) -> Sequence[Row]: ...

    def record(self, cashback_id: UUID, *, owner: UUID | None) -> Row | None:
        """The record beside its booking: number, status, dates, paid amount."""
        ...

    def journals(self, cashback_id: UUID) -> Sequence[Row]:
        """Every journal of a record, oldest first; `step` is booking (the promise), credit, cancel or clawback."""
        ...


class MessagingQueries(Protocol):
    def notifications(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]: ...

    def reader_facts(self, user_id: UUID) -> Row:
        """To whom a message goes: user_id, email, first_name, locale. Raises NotFound."""
        ...

    def booking_facts(self, booking_id: UUID) -> Row:
        """What messages about a booking say, and to whom. Raises NotFound."""
        ...

    def payment_facts(self, payment_id: UUID) -> Row:
        """What messages about a payment say, and to whom. Raises NotFound."""
        ...

    def late_money_facts(self, receipt_id: UUID) -> Row:
        """user_id, email, first_name, locale, booking_number, amount_minor, currency, hindrance, choose_until."""
        ...

    def refund_facts(self, refund_id: UUID) -> Row:
        """What messages about a refund say, and to whom: amounts that went back by where to, and what failed.

        Raises NotFound.
        """
        ...

    def cashback_facts(self, cashback_id: UUID) -> Row:
        """What messages about a cashback record say, and to whom. Raises NotFound."""
        ...

    def withdrawal_facts(self, withdrawal_id: UUID) -> Row:
        """What messages about a withdrawal say, and to whom. Raises NotFound."""
        ...

    def item_facts(self, item: Item) -> Row:
        """What messages about a vendor's package or activity say, and to whom. Raises NotFound."""
        ...

    def payout_facts(self, payout_id: UUID) -> Row:
        """What messages about a payout say, and to whom. Raises NotFound."""
        ...

    def membership_facts(self, subscription_id: UUID) -> Row:
        """What messages about a membership say, and to whom: `tier_ar`, `tier_en`. Raises NotFound."""
        ...

    def voucher_facts(self, voucher_id: UUID) -> Row:
        """voucher_code, last_day in Cairo (or None), is_usable. Raises NotFound."""
        ...

    def preferences(self, user_id: UUID) -> Preferences: ...

    def devices(self, user_id: UUID) -> Sequence[Row]:
        """The devices of one person, the last seen first; never their tokens."""
        ...

    def device(self, device_id: UUID, *, user_id: UUID) -> Row | None: ...

    def suppressions(self, address: str | None, *, limit: int, after: After | None) -> Sequence[Row]:
        """Addresses that mail is held back from, the latest first; one of them where an address is named."""
        ...

    def adjustment_facts(self, adjustment_id: UUID) -> Row:
        """What messages about an adjustment say, and to whom. Raises NotFound."""
        ...


class PrivacyQueries(Protocol):
    def consents(self, user_id: UUID) -> Sequence[Row]:
        """The newest word about each channel that anything was said of."""
        ...

    def consent_history(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]: ...

    def export(self, export_id: UUID, *, owner: UUID | None, now: datetime) -> Row | None: ...

    def exports(self, *, owner: UUID, now: datetime, limit: int, after: After | None) -> Sequence[Row]: ...

    def erasure(self, user_id: UUID) -> Row | None:
        """The erasure that a person waits for."""
        ...


class EarningQueries(Protocol):
    """What a payee earns, to themselves and to staff."""

    def totals(self, payee_id: UUID, *, at: datetime) -> Sequence[Row]:
        """By currency: upcoming, held (next_release_at), payable, in_transit, paid, clawed_back, and the balance of
        their accounts.
        """
        ...

    def entries(
        self, payee_id: UUID, state: EarningState | None, *, at: datetime, limit: int, after: After | None
    ) -> Sequence[Row]:
        """In a state, or all but upcoming ones: amount, booking_number, reason_ar, reason_en, occurred_at,
        released_at, payout_number.
        """
        ...


class VendorQueries(Protocol):
    """Bookings as their vendors see them."""

    def bookings(
        self, vendor_id: UUID, *, search: BookingSearch, limit: int, after: After | None, order: str = NEWEST
    ) -> Sequence[Row]:
        """With the vendor's own items, their share, and of the customer the first name alone."""
        ...


@dataclass(frozen=True, slots=True)
class Queries:
    """Every context's reads."""

    identity: IdentityQueries
    access: AccessQueries
    membership: MembershipQueries
    catalogue: ItemQueries[PackageSearch]
    activities: ItemQueries[ActivitySearch]
    departures: DepartureQueries
    calendars: CalendarQueries
    pricing: PricingQueries
    ratings: RatingQueries
    sales: SalesQueries
    vendors: VendorQueries
    waiting: WaitingQueries
    departure_operations: OperationQueries
    billing: BillingQueries
    manual: ManualQueries
    attention: AttentionQueries
    late_money: LateMoneyQueries
    ledger: LedgerQueries
    cashback: CashbackQueries
    earnings: EarningQueries
    points: PointsQueries
    wallets: WalletQueries
    wallet_requests: WalletRequestQueries
    payroll: PayrollQueries
    books: BooksQueries
    reconciliations: ReconciliationQueries
    partners: PartnerQueries
    messaging: MessagingQueries
    operations: OperationsQueries
    privacy: PrivacyQueries
