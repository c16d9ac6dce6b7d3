"""What PostgreSQL refuses, told as what it means; anything else stays an infrastructure error."""

from __future__ import annotations

import psycopg
from psycopg import errors

from application.trying_again import TryAgain
from domain.billing.manual import ReceiptReferenceUsed
from domain.billing.refunds import RefundReferenceTaken
from domain.catalogue.departures import SoldOut
from domain.catalogue.packages import SlugTaken
from domain.catalogue.ratings import AlreadyRated
from domain.identity.roles import RoleNameTaken
from domain.identity.users import EmailTaken
from domain.ledger.journal import InsufficientBalance, JournalKeyReused, ReversalRefused
from domain.membership.memberships import AlreadySubscribed
from domain.pricing.offers import OfferExhausted
from domain.pricing.vouchers import VoucherCodeTaken, VoucherExhausted
from domain.privacy.erasure import AccountErased, ErasureAlreadyRequested, ErasureBlocked, ErasureNotFound
from domain.privacy.exports import ExportInProgress
from domain.sales.departure_operations import OperationInProgress
from domain.sales.waiting import AlreadyWaiting
from domain.shared.errors import Busy, DomainError, Unavailable


class DatabaseUnavailable(Unavailable):
    """No connection to PostgreSQL, or none free in time."""

    code = "database_unavailable"


# Our own class of SQLSTATEs (migrations/sql).
_BY_SQLSTATE: dict[str, type[DomainError]] = {
    "AL001": InsufficientBalance,
    "AL002": JournalKeyReused,
    "AL006": ErasureNotFound,
    "AL007": ErasureBlocked,
    "AL008": AccountErased,
    "AL009": ReversalRefused,
    "AL012": VoucherExhausted,
    "AL013": OfferExhausted,
}

_BY_CONSTRAINT: dict[str, type[DomainError]] = {
    "uq_users_proved_email": EmailTaken,
    "uq_roles_role_name": RoleNameTaken,
    "ck_departures_never_oversold": SoldOut,
    "ck_pools_never_oversold": SoldOut,
    "uq_waiting_list_entries_open_departure_id_user_id": AlreadyWaiting,
    "uq_departure_operations_open_departure_id": OperationInProgress,
    "uq_packages_slug": SlugTaken,
    "uq_activities_slug": SlugTaken,
    "uq_vouchers_code": VoucherCodeTaken,
    "ck_vouchers_used_within_limit": VoucherExhausted,
    "ck_offers_used_within_limit": OfferExhausted,
    "uq_ratings_booking_id": AlreadyRated,
    "uq_membership_subscriptions_active_user": AlreadySubscribed,
    # Whoever holds the key's lock looked just before another, who held it, had committed.
    "pk_idempotency_keys": TryAgain,
    "uq_invitations_pending_email": Busy,
    "uq_payments_idempotency_key": Busy,
    "uq_manual_receipts_idempotency_key": Busy,
    "uq_manual_receipts_reference": ReceiptReferenceUsed,
    "uq_refunds_idempotency_key": Busy,
    "uq_refund_parts_provider_provider_refund_reference": RefundReferenceTaken,
    "uq_erasures_open_user": ErasureAlreadyRequested,
    "uq_personal_data_exports_open_user": ExportInProgress,
}


def meaning_of(error: psycopg.Error) -> Exception:
    """The error that callers understand; never a business refusal for what is an infrastructure failure."""
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
        return TryAgain()
    if isinstance(error, errors.LockNotAvailable):
        return Busy()
    by_state = _BY_SQLSTATE.get(error.sqlstate or "")
    if by_state is not None:
        return by_state()
    by_constraint = _BY_CONSTRAINT.get(error.diag.constraint_name or "")
    if by_constraint is not None:
        return by_constraint()
    if isinstance(error, errors.QueryCanceled | psycopg.OperationalError):
        return DatabaseUnavailable()
    return error
