"""Webhooks: stored when their signature is good, then the provider itself is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from application.billing.inbox import OpenAttempt, StoredWebhook
from application.billing.ports import Gateways, IrrelevantWebhook, ProviderRefused
from application.billing.settlement import SettleAttempt, settle_attempt
from application.ports import NewUnitOfWork, UnitOfWork
from application.trying_again import tried_again
from domain.shared.clock import Clock
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId

TOLD_TO_STAFF_AFTER = timedelta(minutes=15)
"""A webhook that names nothing of ours is looked into again for so long: it may be quicker than our own records."""
LOOKED_INTO_AGAIN_AFTER = timedelta(minutes=1)

UNKNOWN_REFERENCE = "unknown_reference"
REFUND_UNVERIFIED = "refund_unverified"


class ReferenceMismatch(Conflict):
    """The provider says that this reference belongs to another of our attempts, or to none."""

    code = "provider_reference_mismatch"


class Reception(StrEnum):
    """What became of a webhook whose signature is good."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IRRELEVANT = "irrelevant"
    """Of a kind that concerns no payment: nothing is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveWebhook:
    """What arrived, as bytes."""

    provider: str
    body: bytes
    headers: Mapping[str, str]
    address: str


def receive_webhook(
    command: ReceiveWebhook, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> Reception:
    """Check the signature, and store an event that concerns a payment once.

    Raises BadSignature or UnreadableWebhook, and then stores nothing. When this returns, it is committed.
    """
    try:
        notice = gateways.get(command.provider).parse_webhook(command.body, command.headers)
    except IrrelevantWebhook:
        return Reception.IRRELEVANT
    with uow:
        was_new = uow.inbox.store(
            notice,
            webhook_id=new_id(),
            provider=command.provider.upper(),
            body=command.body,
            content_type=command.headers.get("Content-Type", ""),
            address=command.address,
            at=clock.now(),
        )
        uow.commit()
    return Reception.ACCEPTED if was_new() else Reception.DUPLICATE


def process_webhook(
    webhook_id: UUID, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> None:
    """Find the attempt that a webhook speaks of, ask the provider about it, and settle what it answers.

    One about a refund, of a provider whose readings tell nothing of refunds, is left to a person after that.
    """
    with new_uow() as uow:
        webhook = uow.inbox.get(webhook_id)
        attempt = uow.inbox.attempt_of(webhook) if webhook is not None else None
    if webhook is None:
        return
    if attempt is None:
        attempt = _ask_whose(webhook, new_uow=new_uow, gateways=gateways)
    if attempt is None:
        _wait_or_tell(webhook, new_uow=new_uow, clock=clock)
        return
    learned = not attempt.provider_reference
    if learned:
        # The answer to our create call was lost; the reading below proves whether this reference is ours.
        attempt = replace(
            attempt,
            provider_reference=webhook.provider_reference,
            provider_key=webhook.provider_key,
            charge_reference=webhook.charge_reference,
        )
    is_told = not webhook.is_about_refund or gateways.get(webhook.provider).capabilities.tells_refunds
    error = None if is_told else REFUND_UNVERIFIED
    try:
        read_back(
            attempt, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live, must_prove=learned
        )
    except ReferenceMismatch as mismatch:
        error = mismatch.code
    _finish(webhook_id, attempt.payment_id, error, new_uow=new_uow, clock=clock)


def _ask_whose(webhook: StoredWebhook, *, new_uow: NewUnitOfWork, gateways: Gateways) -> OpenAttempt | None:
    """Whose a charge is that nothing here names: the provider itself knows our reference of it."""
    if not webhook.charge_reference:
        return None
    try:
        reading = gateways.get(webhook.provider).read(webhook.identity)
    except ProviderRefused:
        return None
    if not reading.merchant_reference:
        return None
    told = replace(
        webhook,
        provider_reference=reading.provider_reference,
        provider_key=reading.provider_key,
        merchant_reference=reading.merchant_reference,
    )
    with new_uow() as uow:
        return uow.inbox.attempt_of(told)


def _wait_or_tell(webhook: StoredWebhook, *, new_uow: NewUnitOfWork, clock: Clock) -> None:
    """Look into a webhook about nothing of ours again later; when that has gone on for long, staff are told."""
    now = clock.now()
    if now >= webhook.received_at + TOLD_TO_STAFF_AFTER:
        _finish(webhook.id, None, UNKNOWN_REFERENCE, new_uow=new_uow, clock=clock)
        return
    with new_uow() as uow:
        uow.chasing.look_again(webhook.id, at=now + LOOKED_INTO_AGAIN_AFTER)
        uow.commit()


def _finish(
    webhook_id: UUID, payment_id: UUID | None, error: str | None, *, new_uow: NewUnitOfWork, clock: Clock
) -> None:
    with new_uow() as uow:
        uow.inbox.finish(webhook_id, payment_id=payment_id, error=error, at=clock.now())
        uow.commit()


def read_back(
    attempt: OpenAttempt,
    *,
    new_uow: NewUnitOfWork,
    gateways: Gateways,
    clock: Clock,
    new_id: NewId,
    live: bool,
    must_prove: bool = False,
) -> None:
    """Ask the provider what became of an attempt, outside every transaction, and settle accordingly.

    `must_prove`: the reference came from a webhook, whose payload nobody signed, so the provider itself
    has to name our own reference. Raises ReferenceMismatch when it names another, and Unavailable when it
    does not say; then nothing changed, and whoever asked asks again later.
    """
    reading = gateways.get(attempt.provider).read(attempt.identity)
    named = reading.merchant_reference
    if named != attempt.merchant_reference and (named or must_prove):
        raise ReferenceMismatch(attempt_id=attempt.attempt_id)
    command = SettleAttempt(
        payment_id=attempt.payment_id, attempt_id=attempt.attempt_id, reading=reading, expects_live=live
    )
    tried_again(lambda: settle_attempt(command, uow=new_uow(), clock=clock, new_id=new_id))
