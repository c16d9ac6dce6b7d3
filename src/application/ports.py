"""What use cases need from outside, whatever their context: transactions, time, ids, and the repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from application.billing.inbox import WebhookInbox
from application.identity.ports import (
    ApiKeys,
    CountedGuesses,
    Invitations,
    PhoneVerifications,
    Roles,
    SecondFactors,
)
from application.operations.ports import SettingRows
from application.privacy.ports import PrivacyRecords
from application.sales.ports import Sale
from domain.billing.invoices import Invoice
from domain.billing.payments import Payment, PaymentType, Receipt
from domain.catalogue.departures import Departure
from domain.catalogue.packages import Package
from domain.identity.lockout import Attempt
from domain.identity.sessions import Session
from domain.identity.users import Claim, User
from domain.ledger.cashback import CashbackRecord
from domain.ledger.journal import Journal
from domain.ledger.points import PointsLot
from domain.membership.memberships import MembershipPlan, MembershipSubscription
from domain.messaging.notifications import Notification
from domain.operations.audit import AuditStatus
from domain.sales.bookings import Booking, Traveler
from domain.shared.errors import Conflict, RuleBroken
from domain.shared.events import DomainEvent


class Users(Protocol):
    """Accounts, by id or address."""

    def add(self, user: User) -> None: ...

    def get(self, user_id: UUID) -> User:
        """The user, locked until the unit of work ends. Raises NotFound."""
        ...

    def by_email(self, email: str) -> User | None:
        """The account that has proved an address and is not closed."""
        ...

    def claims(self, email: str) -> Sequence[Claim]:
        """The accounts of an address that are not closed, at most 100.

        Those that may sign in come first; of them the one that proved the address, then the newest.
        """
        ...

    def other_super_admins(self, user_id: UUID) -> int:
        """How many other super admins may act; nobody else is made or unmade one until the unit of work ends."""
        ...


class Sessions(Protocol):
    """Signed-in devices and the single-use tokens that are mailed; only hashes are kept."""

    def add(self, session: Session) -> None: ...

    def by_token(self, token_hash: bytes) -> Session | None:
        """The session that ever had this refresh token, locked."""
        ...

    def owner_of(self, token_hash: bytes) -> UUID | None:
        """Whose session ever had this refresh token; locks nothing. A user is locked before its sessions."""
        ...

    def get(self, session_id: UUID, *, user_id: UUID) -> Session:
        """A session of this user that is not over, locked. Raises SessionNotFound."""
        ...

    def of_user(self, user_id: UUID) -> Sequence[Session]:
        """The user's sessions that were not revoked, locked."""
        ...

    def expect_verification(self, *, token_hash: bytes, user_id: UUID, expires_at: datetime) -> None: ...

    def verifications_until(self, user_id: UUID, *, after: datetime) -> Sequence[datetime]:
        """When a user's verification tokens end, those that end after an instant, the newest first."""
        ...

    def take_verification(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Spend an unused, unexpired verification token: whose it was, or None."""
        ...

    def expect_reset(self, *, token_hash: bytes, user_id: UUID, at: datetime, expires_at: datetime) -> None:
        """Remember a password-reset token; the user's older ones are over."""
        ...

    def resets_since(self, email: str, at: datetime) -> int:
        """How many password-reset tokens were made for an address."""
        ...

    def reset_of(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Whose unused, unexpired password-reset token this is, or None."""
        ...

    def take_reset(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Spend it: whose it was, or None."""
        ...

    def end_resets(self, user_id: UUID, *, at: datetime) -> None:
        """No password-reset token of this user works any more."""
        ...


class LoginFailures(Protocol):
    """How often passwords were guessed; names nobody: accounts and addresses are kept as keyed digests."""

    def locked_until(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        """Until when this account or this network address is locked; None where neither is."""
        ...

    def add(self, attempt: Attempt, *, at: datetime) -> bool:
        """Count a failure of both; True when it is the one that locked the account."""
        ...

    def add_to_account(self, attempt: Attempt, *, at: datetime) -> bool:
        """Count a failure of the account alone, as when registering; True when it is the one that locked it."""
        ...

    def end(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        """The password was right: the account's failures are forgotten, unless a lock stands: until when it does.

        Failures that are being counted meanwhile are waited for: the right one among many guesses at once
        is let in only if it came before the one that locked.
        """
        ...

    def unlock(self, attempt: Attempt) -> None:
        """Forget the account's failures, locked or not; those of the network address stay."""
        ...


class Memberships(Protocol):
    """Plans and subscriptions."""

    def plan(self, tier_code: str) -> MembershipPlan:
        """An active plan. Raises PlanNotFound."""
        ...

    def add(self, subscription: MembershipSubscription) -> None: ...

    def get(self, subscription_id: UUID) -> MembershipSubscription:
        """The subscription, locked. Raises NotFound."""
        ...

    def has_active(self, user_id: UUID) -> bool: ...

    def next_serial(self) -> int: ...


class Packages(Protocol):
    """Packages, by id."""

    def add(self, package: Package) -> None: ...

    def get(self, package_id: UUID) -> Package:
        """The package, locked. Raises PackageNotFound."""
        ...

    def free_slug(self, wanted: str) -> str:
        """The slug, or with a number behind it, that no package has; nobody else is given it meanwhile."""
        ...

    def slug_taken(self, slug: str) -> bool:
        """Whether a package has it; nobody else is given it meanwhile."""
        ...


class Departures(Protocol):
    """Departures; whoever changes seats holds the row's lock."""

    def add(self, departure: Departure) -> None: ...

    def get(self, departure_id: UUID) -> Departure:
        """The departure, locked. Raises DepartureNotFound."""
        ...


class Bookings(Protocol):
    """Bookings with their items and hold."""

    def open_sale(self, *, package_id: UUID, departure_id: UUID, buyer_id: UUID, today: date) -> Sale:
        """Everything that placing a booking needs, the departure locked. Raises DepartureNotFound."""
        ...

    def add(self, booking: Booking, travelers: Sequence[Traveler]) -> None: ...

    def get(self, booking_id: UUID) -> Booking:
        """The booking, locked. Raises BookingNotFound."""
        ...

    def due_for_expiry(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose hold is ACTIVE and ran out before an instant, oldest first."""
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

    def pending_of(self, booking_id: UUID) -> Sequence[Payment]:
        """The payments of a booking that are still PENDING, locked."""
        ...

    def add_receipt(self, receipt: Receipt) -> None: ...

    def next_serial(self) -> int: ...


class Invoices(Protocol):
    """Issued invoices."""

    def next_number(self, series: str, year: int) -> int:
        """The next number of a series, gapless: its counter stays locked until the unit of work ends."""
        ...

    def exists_for(self, payment_id: UUID) -> bool: ...

    def add(self, invoice: Invoice) -> None: ...


class Ledger(Protocol):
    """The posting path."""

    def post(self, journals: Sequence[Journal]) -> None:
        """Post journals; one whose key was posted before is skipped.

        Raises InsufficientBalance or JournalKeyReused, here or at commit; then nothing was posted.
        """
        ...

    def add_lot(self, lot: PointsLot) -> None: ...

    def add_cashback(self, record: CashbackRecord) -> None: ...


class Notifications(Protocol):
    """In-app messages."""

    def add(self, notification: Notification) -> None: ...


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
    def packages(self) -> Packages: ...

    @property
    def departures(self) -> Departures: ...

    @property
    def bookings(self) -> Bookings: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def inbox(self) -> WebhookInbox: ...

    @property
    def invoices(self) -> Invoices: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def notifications(self) -> Notifications: ...

    @property
    def audit(self) -> AuditLog: ...

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
