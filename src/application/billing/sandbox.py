"""The sandbox provider's side: customers choose on its page, and it tells the merchant by webhook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports import UnitOfWork
from domain.billing.sandbox import NoticeType, Outcome, SandboxCheckout, SandboxOutcomeChosen
from domain.billing.sandbox_refunds import SandboxDispute, SandboxDisputeState, SandboxRefund, next_dispute
from domain.shared.clock import Clock
from domain.shared.errors import Unavailable
from domain.shared.identifiers import NewId


class WebhookNotDelivered(Unavailable):
    """The merchant's address did not answer 2xx; the webhook is to be sent again."""

    code = "webhook_not_delivered"


class SandboxDisabled(Unavailable):
    """PAYMENT_GATEWAYS named the sandbox when this was asked for, and does not any more."""

    code = "sandbox_disabled"


class SandboxBooks(Protocol):
    """The sandbox's own books. What is locked or kept belongs to the unit of work that is open."""

    def by_token(self, token: str) -> SandboxCheckout:
        """The checkout at an address, as it is now. Raises CheckoutNotFound."""
        ...

    def get(self, checkout_id: UUID) -> SandboxCheckout:
        """The checkout as it is now. Raises CheckoutNotFound."""
        ...

    def lock(self, token: str) -> SandboxCheckout:
        """The checkout at an address, locked until the unit of work ends. Raises CheckoutNotFound."""
        ...

    def late_until(self, at: datetime, *, limit: int) -> Sequence[SandboxCheckout]:
        """Checkouts whose late money is there and not told of yet, locked; those that others lock are left out."""
        ...

    def keep(self, checkout: SandboxCheckout) -> None:
        """Write the outcome and its charges."""
        ...

    def refunds_until(self, at: datetime, *, limit: int) -> Sequence[SandboxRefund]:
        """Refunds that have ended and were not told of, from now on told; those that others lock are left out."""
        ...

    def dispute_of(self, checkout: SandboxCheckout) -> SandboxDispute | None:
        """The dispute of a checkout that is locked."""
        ...

    def keep_dispute(self, dispute: SandboxDispute, *, at: datetime) -> None:
        """Write what the customer's bank says now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxNotice:
    """What one webhook says; `id` is the same at every delivery."""

    id: UUID
    type: str
    checkout_id: UUID
    merchant_reference: str


class SandboxWebhooks(Protocol):
    """Sends the sandbox's webhooks. Called outside every transaction; the same notice may be sent again."""

    def send(self, notice: SandboxNotice, *, to: str) -> None:
        """Sign and post. Returning means that the merchant answered 2xx; else raises WebhookNotDelivered."""
        ...


@dataclass(frozen=True, slots=True)
class SandboxProvider:
    """All of the sandbox that is not behind the payment port."""

    books: SandboxBooks
    webhooks: SandboxWebhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseOutcome:
    """A customer of the sandbox pressed the button; `token` is the end of the page's address."""

    token: str
    outcome: Outcome


def choose_outcome(command: ChooseOutcome, *, uow: UnitOfWork, books: SandboxBooks, clock: Clock, new_id: NewId) -> str:
    """Decide the checkout, charge what follows from it, and have the webhook sent; the address to go to next.

    Raises CheckoutNotFound, CheckoutDecided, CheckoutExpired or InvalidValue.
    """
    with uow:
        checkout = books.lock(command.token)
        checkout.choose(command.outcome, at=clock.now(), new_id=new_id)
        _keep(checkout, uow=uow, books=books)
        uow.commit()
    return checkout.return_url


def tell_late_payments(*, uow: UnitOfWork, books: SandboxBooks, clock: Clock, limit: int = 100) -> int:
    """Have the webhooks sent of late money and of refunds that have come by now; how many that were.

    Found by scanning the books, so none is missed; any number of processes may run it.
    """
    now = clock.now()
    with uow:
        late = books.late_until(now, limit=limit)
        for checkout in late:
            checkout.take_effect(at=now)
            _keep(checkout, uow=uow, books=books)
        refunds = books.refunds_until(now, limit=limit)
        for refund in refunds:
            _tell(uow, refund.checkout_id, refund.id, NoticeType.REFUND, at=now)
        uow.commit()
    return len(late) + len(refunds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDispute:
    """The customer's bank questions what was charged, or has decided; `token` is the end of the page's address."""

    token: str
    state: SandboxDisputeState


def change_dispute(
    command: ChangeDispute, *, uow: UnitOfWork, books: SandboxBooks, clock: Clock, new_id: NewId
) -> None:
    """Open a dispute or end it, and have the webhook sent. Raises CheckoutNotFound or NothingToDispute."""
    now = clock.now()
    with uow:
        checkout = books.lock(command.token)
        is_charged = bool(checkout.charged_until(now))
        known = books.dispute_of(checkout)
        dispute = next_dispute(known, command.state, checkout_id=checkout.id, is_charged=is_charged)
        books.keep_dispute(dispute, at=now)
        _tell(uow, checkout.id, new_id(), NoticeType.DISPUTE, at=now)
        uow.commit()


def _tell(uow: UnitOfWork, checkout_id: UUID, notice_id: UUID, kind: NoticeType, *, at: datetime) -> None:
    uow.publish(SandboxOutcomeChosen(at=at, checkout_id=checkout_id, notice_id=notice_id, notice_type=kind.value))


def _keep(checkout: SandboxCheckout, *, uow: UnitOfWork, books: SandboxBooks) -> None:
    books.keep(checkout)
    for event in checkout.pull_events():
        uow.publish(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWebhook:
    """One webhook that an outcome calls for."""

    checkout_id: UUID
    notice_id: UUID
    notice_type: str


def send_webhook(command: SendWebhook, *, books: SandboxBooks, webhooks: SandboxWebhooks) -> None:
    """Tell the merchant, at the address that the checkout was opened with. Raises WebhookNotDelivered."""
    checkout = books.get(command.checkout_id)
    notice = SandboxNotice(
        id=command.notice_id,
        type=command.notice_type,
        checkout_id=checkout.id,
        merchant_reference=checkout.merchant_reference,
    )
    webhooks.send(notice, to=checkout.webhook_url)
