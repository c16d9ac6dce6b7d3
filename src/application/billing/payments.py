"""Asking for money: a payment is stored, then the provider is asked, then its answer is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from application.billing.agent_credit import customer_of_agent
from application.billing.checkouts import CHECKOUT_LIFETIME, HELD_BEYOND, Asking, checkout_request, mark_unknown
from application.billing.code_holds import keep_seats
from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.ports import (
    Gateways,
    PaymentGateway,
)
from application.billing.returns import ReturnPage
from application.billing.settlement import settle_from_own_balances
from application.billing.splits import Split, WantedPart, split_amount
from application.billing.tenders import hold_own_parts, plan_tenders
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.payments import (
    AWAITED,
    AttemptStatus,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
)
from domain.billing.tenders import TenderKind
from domain.identity.users import User
from domain.sales.holds import CodeTerms
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, InvalidValue
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money

KEPT_HERE: Final = frozenset({PaymentMethod.WALLET, PaymentMethod.AGENT_CREDIT})
"""Methods that take all of a payment from accounts of ours, at once and without a provider."""


class PartPaymentNotOffered(InvalidValue):
    """The amount is less than may be paid at once, or more than is due."""

    code = "part_payment_not_offered"

    def __init__(self, smallest: Money, due: Money) -> None:
        said = f"{due} is due" if smallest == due else f"{due} is due, and {smallest} at least is paid at once"
        super().__init__(said, pointer="/amount", code="part_payment_not_offered")


class PaymentKeyReused(Conflict):
    """This idempotency key made a payment for something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayment:
    """A customer wants to pay for something of theirs; `amount` only where it is theirs to choose.

    `parts` come from balances of their own, the rest by the `method`. By AGENT_CREDIT `user_id` is the agent, who pays
    what it booked for a customer, and `agent_id` says that they still are one.
    """

    user_id: UUID
    agent_id: UUID | None = None
    payment_type: PaymentType
    payable_id: UUID | None
    method: PaymentMethod
    provider: str | None
    amount: Money | None
    parts: tuple[WantedPart, ...] = ()
    success_url: str | None
    cancel_url: str | None
    idempotency_key: str
    locale: str
    public_url: str
    """Where providers and browsers reach this installation, without a slash at the end."""
    code_terms: CodeTerms = field(default_factory=CodeTerms)


def open_payment(
    command: OpenPayment,
    *,
    new_uow: NewUnitOfWork,
    gateways: Gateways,
    returns: ReturnPage,
    clock: Clock,
    new_id: NewId,
) -> UUID:
    """Pay from the customer's own balances at once, or open a checkout at the provider; the payment's id.

    The same key answers the same payment, and finishes what an earlier run left. A provider that does
    not answer leaves the attempt UNKNOWN; one that refuses raises ProviderRefused, and the payment
    stays open for another attempt.
    """
    if command.method in KEPT_HERE:
        return _pay_from_own_balances(command, uow=new_uow(), clock=clock, new_id=new_id)
    gateway = _gateway_for(command, gateways)
    intent = _intend(command, uow=new_uow(), clock=clock, new_id=new_id)
    if intent.attempt.status is not AttemptStatus.CREATED or intent.payment.status is not PaymentStatus.PENDING:
        return intent.payment.id
    if intent.is_new or gateway.capabilities.repeats_creation:
        request = checkout_request(
            intent.payment, intent.attempt, intent.payer, public_url=command.public_url, returns=returns
        )
        Asking(gateway, request, intent.payment.id, command.code_terms, new_uow, clock, new_id).ask()
    else:
        # An earlier run died after it may have asked; asked again, this provider would open a second invoice.
        mark_unknown(intent.payment.id, intent.attempt.id, "answer_lost", uow=new_uow(), clock=clock)
    return intent.payment.id


def _gateway_for(command: OpenPayment, gateways: Gateways) -> PaymentGateway:
    if command.provider is None:
        raise InvalidValue("a provider is needed for this method", pointer="/provider", code="required")
    gateway = gateways.get(command.provider)
    if command.method.value not in gateway.methods:
        raise InvalidValue(
            f"{gateway.name} does not offer {command.method}", pointer="/method", code="method_not_offered"
        )
    return gateway


def _pay_from_own_balances(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """One transaction: what is paid, the payment and the ledger.

    Raises InsufficientBalance; by AGENT_CREDIT also AgentCreditExceeded and AgentNotActive.
    """
    if command.payment_type is PaymentType.WALLET_DEPOSIT:
        raise InvalidValue("a wallet is not filled from itself", pointer="/method", code="method_not_offered")
    with uow:
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow, at=clock.now())
        known = uow.payments.by_key(command.idempotency_key)
        if known is not None:
            return _same(known, command, payable, uow).id
        payment = pay_locked(command, payable, uow=uow, clock=clock, new_id=new_id)
        uow.commit()
    return payment.id


def pay_locked(
    command: OpenPayment, payable: Payable | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Payment:
    """Pay what is locked from the customer's own balances, inside the caller's transaction.

    Raises NotFound for a stranger's, NothingToPay, PartPaymentNotOffered, InsufficientBalance.
    """
    payment = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
    uow.payments.add(payment)
    settle_from_own_balances(payment, payable or DepositPayable(payment), uow=uow, clock=clock, new_id=new_id)
    return payment


@dataclass(frozen=True, slots=True)
class _Intent:
    """What the provider is about to be asked, as it was stored."""

    payment: Payment
    attempt: PaymentAttempt
    payer: User
    is_new: bool
    """Whether this run stored the attempt: no other can have asked the provider about it."""


def _intend(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> _Intent:
    """Store what the provider is about to be asked; an open checkout of the same purchase is used again."""
    with uow:
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow, at=clock.now())
        payment = uow.payments.by_key(command.idempotency_key)
        if payment is not None:
            payment = _same(payment, command, payable, uow)
        else:
            wanted = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
            payment = _open_twin(wanted, uow=uow, clock=clock)
            if payment is None:
                payment = wanted
                uow.payments.add(payment)
        attempt, is_new = payment.newest_attempt, False
        if attempt is None or (attempt.status is AttemptStatus.FAILED and payment.status is PaymentStatus.PENDING):
            keep_seats(payment, command.code_terms, uow=uow, at=clock.now())
            attempt = payment.new_attempt(
                attempt_id=new_id(), expires_at=_deadline(payable, clock), locale=command.locale, at=clock.now()
            )
            is_new = True
        if payment.status is PaymentStatus.PENDING and attempt.status in AWAITED:
            until = (attempt.expires_at or _deadline(payable, clock)) + HELD_BEYOND
            hold_own_parts(payment, until=until, uow=uow, clock=clock, new_id=new_id)
        payer = uow.users.get(command.user_id)
        uow.commit()
    return _Intent(payment, attempt, payer, is_new)


def _deadline(payable: Payable | None, clock: Clock) -> datetime:
    return (payable.deadline if payable is not None else None) or clock.now() + CHECKOUT_LIFETIME


def _open_twin(payment: Payment, *, uow: UnitOfWork, clock: Clock) -> Payment | None:
    """A payment of the same thing, in the same parts, whose checkout at the same provider is still open."""
    payable_id = payment.booking_id or payment.subscription_id
    if payable_id is None:
        return None
    for other in uow.payments.pending_of(payable_id):
        attempt = other.newest_attempt
        if _asks_the_same(other, payment) and attempt is not None and attempt.is_open_at(clock.now()):
            return other
    return None


def _asks_the_same(one: Payment, other: Payment) -> bool:
    return (one.user_id, one.provider, one.payment_type, _split_of(one)) == (
        other.user_id,
        other.provider,
        other.payment_type,
        _split_of(other),
    )


def _split_of(payment: Payment) -> list[tuple[TenderKind, str, Money, int | None]]:
    return [(tender.kind, tender.method, tender.amount, tender.points) for tender in payment.tenders]


def _same(payment: Payment, command: OpenPayment, payable: Payable | None, uow: UnitOfWork) -> Payment:
    """The payment that this key made before, if the same was asked for. Raises PaymentKeyReused."""
    made = (payment.payer_id, payment.booking_id or payment.subscription_id, payment.provider)
    asked = (command.user_id, command.payable_id, _provider_of(command))
    if made != asked or command.amount not in (None, payment.amount):
        raise PaymentKeyReused()
    try:
        wanted = _split(command, payable, payment.amount, uow)
    except InvalidValue as error:
        raise PaymentKeyReused() from error
    if {(part.kind, method, part.amount, part.points) for part, method in wanted} != set(_split_of(payment)):
        raise PaymentKeyReused()
    return payment


def _provider_of(command: OpenPayment) -> str | None:
    return None if command.method in KEPT_HERE else (command.provider or "").upper()


def _new_payment(
    command: OpenPayment, payable: Payable | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Payment:
    now = clock.now()
    by_agent = command.method is PaymentMethod.AGENT_CREDIT
    customer = customer_of_agent(command.agent_id, payable, uow=uow) if by_agent else command.user_id
    amount = _amount(command, payable, customer, clock)
    split = _split(command, payable, amount, uow)
    payment = Payment(
        id=new_id(),
        payment_number=document_number("PAY", business_date(now).year, uow.payments.next_serial()),
        user_id=customer,
        payment_type=payable.payment_type if payable is not None else command.payment_type,
        booking_id=command.payable_id if command.payment_type is PaymentType.BOOKING else None,
        subscription_id=command.payable_id if command.payment_type is PaymentType.MEMBERSHIP_PURCHASE else None,
        amount=amount,
        payment_method=command.method,
        provider=_provider_of(command),
        status=PaymentStatus.PENDING,
        idempotency_key=command.idempotency_key,
        success_url=command.success_url,
        cancel_url=command.cancel_url,
        refund_amount=Money(0, amount.currency),
        paid_at=None,
        created_at=now,
        updated_at=now,
    )
    plan_tenders(payment, split, agent_id=command.agent_id if by_agent else None, new_id=new_id)
    if len(payment.tenders) > 1:
        payment.payment_method = PaymentMethod.MIXED
    return payment


def _split(command: OpenPayment, payable: Payable | None, amount: Money, uow: UnitOfWork) -> Split:
    terms = uow.points.terms.converted(payable.exchange if payable is not None else None)
    return split_amount(amount, command.parts, command.method, terms=terms)


def _amount(command: OpenPayment, payable: Payable | None, customer: UUID, clock: Clock) -> Money:
    """What its plan asks, or what the customer chooses of all that is due; a wallet deposit is theirs to choose."""
    if payable is None:
        if command.amount is None or not command.amount.is_positive:
            raise InvalidValue("a deposit has an amount above zero", pointer="/amount", code="required")
        if command.parts:
            raise InvalidValue("a wallet is not filled from itself", pointer="/tenders", code="method_not_offered")
        return command.amount
    due = payable.amount_due(owner=customer, at=clock.now())
    amount = command.amount or payable.usual_payment(due, at=clock.now())
    smallest = payable.smallest_payment(due)
    if amount.currency != due.currency or not smallest <= amount <= due:
        raise PartPaymentNotOffered(smallest, due)
    return amount
