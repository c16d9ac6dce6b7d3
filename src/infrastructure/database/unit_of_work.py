"""The unit of work over PostgreSQL: repositories that share a transaction, and the outbox beside them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from sqlalchemy.util import memoized_property

from application.identity.ports import KeyedDigests
from application.ports import Encryption
from domain.catalogue.activities import Activity
from domain.catalogue.packages import Package
from domain.identity.lockout import LockoutPolicy
from domain.ledger.points import PointsTerms
from domain.shared.aggregate import Aggregate
from domain.shared.events import DomainEvent
from domain.shared.identifiers import NewId
from infrastructure.database.billing.chasing import SqlChasing, SqlStatementDays
from infrastructure.database.billing.flagged import SqlFlaggedRows
from infrastructure.database.billing.late_money import SqlLateMoneyChoices
from infrastructure.database.billing.manual import SqlManualReceipts, SqlSlips
from infrastructure.database.billing.refund_repositories import SqlDisputes, SqlRefunds
from infrastructure.database.billing.repositories import SqlInbox, SqlInvoices, SqlPayments
from infrastructure.database.billing.suspense import SqlSuspense
from infrastructure.database.catalogue.calendars import SqlCalendarFeeds
from infrastructure.database.catalogue.departures import SqlDepartures
from infrastructure.database.catalogue.images import SqlItemImages
from infrastructure.database.catalogue.patterns import SqlPatterns
from infrastructure.database.catalogue.prices import SqlItemPrices
from infrastructure.database.catalogue.ratings import SqlRatings
from infrastructure.database.catalogue.repositories import SqlItems
from infrastructure.database.identity.api_keys import SqlApiKeys
from infrastructure.database.identity.invitations import SqlInvitations
from infrastructure.database.identity.proofs import SqlGuesses, SqlPhoneVerifications, SqlSecondFactors
from infrastructure.database.identity.repositories import SqlLoginFailures, SqlSessions, SqlUsers
from infrastructure.database.identity.roles import SqlRoles
from infrastructure.database.ledger.cashback import SqlCashback
from infrastructure.database.ledger.clearing import SqlClearingBooks
from infrastructure.database.ledger.points import SqlPoints
from infrastructure.database.ledger.repositories import SqlLedger
from infrastructure.database.ledger.reversals import SqlReversals
from infrastructure.database.ledger.seals import SqlSeals
from infrastructure.database.ledger.statements import SqlStatementRequests
from infrastructure.database.ledger.wallet_repositories import SqlAdjustments, SqlExchange, SqlWithdrawals
from infrastructure.database.membership.repositories import SqlMemberships
from infrastructure.database.messaging.deliveries import SqlNotificationDeliveries
from infrastructure.database.messaging.repositories import (
    SqlDevices,
    SqlNotifications,
    SqlPreferenceRows,
    SqlSuppressions,
)
from infrastructure.database.operations.repositories import SqlAuditLog, SqlDeadLetters, SqlSettingRows
from infrastructure.database.outbox import write_events
from infrastructure.database.partners.repositories import SqlPartners
from infrastructure.database.payouts.batches import SqlPayoutBatches
from infrastructure.database.payouts.earnings import SqlEarnings
from infrastructure.database.payouts.repositories import SqlPayouts
from infrastructure.database.payouts.statements import SqlPayoutStatementRequests
from infrastructure.database.pricing.promotions import SqlPromotions
from infrastructure.database.pricing.repositories import SqlOffers, SqlVouchers
from infrastructure.database.privacy.repositories import SqlPrivacy
from infrastructure.database.sales.instalments import SqlInstalments
from infrastructure.database.sales.manifests import SqlManifestRequests
from infrastructure.database.sales.operations import SqlDepartureOperations
from infrastructure.database.sales.policies import SqlCancellationPolicies
from infrastructure.database.sales.repositories import SqlBookings
from infrastructure.database.sales.waiting import SqlWaitingList
from infrastructure.database.transaction import Database, Statements

_FLUSHED: Final = ("departures", "bookings", "waiting_list", "departure_operations")
"""Repositories that write what changed when a unit of work is committed, in this order."""

_SEEN: Final = (
    "users", "second_factors", "invitations", "memberships", "packages", "activities", "ratings", "payments",
    "suspense", "late_money", "refunds", "disputes", "withdrawals", "adjustments", "manual_receipts",
    "cashback", "payout_batches", "payouts", "partners",
)  # fmt: skip
"""Repositories whose aggregates may have something to tell, in this order."""


class SqlUnitOfWork:
    """Implements `application.ports.UnitOfWork`. Repositories are made when they are first asked for, and not under the
    lock that `functools.cached_property` takes: a unit of work is nobody else's.

    `withhold_secrets` keeps secrets out of the audit log quietly, where otherwise they are an error.
    """

    def __init__(
        self,
        database: Database,
        *,
        encryption: Encryption,
        digests: KeyedDigests,
        new_id: NewId,
        lockout: LockoutPolicy = LockoutPolicy(),  # noqa: B008 - frozen
        points_terms: Callable[[], PointsTerms] = PointsTerms,
        withhold_secrets: bool = False,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._digests = digests
        self._new_id = new_id
        self._lockout = lockout
        self._points_terms = points_terms
        self._withhold_secrets = withhold_secrets
        self._published: list[DomainEvent] = []
        self._was_entered = False

    def __enter__(self) -> Self:
        if self._was_entered:
            self._forget()
        self._was_entered = True
        self._transaction = self._database.transaction()
        self._statements: Statements = self._transaction.__enter__()
        return self

    def _forget(self) -> None:
        """A unit of work that is entered again starts from the rows, not from what it saw or meant to say before."""
        self._published.clear()
        for name in [name for name in self.__dict__ if not name.startswith("_")]:
            del self.__dict__[name]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.__exit__(kind, error, trace)

    def publish(self, event: DomainEvent) -> None:
        self._published.append(event)

    def commit(self) -> None:
        """Write what changed, then the events of it, then commit: state and outbox, or neither."""
        touched = self._flush()
        events = [event for aggregate in touched for event in aggregate.pull_events()]
        if events or self._published:
            write_events([*events, *self._published], self._statements, self._new_id)
            self._published.clear()
        self._statements.commit()

    def flush(self) -> None:
        self._statements.flush()

    def _flush(self) -> list[Aggregate]:
        touched: list[Aggregate] = []
        made = self.__dict__
        for name in filter(made.__contains__, _FLUSHED):
            touched.extend(made[name].flush())
        for name in filter(made.__contains__, _SEEN):
            touched.extend(made[name].seen)
        self._statements.flush()
        return touched

    @memoized_property
    def users(self) -> SqlUsers:
        return SqlUsers(self._statements)

    @memoized_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._statements)

    @memoized_property
    def login_failures(self) -> SqlLoginFailures:
        return SqlLoginFailures(self._statements, self._digests, self._lockout)

    @memoized_property
    def second_factors(self) -> SqlSecondFactors:
        return SqlSecondFactors(self._statements)

    @memoized_property
    def guesses(self) -> SqlGuesses:
        return SqlGuesses(self._statements)

    @memoized_property
    def phone_verifications(self) -> SqlPhoneVerifications:
        return SqlPhoneVerifications(self._statements)

    @memoized_property
    def invitations(self) -> SqlInvitations:
        return SqlInvitations(self._statements)

    @memoized_property
    def roles(self) -> SqlRoles:
        return SqlRoles(self._statements)

    @memoized_property
    def api_keys(self) -> SqlApiKeys:
        return SqlApiKeys(self._statements)

    @memoized_property
    def memberships(self) -> SqlMemberships:
        return SqlMemberships(self._statements)

    @memoized_property
    def packages(self) -> SqlItems[Package]:
        return SqlItems(self._statements, Package)

    @memoized_property
    def item_prices(self) -> SqlItemPrices:
        return SqlItemPrices(self._statements, self._new_id)

    @memoized_property
    def activities(self) -> SqlItems[Activity]:
        return SqlItems(self._statements, Activity)

    @memoized_property
    def patterns(self) -> SqlPatterns:
        return SqlPatterns(self._statements, self._new_id)

    @memoized_property
    def images(self) -> SqlItemImages:
        return SqlItemImages(self._statements)

    @memoized_property
    def ratings(self) -> SqlRatings:
        return SqlRatings(self._statements)

    @memoized_property
    def departures(self) -> SqlDepartures:
        return SqlDepartures(self._statements)

    @memoized_property
    def bookings(self) -> SqlBookings:
        return SqlBookings(self._statements, self.departures, self._encryption)

    @memoized_property
    def instalments(self) -> SqlInstalments:
        return SqlInstalments(self._statements)

    @memoized_property
    def waiting_list(self) -> SqlWaitingList:
        return SqlWaitingList(self._statements)

    @memoized_property
    def departure_operations(self) -> SqlDepartureOperations:
        return SqlDepartureOperations(self._statements)

    @memoized_property
    def promotions(self) -> SqlPromotions:
        return SqlPromotions(self._statements)

    @memoized_property
    def vouchers(self) -> SqlVouchers:
        return SqlVouchers(self._statements)

    @memoized_property
    def offers(self) -> SqlOffers:
        return SqlOffers(self._statements)

    @memoized_property
    def cancellation_policies(self) -> SqlCancellationPolicies:
        return SqlCancellationPolicies(self._statements)

    @memoized_property
    def payments(self) -> SqlPayments:
        return SqlPayments(self._statements)

    @memoized_property
    def refunds(self) -> SqlRefunds:
        return SqlRefunds(self._statements)

    @memoized_property
    def disputes(self) -> SqlDisputes:
        return SqlDisputes(self._statements)

    @memoized_property
    def inbox(self) -> SqlInbox:
        return SqlInbox(self._statements, self._new_id)

    @memoized_property
    def manual_receipts(self) -> SqlManualReceipts:
        return SqlManualReceipts(self._statements)

    @memoized_property
    def slips(self) -> SqlSlips:
        return SqlSlips(self._statements)

    @memoized_property
    def suspense(self) -> SqlSuspense:
        return SqlSuspense(self._statements)

    @memoized_property
    def late_money(self) -> SqlLateMoneyChoices:
        return SqlLateMoneyChoices(self._statements)

    @memoized_property
    def chasing(self) -> SqlChasing:
        return SqlChasing(self._statements)

    @memoized_property
    def flagged(self) -> SqlFlaggedRows:
        return SqlFlaggedRows(self._statements)

    @memoized_property
    def statement_days(self) -> SqlStatementDays:
        return SqlStatementDays(self._statements)

    @memoized_property
    def invoices(self) -> SqlInvoices:
        return SqlInvoices(self._statements)

    @memoized_property
    def ledger(self) -> SqlLedger:
        return SqlLedger(self._statements)

    @memoized_property
    def reversals(self) -> SqlReversals:
        return SqlReversals(self._statements)

    @memoized_property
    def seals(self) -> SqlSeals:
        return SqlSeals(self._statements)

    @memoized_property
    def cashback(self) -> SqlCashback:
        return SqlCashback(self._statements)

    @memoized_property
    def points(self) -> SqlPoints:
        return SqlPoints(self._statements, self._points_terms)

    @memoized_property
    def withdrawals(self) -> SqlWithdrawals:
        return SqlWithdrawals(self._statements, self._encryption)

    @memoized_property
    def adjustments(self) -> SqlAdjustments:
        return SqlAdjustments(self._statements)

    @memoized_property
    def exchange(self) -> SqlExchange:
        return SqlExchange(self._statements)

    @memoized_property
    def payout_batches(self) -> SqlPayoutBatches:
        return SqlPayoutBatches(self._statements, self._encryption)

    @memoized_property
    def payouts(self) -> SqlPayouts:
        return SqlPayouts(self._statements)

    @memoized_property
    def payout_statement_requests(self) -> SqlPayoutStatementRequests:
        return SqlPayoutStatementRequests(self._statements)

    @memoized_property
    def statement_requests(self) -> SqlStatementRequests:
        return SqlStatementRequests(self._statements)

    @property
    def calendar_feeds(self) -> SqlCalendarFeeds:
        return SqlCalendarFeeds(self._statements)

    @property
    def manifest_requests(self) -> SqlManifestRequests:
        return SqlManifestRequests(self._statements)

    @memoized_property
    def clearing(self) -> SqlClearingBooks:
        return SqlClearingBooks(self._statements)

    @memoized_property
    def earnings(self) -> SqlEarnings:
        return SqlEarnings(self._statements)

    @memoized_property
    def partners(self) -> SqlPartners:
        return SqlPartners(self._statements, self._encryption)

    @memoized_property
    def notifications(self) -> SqlNotifications:
        return SqlNotifications(self._statements)

    @property
    def deliveries(self) -> SqlNotificationDeliveries:
        return SqlNotificationDeliveries(self._statements)

    @property
    def devices(self) -> SqlDevices:
        return SqlDevices(self._statements)

    @property
    def notification_preferences(self) -> SqlPreferenceRows:
        return SqlPreferenceRows(self._statements)

    @property
    def suppressions(self) -> SqlSuppressions:
        return SqlSuppressions(self._statements)

    @memoized_property
    def audit(self) -> SqlAuditLog:
        return SqlAuditLog(self._statements, self._new_id, withhold_secrets=self._withhold_secrets)

    @property
    def dead_letters(self) -> SqlDeadLetters:
        return SqlDeadLetters(self._statements)

    @memoized_property
    def system_settings(self) -> SqlSettingRows:
        return SqlSettingRows(self._statements, self._new_id)

    @memoized_property
    def privacy(self) -> SqlPrivacy:
        return SqlPrivacy(self._statements)
