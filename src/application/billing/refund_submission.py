"""Sending refunds to providers, and asking after them: claimed, then called outside every transaction, then recorded.

Driven by the table, so that it works whatever events were lost. A part is sent at first because it is REQUESTED; it
is sent again, under the same reference, only where that is safe: because nothing had been sent, or because a reading
that was taken long after does not know of it and the provider's memory of our reference is fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from application.billing.inbox import OpenAttempt
from application.billing.ports import (
    Gateways,
    OutcomeUnknown,
    PaymentGateway,
    ProviderRefused,
    ProviderUnreachable,
    RefundRequest,
)
from application.billing.refund_effects import GoingBack
from application.billing.refund_hearing import hear
from application.billing.webhooks import read_back
from application.ports import NewUnitOfWork, UnitOfWork
from application.trying_again import tried_again
from domain.billing.payments import Payment, PaymentAttempt
from domain.billing.refunds import Refund, RefundPart, RefundStatus, Told, Way
from domain.shared.clock import Clock
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId
from domain.shared.money import Money

CLAIMED_FOR: Final = timedelta(seconds=100)
"""How long a part that is being sent is nobody else's; a call to a provider is over much sooner (guarantee P4)."""

FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)

SILENT_AFTER: Final = timedelta(minutes=10)
"""A reading this long after the request that does not name it says that nothing came of it."""

REMEMBERED_FOR: Final = timedelta(hours=20)
"""How long providers surely remember our reference (Stripe keeps idempotency keys for 24 hours): after that no request
is repeated by itself, and a person decides."""


@dataclass(frozen=True, slots=True)
class SubmitPart:
    """Send one part of a refund; `was_read`: a reading that was just taken does not name it."""

    refund_id: UUID
    part_id: UUID
    was_read: bool = False


def submit_refund(refund_id: UUID, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> None:
    """Send every part of a refund that waits to be sent."""
    with new_uow() as uow:
        waiting = [part.id for part in uow.refunds.get(refund_id).living_parts if part.status is RefundStatus.REQUESTED]
    for part_id in waiting:
        command = SubmitPart(refund_id, part_id)
        submit_refund_part(command, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id)


def submit_refund_part(
    command: SubmitPart, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> None:
    """Claim the part, ask its provider once, and record the answer; one that is not due is left alone."""
    claimed = _claim(command, uow=new_uow(), clock=clock)
    if claimed is None:
        return
    provider, request = claimed
    recording = _Recording(command, new_uow, clock, new_id)
    _ask(gateways.get(provider), request, recording)


def _claim(command: SubmitPart, *, uow: UnitOfWork, clock: Clock) -> tuple[str, RefundRequest] | None:
    """Commit that it is being sent; what is committed here is what a crash leaves."""
    now = clock.now()
    with uow:
        payment_id = uow.refunds.payment_of(command.refund_id)
        payment = uow.payments.get(payment_id)
        refund = uow.refunds.get(command.refund_id)
        part = refund.part(command.part_id)
        if not _is_due(part, now, was_read=command.was_read) or uow.disputes.is_open(payment_id):
            return None
        request = _request(payment, refund, part, uow)
        refund.submit(part, until=now + CLAIMED_FOR, at=now)
        uow.commit()
    return part.provider or "", request


def _is_due(part: RefundPart, now: datetime, *, was_read: bool) -> bool:
    """Whether it may be sent now: for the first time, or again."""
    if part.way is not Way.PROVIDER or part.attempt_id is None or part.is_replaced:
        return False
    if part.next_try_at is None or now < part.next_try_at:
        return False
    return part.status is RefundStatus.REQUESTED or (was_read and _may_be_repeated(part, now))


def _may_be_repeated(part: RefundPart, now: datetime) -> bool:
    """In doubt and never heard of, and its reference is surely remembered."""
    if part.status is not RefundStatus.UNKNOWN or part.told is not None or part.submitted_at is None:
        return False
    return SILENT_AFTER <= now - part.submitted_at <= REMEMBERED_FOR


def _request(payment: Payment, refund: Refund, part: RefundPart, uow: UnitOfWork) -> RefundRequest:
    attempt = _attempt_of(payment, part)
    return RefundRequest(
        merchant_reference=part.merchant_reference,
        identity=_open_attempt(attempt).identity,
        amount=part.amount,
        charged=_charged(payment, part, uow),
        reason=refund.refund_number,
    )


def _charged(payment: Payment, part: RefundPart, uow: UnitOfWork) -> Money:
    receipt = uow.refunds.receipt(part.receipt_id) if part.receipt_id is not None else None
    if receipt is not None:
        return receipt.amount
    return payment.tender(part.tender_id).amount if part.tender_id is not None else part.amount


def _attempt_of(payment: Payment, part: RefundPart) -> PaymentAttempt:
    if part.attempt_id is None:
        raise ValueError("what goes back through a provider came through an attempt")
    return payment.attempt(part.attempt_id)


def _open_attempt(attempt: PaymentAttempt) -> OpenAttempt:
    return OpenAttempt(
        attempt_id=attempt.id,
        payment_id=attempt.payment_id,
        provider=attempt.provider,
        merchant_reference=attempt.merchant_reference,
        provider_reference=attempt.provider_reference or "",
        provider_key=attempt.provider_key,
        charge_reference=attempt.charge_reference or "",
    )


def _ask(gateway: PaymentGateway, request: RefundRequest, recording: _Recording) -> None:
    """Outside every transaction."""
    record: Callable[[], None]
    try:
        answer = gateway.refund(request)
    except ProviderRefused as refused:
        record = partial(recording.refused, str(refused.facts.get("reason") or refused.code))
    except ProviderUnreachable as error:
        record = partial(recording.not_sent, error.code)
    except OutcomeUnknown as error:
        record = partial(recording.in_doubt, error.code)
    else:
        record = partial(recording.answered, answer.provider_refund_reference, Told(answer.state), answer.reason)
    tried_again(record)


@dataclass(frozen=True, slots=True)
class _Recording:
    """Writes down what came of a request; a reading may have been quicker, and then it stays."""

    command: SubmitPart
    new_uow: NewUnitOfWork
    clock: Clock
    new_id: NewId

    def answered(self, reference: str, told: Told, reason: str) -> None:
        with self.new_uow() as uow:
            back, refund, part = self._locked(uow)
            part.provider_refund_reference = part.provider_refund_reference or reference or None
            part.next_try_at = self._again_at(part)
            hear(back, refund, part, told, reason)
            uow.commit()

    def refused(self, reason: str) -> None:
        with self.new_uow() as uow:
            back, refund, part = self._locked(uow)
            if part.status is RefundStatus.SUBMITTED and part.told is None:
                back.fail(refund, part, reason)
            uow.commit()

    def not_sent(self, error_code: str) -> None:
        with self.new_uow() as uow:
            _, refund, part = self._locked(uow)
            refund.not_sent(part, error_code=error_code, again_at=self._again_at(part), at=self.clock.now())
            uow.commit()

    def in_doubt(self, error_code: str) -> None:
        with self.new_uow() as uow:
            _, refund, part = self._locked(uow)
            refund.in_doubt(part, error_code=error_code, again_at=self._again_at(part), at=self.clock.now())
            uow.commit()

    def _again_at(self, part: RefundPart) -> datetime:
        return self.clock.now() + full_jitter(part.tries, self.new_id)

    def _locked(self, uow: UnitOfWork) -> tuple[GoingBack, Refund, RefundPart]:
        payment_id = uow.refunds.payment_of(self.command.refund_id)
        back = GoingBack.locked(payment_id, uow=uow, clock=self.clock, new_id=self.new_id)
        refund = uow.refunds.get(self.command.refund_id)
        return back, refund, refund.part(self.command.part_id)


def full_jitter(tries: int, new_id: NewId) -> timedelta:
    """How long to wait: anything up to a bound that doubles with each try, so that many do not come back at once.

    The last 32 bits of a fresh id are as random as any.
    """
    bound = min(FIRST_RETRY * (1 << min(tries, 10)), LONGEST_RETRY)
    return bound * (new_id().int % 2**32) // 2**32


@dataclass(frozen=True, slots=True)
class RefundsDriven:
    """How many parts were due, and how many could not be brought further."""

    due: int
    unanswered: int


def drive_refunds(
    *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool, limit: int = 200
) -> RefundsDriven:
    """Send what waits to be sent and ask after what was sent, found by scanning the table.

    One that fails does not stop the others; it is due again later.
    """
    with new_uow() as uow:
        due = uow.refunds.due(at=clock.now(), limit=limit)
    unanswered = 0
    for part in due:
        command = SubmitPart(part.refund_id, part.part_id)
        try:
            if part.status != RefundStatus.REQUESTED:
                command = _ask_after(command, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)
            submit_refund_part(command, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id)
        except DomainError:
            unanswered += 1
        _ask_again_later(command, uow=new_uow(), clock=clock, new_id=new_id)
    return RefundsDriven(due=len(due), unanswered=unanswered)


def _ask_after(
    command: SubmitPart, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> SubmitPart:
    """Read the attempt back: settlement brings the part to where its reading says that it is.

    One that was being sent when its process died, and that no reading knows, is in doubt from here on.
    """
    with new_uow() as uow:
        payment = uow.payments.get(uow.refunds.payment_of(command.refund_id))
        attempt = _open_attempt(_attempt_of(payment, uow.refunds.get(command.refund_id).part(command.part_id)))
    tells = gateways.get(attempt.provider).capabilities.tells_refunds
    if tells:
        read_back(attempt, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)
    with new_uow() as uow:
        uow.payments.get(attempt.payment_id)
        refund = uow.refunds.get(command.refund_id)
        part, now = refund.part(command.part_id), clock.now()
        refund.in_doubt(part, error_code=OutcomeUnknown.code, again_at=now, at=now)
        uow.commit()
    return replace(command, was_read=tells)


def _ask_again_later(command: SubmitPart, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Whatever came of it: the part is not due again at once."""
    now = clock.now()
    with uow:
        uow.payments.get(uow.refunds.payment_of(command.refund_id))
        part = uow.refunds.get(command.refund_id).part(command.part_id)
        if part.is_open and part.next_try_at is not None and part.next_try_at <= now:
            part.tries += 1
            part.next_try_at = now + full_jitter(part.tries, new_id)
            uow.commit()
