"""Sending payouts, and asking after them: the intent is committed, the provider asked, its answer recorded.

Driven by the table, so that it works whatever events or jobs were lost. What is SENT is never sent again; what nobody
knows of is read first, and sent under the same key only where the provider, read long after, knows nothing of it and
surely remembers the key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.billing.ports import (
    Gateways,
    OutcomeUnknown,
    PaymentGateway,
    ProviderRefused,
    ProviderUnreachable,
    TransferReading,
    TransferRequest,
    TransferState,
)
from application.billing.refund_submission import REMEMBERED_FOR, SILENT_AFTER, full_jitter
from application.payouts.batches import complete_if_over
from application.payouts.effects import Ending
from application.ports import NewUnitOfWork
from domain.partners.partners import PayoutMethod
from domain.payouts.payouts import NOT_ACTIVE, Payout, PayoutStatus
from domain.shared.clock import Clock
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId

CLAIMED_FOR: Final = timedelta(seconds=75)
"""How long a payout that is being sent is nobody else's; calls to a provider are over much sooner (guarantee P4), and
whoever died meanwhile is followed within two minutes (J4)."""

DRIVING_FOR: Final = timedelta(seconds=45)
"""After this a run of the driver leaves the rest to the next one: it ends before its worker is interrupted."""

STRIPE: Final = PayoutMethod.STRIPE.value


@dataclass(frozen=True, slots=True)
class Sending:
    """What it takes to send payouts."""

    new_uow: NewUnitOfWork
    gateways: Gateways
    clock: Clock
    new_id: NewId


def send_payout(payout_id: UUID, sending: Sending) -> None:
    """Send a payout that is PENDING; any other is left alone. Raises UnknownGateway where nobody can.

    Where its payee is not active any more it is cancelled, and its amount owed again.
    """
    with sending.new_uow() as uow:
        payout = uow.payouts.get(payout_id)
        if payout.status is not PayoutStatus.PENDING or payout.journal_id is None:
            return
        ending = Ending(uow, sending.clock.now(), sending.new_id)
        if not uow.payouts.has_active_payee(payout):
            ending.drop(payout, failure_code=NOT_ACTIVE)
            uow.commit()
        elif payout.method == PayoutMethod.WALLET:
            ending.pay(payout)
            uow.commit()
    if not payout.is_open:
        complete_if_over(payout.batch_id, uow=sending.new_uow(), clock=sending.clock)
    elif payout.method == PayoutMethod.STRIPE:
        _transfer(payout_id, sending, claimable=PayoutStatus.PENDING)


def _transfer(payout_id: UUID, sending: Sending, *, claimable: PayoutStatus) -> None:
    gateway = sending.gateways.get(STRIPE)
    request = claim_payout(payout_id, sending, claimable=claimable)
    if request is not None:
        _ask(gateway, request, _Recording(payout_id, sending))


def claim_payout(payout_id: UUID, sending: Sending, *, claimable: PayoutStatus) -> TransferRequest | None:
    """Commit that it is being sent: what is committed here is what a crash leaves. None where it is not to be.

    What nobody knows of is not sent again to somebody who is not active any more: it waits for them, or for a person.
    """
    with sending.new_uow() as uow:
        payout = uow.payouts.get(payout_id)
        if payout.status is not claimable or not uow.payouts.has_active_payee(payout):
            return None
        now = sending.clock.now()
        payout.send(until=now + CLAIMED_FOR, at=now)
        uow.payouts.save(payout)
        uow.commit()
    return TransferRequest(
        merchant_reference=payout.key,
        destination=payout.stripe_account or "",
        amount=payout.amount,
        description=payout.payout_number,
    )


def _ask(gateway: PaymentGateway, request: TransferRequest, recording: _Recording) -> None:
    """Outside every transaction."""
    try:
        reading = gateway.transfer(request)
    except ProviderRefused as refused:
        recording.refused(str(refused.facts.get("reason") or refused.code))
    except (ProviderUnreachable, OutcomeUnknown):
        recording.in_doubt()
    else:
        recording.heard(reading)


@dataclass(frozen=True, slots=True)
class _Recording:
    """Writes down what came of a payout; whoever was quicker has the last word."""

    payout_id: UUID
    sending: Sending

    def heard(self, reading: TransferReading) -> None:
        self._record(lambda payout, ending: self._hear(payout, ending, reading))

    def refused(self, reason: str) -> None:
        self._record(lambda payout, ending: ending.fail(payout, failure_code="provider_refused", reason=reason[:500]))

    def in_doubt(self) -> None:
        self._record(self._doubt)

    def _hear(self, payout: Payout, ending: Ending, reading: TransferReading) -> None:
        if reading.merchant_reference != payout.key or reading.amount != payout.amount:
            # Somebody else's transfer, or another sum: no machine decides about that (guarantee P5).
            payout.doubt(again_at=None)
            ending.uow.payouts.save(payout)
        elif reading.state is TransferState.SUCCEEDED:
            ending.pay(payout, provider_reference=reading.provider_transfer_reference)
        elif reading.state is TransferState.FAILED:
            payout.await_answer(again_at=ending.at, provider_reference=reading.provider_transfer_reference)
            ending.fail(payout, failure_code="provider_failed")
        else:
            payout.await_answer(
                again_at=self._again(payout, ending.at), provider_reference=reading.provider_transfer_reference
            )
            ending.uow.payouts.save(payout)

    def _doubt(self, payout: Payout, ending: Ending) -> None:
        payout.doubt(again_at=self._again(payout, ending.at))
        ending.uow.payouts.save(payout)

    def _again(self, payout: Payout, at: datetime) -> datetime:
        return at + full_jitter(payout.attempts, self.sending.new_id)

    def _record(self, write: Callable[[Payout, Ending], None]) -> None:
        sending = self.sending
        with sending.new_uow() as uow:
            payout = uow.payouts.get(self.payout_id)
            if payout.status not in (PayoutStatus.SENT, PayoutStatus.UNKNOWN):
                return
            write(payout, Ending(uow, sending.clock.now(), sending.new_id))
            uow.commit()
        if not payout.is_open:
            complete_if_over(payout.batch_id, uow=sending.new_uow(), clock=sending.clock)


@dataclass(frozen=True, slots=True)
class PayoutsDriven:
    """How many payouts were looked after, and how many could not be brought further."""

    due: int
    unanswered: int


def drive_payouts(sending: Sending, *, limit: int = 500) -> PayoutsDriven:
    """Send what waits to be sent and ask after what was sent, found by scanning the table; end batches that are over.

    One that fails does not stop the others; it is due again later.
    """
    began = sending.clock.now()
    with sending.new_uow() as uow:
        due = uow.payouts.due(at=began, limit=limit)
    looked_after = unanswered = 0
    for one in due:
        if sending.clock.now() - began > DRIVING_FOR:
            break
        looked_after += 1
        try:
            if one.status is PayoutStatus.PENDING:
                send_payout(one.payout_id, sending)
            else:
                ask_after(one.payout_id, sending)
        except DomainError:
            unanswered += 1
        _look_later(one.payout_id, sending)
    _end_batches(sending)
    return PayoutsDriven(due=looked_after, unanswered=unanswered)


def ask_after(payout_id: UUID, sending: Sending) -> None:
    """Read at the provider what became of it; sent again, under its key, only where that is safe."""
    gateway = sending.gateways.get(STRIPE)
    with sending.new_uow() as uow:
        payout = uow.payouts.get(payout_id)
        if payout.status is PayoutStatus.SENT and payout.provider_reference is None:
            # Its process died between the intent and the answer.
            payout.doubt(again_at=sending.clock.now() + CLAIMED_FOR)
            uow.payouts.save(payout)
            uow.commit()
    reading = gateway.read_transfer(payout.key, payout.provider_reference or "")
    if reading is not None:
        _Recording(payout_id, sending).heard(reading)
    elif _may_be_repeated(payout, sending.clock.now()):
        _transfer(payout_id, sending, claimable=PayoutStatus.UNKNOWN)


def _may_be_repeated(payout: Payout, now: datetime) -> bool:
    """In doubt and never heard of, and its key is surely remembered."""
    if payout.status is not PayoutStatus.UNKNOWN or payout.provider_reference is not None or payout.sent_at is None:
        return False
    return SILENT_AFTER <= now - payout.sent_at <= REMEMBERED_FOR


def _look_later(payout_id: UUID, sending: Sending) -> None:
    """Whatever came of it: it is not due again at once, and when the provider forgets its key, a person's."""
    now = sending.clock.now()
    with sending.new_uow() as uow:
        payout = uow.payouts.get(payout_id)
        if not payout.is_open or payout.next_try_at is None or payout.next_try_at > now:
            return
        payout.next_try_at = now + full_jitter(payout.attempts + 1, sending.new_id)
        if payout.status is PayoutStatus.UNKNOWN and _is_forgotten(payout, now):
            payout.next_try_at = None
        uow.payouts.save(payout)
        uow.commit()


def _is_forgotten(payout: Payout, now: datetime) -> bool:
    return payout.sent_at is not None and now - payout.sent_at > REMEMBERED_FOR


def _end_batches(sending: Sending) -> None:
    with sending.new_uow() as uow:
        finished = uow.payout_batches.finished()
    for batch_id in finished:
        complete_if_over(batch_id, uow=sending.new_uow(), clock=sending.clock)
