"""Payments and their attempts: forward only, and money that is doubtful confirms nothing (Q3, P5, P6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from domain.billing.payments import (
    ATTEMPT_NEXT,
    NEXT,
    AttemptStatus,
    Disposition,
    MoneySuspended,
    Payment,
    PaymentAttempt,
    PaymentSettled,
    PaymentStatus,
    Receipt,
    SuspenseReason,
)
from domain.billing.tenders import TenderKind, TenderStatus
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, a_payment, a_tender, an_attempt, egp

LATER = NOON + timedelta(minutes=1)


def settle(payment: Payment) -> None:
    payment.settle(at=LATER)


def cancel(payment: Payment) -> None:
    payment.cancel(at=LATER)


PAYMENT_VERBS: dict[Callable[[Payment], None], PaymentStatus] = {
    settle: PaymentStatus.PAID,
    cancel: PaymentStatus.CANCELLED,
}


@pytest.mark.parametrize(("state", "verb"), list(product(PaymentStatus, PAYMENT_VERBS)))
def test_every_verb_of_a_payment_in_every_state(state: PaymentStatus, verb: Callable[[Payment], None]) -> None:
    payment, target = a_payment(status=state), PAYMENT_VERBS[verb]

    paid_at = payment.paid_at
    if state is PaymentStatus.PENDING:
        verb(payment)
        assert target in NEXT[state]
        assert (payment.status, payment.updated_at) == (target, LATER)
        return
    with pytest.raises(IllegalTransition) as refused:
        verb(payment)
    assert refused.value.facts["current"] == state
    assert (payment.status, payment.paid_at, payment.updated_at) == (state, paid_at, NOON)
    assert not payment.pull_events()


def tried(payment: Payment, attempt_id: UUID | None = None) -> PaymentAttempt:
    return payment.new_attempt(attempt_id=attempt_id or new_id(), expires_at=LATER, locale="en", at=NOON)


def test_a_settled_payment_says_so_once() -> None:
    payment = a_payment()

    payment.settle(at=LATER)

    assert payment.paid_at == LATER
    assert payment.pull_events() == [PaymentSettled(at=LATER, payment_id=payment.id, user_id=payment.user_id)]
    assert not payment.pull_events()


@pytest.mark.parametrize("state", PaymentStatus)
def test_only_a_pending_payment_is_tried_again(state: PaymentStatus) -> None:
    payment = a_payment(status=state)

    if state is PaymentStatus.PENDING:
        assert tried(payment) is payment.newest_attempt
        return
    with pytest.raises(IllegalTransition):
        tried(payment)
    assert not payment.attempts


def test_a_payment_without_provider_is_never_tried_at_one() -> None:
    with pytest.raises(IllegalTransition):
        tried(a_payment(provider=None))


def test_each_attempt_has_a_reference_of_its_own_that_follows_from_its_id() -> None:
    payment, first, second = a_payment(), new_id(), new_id()

    references = {tried(payment, each).merchant_reference for each in (first, second)}

    assert references == {f"pa_{first.hex}", f"pa_{second.hex}"}
    assert payment.attempt(second) is payment.newest_attempt


def opened(attempt: PaymentAttempt) -> None:
    attempt.opened(
        provider_reference="1",
        provider_key="k",
        checkout_url="https://provider.example/1",
        reference_number=None,
        qr_code=None,
        expires_at=None,
        at=LATER,
    )


def unknown(attempt: PaymentAttempt) -> None:
    attempt.unknown(error_code="provider_outcome_unknown", at=LATER)


def failed(attempt: PaymentAttempt) -> None:
    attempt.failed(error_code="provider_refused", at=LATER)


ATTEMPT_VERBS: dict[Callable[[PaymentAttempt], None], AttemptStatus] = {
    opened: AttemptStatus.OPEN,
    unknown: AttemptStatus.UNKNOWN,
    failed: AttemptStatus.FAILED,
}


@pytest.mark.parametrize(("state", "verb"), list(product(AttemptStatus, ATTEMPT_VERBS)))
def test_every_verb_of_an_attempt_in_every_state(state: AttemptStatus, verb: Callable[[PaymentAttempt], None]) -> None:
    attempt, target = an_attempt(status=state), ATTEMPT_VERBS[verb]

    if target in ATTEMPT_NEXT[state]:
        verb(attempt)
        assert (attempt.status, attempt.updated_at) == (target, LATER)
        return
    with pytest.raises(IllegalTransition):
        verb(attempt)
    assert (attempt.status, attempt.provider_reference, attempt.error_code) == (state, None, None)


@pytest.mark.parametrize("state", AttemptStatus)
def test_money_is_counted_whatever_the_attempt_seemed_to_be(state: AttemptStatus) -> None:
    attempt = an_attempt(status=state)

    attempt.received(at=LATER)
    attempt.received(at=LATER)

    assert (attempt.status, attempt.receipts_count) == (AttemptStatus.PAID, 2)


@pytest.mark.parametrize("state", AttemptStatus)
def test_a_checkout_that_is_over_is_given_up_unless_that_is_decided(state: AttemptStatus) -> None:
    attempt = an_attempt(status=state)

    attempt.give_up(at=LATER)

    waited = state in (AttemptStatus.OPEN, AttemptStatus.UNKNOWN)
    assert attempt.status is (AttemptStatus.FAILED if waited else state)


@pytest.mark.parametrize("state", AttemptStatus)
def test_a_checkout_that_is_still_open_is_no_longer_unknown(state: AttemptStatus) -> None:
    attempt = an_attempt(status=state)

    attempt.still_open(at=LATER)

    is_asked_about = state in (AttemptStatus.OPEN, AttemptStatus.UNKNOWN)
    assert attempt.status is (AttemptStatus.OPEN if is_asked_about else state)
    assert attempt.updated_at == (LATER if is_asked_about else NOON)


@pytest.mark.parametrize("state", AttemptStatus)
def test_a_customer_is_sent_only_to_an_open_checkout_whose_time_is_not_over(state: AttemptStatus) -> None:
    attempt = an_attempt(status=state, expires_at=NOON)

    assert attempt.is_open_at(NOON - timedelta(seconds=1)) == (state is AttemptStatus.OPEN)
    assert not attempt.is_open_at(NOON)


# What is owed is 1000.00 EGP. Test money is doubted before anything else; then what was paid before. Columns: the
# charge, the payment's state, whether the payable accepts, whether own parts are there, whether it is live as expected.
DOUBTS = [
    ("1000.00", "EGP", PaymentStatus.PENDING, True, True, True, None),
    ("1000.00", "EGP", PaymentStatus.PENDING, True, True, False, SuspenseReason.MODE),
    ("999.99", "EGP", PaymentStatus.PENDING, True, True, True, SuspenseReason.SHORT),
    ("1000.01", "EGP", PaymentStatus.PENDING, True, True, True, SuspenseReason.OVER),
    ("1000.00", "USD", PaymentStatus.PENDING, True, True, True, SuspenseReason.CURRENCY),
    ("1000.000", "KWD", PaymentStatus.PENDING, True, True, True, SuspenseReason.CURRENCY),
    ("1000.00", "EGP", PaymentStatus.PAID, True, True, True, SuspenseReason.TWICE),
    ("1000.00", "EGP", PaymentStatus.PAID, False, False, True, SuspenseReason.TWICE),
    ("1000.00", "EGP", PaymentStatus.PENDING, False, True, True, SuspenseReason.LATE),
    ("1000.00", "EGP", PaymentStatus.PENDING, True, False, True, SuspenseReason.INCOMPLETE),
    ("1000.00", "EGP", PaymentStatus.CANCELLED, True, True, True, SuspenseReason.LATE),
    ("1000.00", "EGP", PaymentStatus.CANCELLED, False, False, True, SuspenseReason.LATE),
    ("1000.00", "EGP", PaymentStatus.FAILED, True, True, True, SuspenseReason.LATE),
    ("1000.00", "EGP", PaymentStatus.REFUNDED, True, True, True, SuspenseReason.TWICE),
    ("1000.00", "EGP", PaymentStatus.PARTIALLY_REFUNDED, True, True, True, SuspenseReason.TWICE),
]


@pytest.mark.parametrize(("amount", "code", "status", "accepts", "own_parts", "live", "reason"), DOUBTS)
def test_why_money_is_doubted(
    amount: str,
    code: str,
    status: PaymentStatus,
    accepts: bool,
    own_parts: bool,
    live: bool,
    reason: SuspenseReason | None,
) -> None:
    payment, charge = a_payment(amount=egp("1000.00"), status=status), Money.parse(amount, code)

    doubt = payment.doubt(charge, payable_accepts=accepts, own_parts_there=own_parts, live_as_expected=live)

    assert doubt is reason


def test_the_table_above_has_every_reason() -> None:
    assert {row[-1] for row in DOUBTS} == {None, *SuspenseReason}


@pytest.mark.parametrize(
    ("status", "accepts", "own_parts", "live", "charge"),
    list(
        product(
            PaymentStatus,
            (True, False),
            (True, False),
            (True, False),
            (egp("999.99"), egp("1000.00"), Money.of(100_000, "USD")),
        )
    ),
)
def test_nothing_but_the_exact_live_amount_in_time_is_undoubted(
    status: PaymentStatus, accepts: bool, own_parts: bool, live: bool, charge: Money
) -> None:
    payment = a_payment(amount=egp("1000.00"), status=status)
    exactly = status is PaymentStatus.PENDING and accepts and own_parts and live and charge == egp("1000.00")

    doubt = payment.doubt(charge, payable_accepts=accepts, own_parts_there=own_parts, live_as_expected=live)

    assert (doubt is None) == exactly


def test_a_provider_is_asked_for_what_own_balances_do_not_pay() -> None:
    payment = a_payment(amount=egp("1000.00"))
    payment.tenders = [
        a_tender(egp("300.00"), kind=TenderKind.WALLET, status=TenderStatus.PLANNED),
        a_tender(egp("700.00"), status=TenderStatus.PLANNED),
    ]

    assert payment.asked_of_provider == egp("700.00")
    assert payment.doubt(egp("700.00"), payable_accepts=True, own_parts_there=True, live_as_expected=True) is None
    whole = payment.doubt(egp("1000.00"), payable_accepts=True, own_parts_there=True, live_as_expected=True)
    assert whole is SuspenseReason.OVER


@pytest.mark.parametrize(
    ("back", "status"),
    [
        ("1.00", PaymentStatus.PARTIALLY_REFUNDED),
        ("1000.00", PaymentStatus.REFUNDED),
    ],
)
def test_a_payment_follows_what_goes_back_and_what_comes_back_again(back: str, status: PaymentStatus) -> None:
    payment = a_payment(amount=egp("1000.00"), status=PaymentStatus.PAID)

    payment.give_back(egp(back), at=LATER)
    assert (payment.status, payment.refund_amount) == (status, egp(back))

    payment.take_back(egp(back), at=LATER)
    assert (payment.status, payment.refund_amount) == (PaymentStatus.PAID, egp("0.00"))


def test_money_in_suspense_is_remembered() -> None:
    payment = a_payment()
    receipt = Receipt(
        id=new_id(),
        attempt_id=UUID(int=1),
        position=0,
        amount=egp("1.00"),
        disposition=Disposition.SUSPENSE,
        reason=SuspenseReason.SHORT,
        journal_id=UUID(int=2),
        received_at=NOON,
    )

    payment.suspend(receipt, SuspenseReason.SHORT)

    assert payment.pull_events() == [
        MoneySuspended(at=NOON, payment_id=payment.id, receipt_id=receipt.id, reason="SHORT")
    ]
    assert payment.status is PaymentStatus.PENDING
