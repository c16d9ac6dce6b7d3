"""Batches: the payouts of one run of payroll, made by one person or the schedule and approved by another."""

from __future__ import annotations

from enum import StrEnum

from domain.shared.errors import Conflict, NotAllowed, NotFound


class BatchNotFound(NotFound):
    """There is no such batch."""

    code = "payout_batch_not_found"


class OwnBatch(NotAllowed):
    """Whoever made a batch has another approve it (guarantee J7)."""

    code = "own_payout_batch"


class NothingToApprove(Conflict):
    """A batch without payouts moves no money."""

    code = "payout_batch_empty"


class BatchPeriod(StrEnum):
    """How often payroll runs."""

    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class BatchPayees(StrEnum):
    """Whom a batch pays."""

    VENDOR = "VENDOR"
    AGENT = "AGENT"
    ALL = "ALL"


class BatchOrigin(StrEnum):
    """Who made it."""

    SCHEDULE = "SCHEDULE"
    STAFF = "STAFF"


class BatchStatus(StrEnum):
    """Where a batch stands."""

    DRAFT = "DRAFT"
    """Its payouts can be read; no money has moved."""
    APPROVED = "APPROVED"
    """Frozen; its money has left the payable accounts."""
    PROCESSING = "PROCESSING"
    """Its payouts are being sent."""
    COMPLETED = "COMPLETED"
    """Each payout is PAID, FAILED or CANCELLED."""
    CANCELLED = "CANCELLED"
    """Thrown away as a draft; the next batch takes its entries."""


_S = BatchStatus
NEXT = {
    _S.DRAFT: {_S.APPROVED, _S.CANCELLED},
    _S.APPROVED: {_S.PROCESSING},
    _S.PROCESSING: {_S.COMPLETED},
    _S.COMPLETED: set[BatchStatus](),
    _S.CANCELLED: set[BatchStatus](),
}


class LeftOut(StrEnum):
    """Why a payee is not in a batch; what it has waits for the next."""

    BELOW_MINIMUM = "BELOW_MINIMUM"
    NOTHING_OWED = "NOTHING_OWED"
    """The sum is zero or below: the debt is carried on."""
    NOT_ACTIVE = "NOT_ACTIVE"
    """Suspended or not approved, or there is no profile at all."""
    NO_DESTINATION = "NO_DESTINATION"
    """No bank account, or no account at Stripe."""
    COOLING_OFF = "COOLING_OFF"
    """The bank account was changed a short while ago."""
    OUT_OF_BALANCE = "OUT_OF_BALANCE"
    """Entries and the books differ: an error of ours, which a person has to look at."""
