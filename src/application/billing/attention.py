"""What staff do about attempts, webhooks and payments that wait for a person; money in suspense has its own module.

Nothing here believes anybody: what a provider is asked settles as it always does, what it does not say stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.billing.attention_ports import AttemptNotFound, FlaggedWebhook, NamedAttempt, RawBody
from application.billing.invoices import issue_invoice
from application.billing.ports import Gateways, Reading
from application.billing.settlement import SettleAttempt, settle_attempt
from application.billing.tenders import free_own_parts
from application.billing.webhooks import REFUND_UNVERIFIED, ReferenceMismatch, read_back
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.payments import PaymentStatus, WebhookReceived
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, IllegalTransition, OwnRequest
from domain.shared.identifiers import NewId

PERMISSION = "payments.resolve"


class ProviderReferenceUnknown(Conflict):
    """Nobody knows what the provider calls this attempt, so it cannot be asked about it."""

    code = "provider_reference_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOn:
    """A row of the queue, who acts on it, and why."""

    id: UUID
    actor_id: UUID
    reason: str


def check_attempt(
    command: ActOn, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> None:
    """Ask the provider about an attempt now, and settle what it answers.

    Raises AttemptNotFound, OwnRequest, ProviderReferenceUnknown, ReferenceMismatch, and what gateways raise.
    """
    with new_uow() as uow:
        named = uow.flagged.attempt(command.id)
        _refuse_own(named, command)
        _audit(uow, command, "PAYMENT_ATTEMPT", {}, {"asked": named.attempt.provider}, at=clock.now())
        uow.commit()
    attempt = named.attempt
    if not (attempt.provider_reference or attempt.charge_reference):
        raise ProviderReferenceUnknown()
    read_back(attempt, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)


def give_up_attempt(command: ActOn, *, uow: UnitOfWork, clock: Clock) -> None:
    """Believe a person who saw at the provider that nothing was paid; money that comes all the same is booked as ever.

    Raises AttemptNotFound, OwnRequest, and IllegalTransition unless its outcome is unknown.
    """
    with uow:
        named = uow.flagged.attempt(command.id)
        _refuse_own(named, command)
        payment = uow.payments.get(named.attempt.payment_id)
        attempt = payment.attempt(command.id)
        before = attempt.status
        attempt.abandon(at=clock.now())
        free_own_parts(payment, uow=uow, clock=clock)
        _audit(uow, command, "PAYMENT_ATTEMPT", {"status": before}, {"status": attempt.status}, at=clock.now())
        uow.commit()


def _refuse_own(named: NamedAttempt, command: ActOn) -> None:
    if named.owner == command.actor_id:
        raise OwnRequest()


def retry_webhook(command: ActOn, *, uow: UnitOfWork, clock: Clock) -> None:
    """Have a webhook looked into once more, as if it had just come.

    Raises WebhookNotFound, and IllegalTransition where it waits for nobody.
    """
    with uow:
        webhook = _flagged(command, uow, wanted="RECEIVED")
        uow.flagged.reopen(command.id)
        uow.publish(WebhookReceived(at=clock.now(), webhook_id=command.id))
        _audit(uow, command, "WEBHOOK", {"status": webhook.status}, {"status": "RECEIVED"}, at=clock.now())
        uow.commit()


def dismiss_webhook(command: ActOn, *, uow: UnitOfWork, clock: Clock) -> None:
    """A person has looked, and nothing is to be done.

    Raises WebhookNotFound, and IllegalTransition where it waits for nobody.
    """
    with uow:
        webhook = _flagged(command, uow, wanted="DISMISSED")
        uow.flagged.dismiss(command.id, by=command.actor_id, reason=command.reason, at=clock.now())
        _audit(uow, command, "WEBHOOK", {"status": webhook.status}, {"status": "DISMISSED"}, at=clock.now())
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignWebhook:
    """Somebody says which payment a webhook is about."""

    act: ActOn
    payment_id: UUID
    live: bool


def assign_webhook(
    command: AssignWebhook, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> None:
    """Ask the provider about what the webhook names, and settle that if the provider itself names this payment.

    Raises WebhookNotFound, AttemptNotFound, OwnRequest, IllegalTransition, ReferenceMismatch, and what gateways raise.
    """
    act = command.act
    with new_uow() as uow:
        webhook = _flagged(act, uow, wanted="PROCESSED")
        attempts = uow.flagged.attempts_of(command.payment_id, webhook.stored.provider)
        if not attempts:
            raise AttemptNotFound()
        _refuse_own(attempts[0], act)
    reading = gateways.get(webhook.stored.provider).read(webhook.stored.identity)
    named = next((one for one in attempts if _names(reading, one)), None)
    if named is None:
        raise ReferenceMismatch()
    settle_attempt(
        SettleAttempt(
            payment_id=command.payment_id,
            attempt_id=named.attempt.attempt_id,
            reading=reading,
            expects_live=command.live,
        ),
        uow=new_uow(),
        clock=clock,
        new_id=new_id,
    )
    with new_uow() as uow:
        uow.flagged.assign(act.id, command.payment_id, at=clock.now())
        after = {"status": "PROCESSED", "payment_id": command.payment_id}
        _audit(uow, act, "WEBHOOK", {"status": webhook.status}, after, at=clock.now())
        uow.commit()


def _names(reading: Reading, named: NamedAttempt) -> bool:
    return reading.merchant_reference == named.attempt.merchant_reference


def _flagged(command: ActOn, uow: UnitOfWork, *, wanted: str) -> FlaggedWebhook:
    webhook = uow.flagged.webhook(command.id)
    if webhook.owner == command.actor_id:
        raise OwnRequest()
    # What nobody can verify is not looked into by a machine once more: it would come back the same.
    is_for_machines = webhook.error != REFUND_UNVERIFIED or wanted == "DISMISSED"
    if not webhook.is_flagged or not is_for_machines:
        current = "DISMISSED" if webhook.is_dismissed else webhook.status
        raise IllegalTransition(current=current, wanted=wanted)
    return webhook


def read_body(command: ActOn, *, uow: UnitOfWork, clock: Clock) -> RawBody:
    """A webhook as it arrived, for a person; that it was looked at stays in the audit log. Raises WebhookNotFound."""
    with uow:
        body = uow.flagged.body(command.id)
        uow.audit.add(
            actor=command.actor_id,
            action="webhooks.read",
            resource_type="WEBHOOK",
            resource_id=command.id,
            changes={"before": {}, "after": {}, "reason": command.reason, "size_bytes": len(body.content)},
            at=clock.now(),
        )
        uow.commit()
    return body


def invoice_payment(command: ActOn, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Issue the invoice that a paid payment still lacks; one that has it keeps it.

    Raises PaymentNotFound, OwnRequest, and IllegalTransition for one that is not paid.
    """
    with new_uow() as uow:
        payment = uow.payments.get(command.id)
        if payment.user_id == command.actor_id:
            raise OwnRequest()
        if payment.paid_at is None:
            raise IllegalTransition(current=payment.status, wanted=PaymentStatus.PAID)
        _audit(uow, command, "PAYMENT", {}, {"invoice": "issued"}, at=clock.now())
        uow.commit()
    issue_invoice(command.id, uow=new_uow(), clock=clock, new_id=new_id)


def _audit(
    uow: UnitOfWork,
    command: ActOn,
    resource_type: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    at: datetime,
) -> None:
    uow.audit.add(
        actor=command.actor_id,
        action=PERMISSION,
        resource_type=resource_type,
        resource_id=command.id,
        changes={"before": dict(before), "after": dict(after), "reason": command.reason},
        at=at,
    )
