"""Settlement: paid once is confirmed once, and every other money is kept safe and seen (P5, P6, P9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from application.billing.payments import PartPaymentNotOffered, PaymentKeyReused
from application.billing.ports import (
    BadSignature,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    Reading,
    ReadingStatus,
)
from application.billing.webhooks import (
    TOLD_TO_STAFF_AFTER,
    ReceiveWebhook,
    Reception,
    process_webhook,
    receive_webhook,
)
from application.sales.expiry import GRACE, expire_bookings
from domain.billing.payments import PaymentMethod, PaymentType
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import InsufficientBalance
from domain.membership.memberships import AlreadySubscribed
from domain.sales.booking_errors import BookingNotFound, NothingToPay
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.fakes.scripted_gateway import SIGNATURE
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises

CLEARING = accounts.clearing("SCRIPTED", "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
PRICE = 100_000
TOO_LATE = HOLD_FOR + GRACE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def expire(shop: Shop, clock: Any) -> None:
    """The time to pay is over, and the sweep has been."""
    clock.offset += TOO_LATE
    assert sweep(shop) == 1


# Paid as it should be ---------------------------------------------------------------------------------


def test_a_paid_booking_is_confirmed_with_balanced_journals_points_and_a_receipt(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"

    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)

    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"], row["paid_amount_minor"]) == ("CONFIRMED", "PAID", PRICE)
    assert (row["hold_status"], row["seats_taken"]) == ("CAPTURED", 1)
    assert shop.status_of(payment_id) == "PAID"
    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]
    assert [shop.balance(account) for account in (CLEARING, PREPAID, SUSPENSE)] == [-PRICE, PRICE, 0]
    assert shop.balance(accounts.points(customer)) == 100
    assert shop.row("SELECT points FROM points_lots WHERE user_id = %s", customer)["points"] == 100
    assert shop.attention() == []


def test_what_happened_is_told_once(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)

    for _ in range(3):
        shop.look(payment_id)

    told = [row["name"] for row in shop.database.rows("SELECT name FROM outbox_events ORDER BY id")]
    assert sorted(name for name in told if not name.startswith(("identity.", "catalogue."))) == [
        "billing.payment_settled",
        "ledger.points_earned",
        "sales.booking_confirmed",
        "sales.booking_placed",
    ]


def test_the_same_reading_20_times_at_once_is_one_credit(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)

    results = all_at_once([lambda: shop.look(payment_id)] * 20)

    assert results == [None] * 20
    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]
    assert shop.balance(CLEARING) == -PRICE
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_an_unpaid_reading_changes_nothing(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)

    shop.look(payment_id)

    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert shop.status_of(payment_id) == "PENDING"
    assert shop.balance(CLEARING) == 0


# Money that confirms nothing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charge", "reason"),
    [
        (egp("999.99"), "SHORT"),
        (egp("0.01"), "SHORT"),
        (egp("1000.01"), "OVER"),
        (egp("2000.00"), "OVER"),
        (Money.of(PRICE, "USD"), "CURRENCY"),
        (Money.of(PRICE, "KWD"), "CURRENCY"),
    ],
    ids=str,
)
def test_money_that_does_not_fit_is_kept_in_suspense_and_flagged(
    shop: Shop, customer: UUID, charge: Money, reason: str
) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, charge)

    for _ in range(2):
        shop.look(payment_id)

    unit = charge.currency.code
    assert shop.receipts(payment_id) == [(charge.minor, unit, "SUSPENSE", reason)]
    assert shop.balance(accounts.platform(AccountKind.SUSPENSE, unit)) == charge.minor
    assert shop.balance(PREPAID) == 0
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert shop.balance(accounts.points(customer)) == 0
    assert shop.attention() == [f"SUSPENSE_{reason}"]


def test_test_money_at_a_live_shop_confirms_nothing(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.gateway.live = not shop.use.live

    shop.look(payment_id)

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SUSPENSE", "MODE")]
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert shop.attention() == ["SUSPENSE_MODE"]


def test_a_second_charge_is_kept_beside_the_confirmed_booking(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount, booking.final_amount)

    shop.look(payment_id)

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None), (PRICE, "EGP", "SUSPENSE", "TWICE")]
    assert [shop.balance(account) for account in (CLEARING, PREPAID, SUSPENSE)] == [-2 * PRICE, PRICE, PRICE]
    assert shop.booking(booking.id)["status"] == "CONFIRMED"
    assert shop.attention() == ["SUSPENSE_TWICE"]


def test_what_was_short_may_be_paid_in_full_afterwards(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, egp("1.00"), booking.final_amount)

    shop.look(payment_id)

    assert [receipt[2] for receipt in shop.receipts(payment_id)] == ["SUSPENSE", "SETTLED"]
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_money_that_comes_after_the_seats_were_given_back_is_late(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    expire(shop, clock)
    assert shop.status_of(payment_id) == "CANCELLED"

    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)

    row = shop.booking(booking.id)
    assert (row["status"], row["paid_amount_minor"], row["seats_taken"]) == ("CANCELLED", 0, 0)
    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SUSPENSE", "LATE")]
    assert shop.balance(SUSPENSE) == PRICE
    assert shop.attention() == ["SUSPENSE_LATE"]


def test_money_within_the_grace_still_confirms(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    clock.offset += HOLD_FOR + GRACE - timedelta(seconds=5)

    assert sweep(shop) == 0
    shop.look(payment_id)

    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_two_checkouts_of_one_booking_both_paid_confirm_it_once(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    first = shop.pay(customer, booking.id)
    second = shop.pay(customer, booking.id, method=PaymentMethod.FAWRY)
    assert first != second
    shop.charge(first, booking.final_amount)
    shop.charge(second, booking.final_amount)

    assert all_at_once([lambda: shop.look(first), lambda: shop.look(second)] * 3) == [None] * 6

    receipts = shop.receipts(first) + shop.receipts(second)
    assert sorted((disposition, reason) for _, _, disposition, reason in receipts) == [
        ("SETTLED", None),
        ("SUSPENSE", "LATE"),
    ]
    assert [shop.balance(account) for account in (PREPAID, SUSPENSE)] == [PRICE, PRICE]


# Any order, any number --------------------------------------------------------------------------------


def test_every_order_of_failed_paid_paid_again_and_twice_ends_in_the_same_books(shop: Shop) -> None:
    """Each reading is as old as it was when the provider gave it; the newest tells of two charges."""
    departure, outcomes = shop.a_departure(), set()
    for order in set(permutations(["failed", "paid", "paid", "twice"])):
        customer = shop.a_customer()
        booking = shop.book(customer, departure)
        payment_id = shop.pay(customer, booking.id)
        readings = {
            "failed": _reading(ReadingStatus.FAILED),
            "paid": _reading(ReadingStatus.PAID, booking.final_amount),
            "twice": _reading(ReadingStatus.PAID, booking.final_amount, booking.final_amount),
        }

        for event in order:
            shop.settle(payment_id, readings[event])

        outcomes.add(
            (
                shop.booking(booking.id)["status"],
                shop.status_of(payment_id),
                shop.row("SELECT status FROM payment_attempts WHERE payment_id = %s", payment_id)["status"],
                tuple(shop.receipts(payment_id)),
                shop.balance(accounts.points(customer)),
            )
        )

    assert outcomes == {
        ("CONFIRMED", "PAID", "PAID", ((PRICE, "EGP", "SETTLED", None), (PRICE, "EGP", "SUSPENSE", "TWICE")), 100)
    }


def _reading(status: ReadingStatus, *paid: Money) -> Reading:
    return Reading(status, "", "", paid, live=False)


def test_every_order_at_once_ends_in_the_same_books(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    price = booking.final_amount
    readings = [
        _reading(ReadingStatus.FAILED),
        _reading(ReadingStatus.PAID, price),
        _reading(ReadingStatus.PAID, price, price),
        _reading(ReadingStatus.OPEN),
    ]

    assert all_at_once([lambda r=r: shop.settle(payment_id, r) for r in readings * 3]) == [None] * 12  # type: ignore[misc]

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None), (PRICE, "EGP", "SUSPENSE", "TWICE")]


def test_a_booking_is_either_confirmed_or_expired_with_its_money_in_suspense(shop: Shop, clock: Any) -> None:
    """The sweep and the settlement of the same bookings, at the same time."""
    departure = shop.a_departure(seats=8)
    bookings = [shop.book(shop.a_customer(), departure) for _ in range(8)]
    payments = [shop.pay(booking.user_id, booking.id) for booking in bookings]
    for payment_id, booking in zip(payments, bookings, strict=True):
        shop.charge(payment_id, booking.final_amount)
    clock.offset += TOO_LATE

    works: list[Any] = [lambda: sweep(shop)] * 3
    works += [lambda p=payment_id: shop.look(p) for payment_id in payments]
    results = all_at_once(works)

    assert not [result for result in results if isinstance(result, BaseException)]
    confirmed = 0
    for payment_id, booking in zip(payments, bookings, strict=True):
        row, [(_, _, disposition, reason)] = shop.booking(booking.id), shop.receipts(payment_id)
        assert (row["status"], disposition, reason) in {
            ("CONFIRMED", "SETTLED", None),
            ("CANCELLED", "SUSPENSE", "LATE"),
        }
        confirmed += row["status"] == "CONFIRMED"
    assert shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == confirmed
    assert (shop.balance(PREPAID), shop.balance(SUSPENSE)) == (confirmed * PRICE, (8 - confirmed) * PRICE)


# Providers that do not answer -------------------------------------------------------------------------


def test_a_lost_answer_is_neither_failed_nor_tried_again(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    shop.gateway.answers, shop.gateway.loses_answers = [OutcomeUnknown()], True

    payment_id = shop.pay(customer, booking.id, key="k")
    assert shop.pay(customer, booking.id, key="k") == payment_id

    assert shop.gateway.created == 1
    row = shop.row("SELECT status, error_code FROM payment_attempts WHERE payment_id = %s", payment_id)
    assert (row["status"], row["error_code"]) == ("UNKNOWN", "provider_outcome_unknown")
    assert shop.status_of(payment_id) == "PENDING"


def test_a_webhook_finds_the_attempt_whose_answer_was_lost_and_the_provider_proves_it(
    shop: Shop, customer: UUID
) -> None:
    booking = shop.book(customer)
    shop.gateway.answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    payment_id = shop.pay(customer, booking.id)
    attempt = shop.attempt_of(payment_id)
    [reference] = shop.gateway.books
    shop.gateway.books[reference].charges.append(booking.final_amount)

    tell(shop, reference, merchant_reference=attempt.merchant_reference)

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]
    assert shop.attempt_of(payment_id).provider_reference == reference


def test_money_that_the_provider_took_for_somebody_else_settles_nothing_of_ours(shop: Shop, customer: UUID) -> None:
    """What a webhook says of whose money it is proves nothing: the provider has to name our reference."""
    paid_elsewhere = shop.book(customer)
    shop.charge(shop.pay(customer, paid_elsewhere.id), paid_elsewhere.final_amount)
    shop.gateway.books["sc_elsewhere"] = shop.gateway.books.popitem()[1]
    booking = shop.book(customer)
    shop.gateway.answers = [OutcomeUnknown()]
    payment_id = shop.pay(customer, booking.id)

    tell(shop, "sc_elsewhere", merchant_reference=shop.attempt_of(payment_id).merchant_reference)

    assert shop.receipts(payment_id) == []
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert sorted(shop.attention()) == ["OUTCOME_UNKNOWN", "UNKNOWN_REFERENCE"]


@pytest.mark.parametrize("refusal", [ProviderRefused, ProviderUnreachable])
def test_after_a_refusal_the_payment_may_be_tried_again(shop: Shop, customer: UUID, refusal: type[Exception]) -> None:
    booking = shop.book(customer)
    shop.gateway.answers = [refusal()]

    with pytest.raises(refusal):
        shop.pay(customer, booking.id, key="k")
    payment_id = shop.pay(customer, booking.id, key="k")

    statuses = shop.database.rows(
        "SELECT status FROM payment_attempts WHERE payment_id = %s ORDER BY id", (payment_id,)
    )
    assert [row["status"] for row in statuses] == ["FAILED", "OPEN"]
    assert shop.row("SELECT count(*) AS count FROM payments")["count"] == 1


def test_an_open_checkout_of_the_same_purchase_is_used_again(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)

    assert shop.pay(customer, booking.id) == shop.pay(customer, booking.id)

    assert shop.gateway.created == 1


def test_the_reconciler_finds_what_no_webhook_told(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    clock.offset += timedelta(minutes=2)

    done = shop.reconcile()

    assert (done.asked, done.unanswered) == (1, 0)
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_the_reconciler_asks_about_every_open_attempt_in_turn(shop: Shop, customer: UUID, clock: Any) -> None:
    """However many stay unpaid, those behind them are not forgotten."""
    departure = shop.a_departure()
    unpaid = [shop.pay(customer, shop.book(customer, departure).id) for _ in range(3)]
    clock.offset += timedelta(seconds=1)
    booking = shop.book(customer, departure)
    shop.charge(shop.pay(customer, booking.id), booking.final_amount)

    for _ in unpaid:
        clock.offset += timedelta(minutes=2)
        shop.reconcile(limit=2)

    assert shop.booking(booking.id)["status"] == "CONFIRMED"


# Webhooks ---------------------------------------------------------------------------------------------


def receive(shop: Shop, reference: str, *, event: str = "e1", headers: dict[str, str] = SIGNATURE, **more: str) -> bool:
    said = {"event": event, "type": "paid", "reference": reference, **more}
    command = ReceiveWebhook(provider="scripted", body=json.dumps(said).encode(), headers=headers, address="192.0.2.1")
    use = shop.use
    received = receive_webhook(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)
    return received is Reception.ACCEPTED


def tell(shop: Shop, reference: str, *, event: str = "e1", **more: str) -> None:
    """The provider's webhook arrives, and is looked into."""
    receive(shop, reference, event=event, **more)
    use = shop.use
    for row in shop.database.rows("SELECT id FROM payment_webhook_logs WHERE status = 'RECEIVED'"):
        process_webhook(
            row["id"], new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live
        )


def test_a_webhook_is_believed_only_as_far_as_the_provider_repeats_it(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    reference = shop.attempt_of(payment_id).provider_reference

    tell(shop, reference, event="forged")
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert shop.receipts(payment_id) == []

    shop.charge(payment_id, booking.final_amount)
    tell(shop, reference, event="genuine")
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_an_event_that_came_before_its_money_does_not_silence_the_same_event_with_it(
    shop: Shop, customer: UUID
) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    reference = shop.attempt_of(payment_id).provider_reference
    tell(shop, reference)

    shop.charge(payment_id, booking.final_amount)
    tell(shop, reference)

    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_the_same_webhook_50_times_at_once_is_stored_once_and_credited_once(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    reference = shop.attempt_of(payment_id).provider_reference
    shop.charge(payment_id, booking.final_amount)

    stored = all_at_once([lambda: receive(shop, reference)] * 50)
    tell(shop, reference)

    assert sorted(map(str, stored)) == ["False"] * 49 + ["True"]
    assert shop.row("SELECT count(*) AS count FROM payment_webhook_logs")["count"] == 1
    assert shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = 'billing.webhook_received'")["count"] == 1
    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]


def test_a_replayed_webhook_of_a_settled_payment_is_a_duplicate(shop: Shop, customer: UUID) -> None:
    booking = shop.a_paid_booking(customer)
    payment_id = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    reference = shop.attempt_of(payment_id).provider_reference
    tell(shop, reference)

    assert not receive(shop, reference)


def test_an_unsigned_webhook_is_not_even_stored(shop: Shop) -> None:
    with pytest.raises(BadSignature):
        receive(shop, "sc_1", headers={})

    assert shop.row("SELECT count(*) AS count FROM payment_webhook_logs")["count"] == 0


def test_a_webhook_about_nothing_of_ours_is_flagged_once_it_is_no_longer_early(shop: Shop, clock: Any) -> None:
    tell(shop, "sc_nobodys")
    assert shop.attention() == []

    clock.offset += TOLD_TO_STAFF_AFTER
    shop.reconcile()

    assert shop.attention() == ["UNKNOWN_REFERENCE"]


# The wallet -------------------------------------------------------------------------------------------


def test_a_booking_is_paid_from_the_wallet_at_once(shop: Shop, customer: UUID) -> None:
    shop.fill_wallet(customer, egp("1500.00"))
    booking = shop.book(customer)

    payment_id = shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    assert shop.status_of(payment_id) == "PAID"
    assert shop.booking(booking.id)["status"] == "CONFIRMED"
    assert shop.balance(accounts.wallet(customer, "EGP")) == 50_000
    assert shop.balance(PREPAID) == PRICE
    assert shop.balance(accounts.points(customer)) == 100
    assert shop.gateway.created == 0


def test_a_wallet_that_holds_too_little_pays_nothing(shop: Shop, customer: UUID) -> None:
    shop.fill_wallet(customer, egp("999.99"))
    booking = shop.book(customer)

    with pytest.raises(InsufficientBalance):
        shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    assert shop.balance(accounts.wallet(customer, "EGP")) == 99_999
    assert shop.booking(booking.id)["status"] == "PENDING_PAYMENT"
    assert shop.row("SELECT count(*) AS count FROM payments")["count"] == 0


def test_two_keys_at_once_pay_a_booking_from_the_wallet_once(shop: Shop, customer: UUID) -> None:
    shop.fill_wallet(customer)
    booking = shop.book(customer)

    results = all_at_once([lambda: shop.pay(customer, booking.id, method=PaymentMethod.WALLET)] * 4)

    assert [type(result) for result in results].count(NothingToPay) == 3
    assert shop.balance(accounts.wallet(customer, "EGP")) == 500_000 - PRICE
    assert shop.row("SELECT count(*) AS count FROM payments")["count"] == 1


def test_one_wallet_pays_only_as_many_bookings_at_once_as_it_has_money_for(shop: Shop, customer: UUID) -> None:
    # Their account of points is there: who waits while it is opened may meet a deadlock, which a request runs again.
    shop.a_paid_booking(customer)
    shop.fill_wallet(customer, egp("2500.00"))
    departure = shop.a_departure()
    bookings = [shop.book(customer, departure) for _ in range(5)]

    results = all_at_once(
        [lambda b=b: shop.pay(customer, b.id, method=PaymentMethod.WALLET) for b in bookings]  # type: ignore[misc]
    )

    assert [type(result) for result in results].count(InsufficientBalance) == 3
    assert shop.balance(accounts.wallet(customer, "EGP")) == 50_000


def test_the_same_key_pays_from_the_wallet_once(shop: Shop, customer: UUID) -> None:
    shop.fill_wallet(customer)
    booking = shop.book(customer)

    once = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, key="k")
    again = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, key="k")

    assert once == again
    assert shop.balance(accounts.wallet(customer, "EGP")) == 500_000 - PRICE


def test_a_deposit_fills_the_wallet_once(shop: Shop, customer: UUID) -> None:
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("250.00"))
    shop.charge(payment_id, egp("250.00"))

    results = all_at_once([lambda: shop.look(payment_id)] * 8)

    assert results == [None] * 8
    assert shop.balance(accounts.wallet(customer, "EGP")) == 25_000
    assert shop.receipts(payment_id) == [(25_000, "EGP", "SETTLED", None)]


def test_of_two_readings_of_a_deposit_the_second_waits_and_finds_it_booked(
    shop: Shop, customer: UUID, addresses: DatabaseAddresses
) -> None:
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("250.00"))
    reference = shop.attempt_of(payment_id).provider_reference
    reading = Reading(ReadingStatus.PAID, reference, "", (egp("250.00"),), shop.use.live)

    def settle() -> None:
        shop.settle(payment_id, reading)

    assert one_behind_the_other(settle, settle, database=shop.database, addresses=addresses) is None
    assert shop.balance(accounts.wallet(customer, "EGP")) == 25_000
    assert shop.receipts(payment_id) == [(25_000, "EGP", "SETTLED", None)]


def test_a_deposit_of_another_amount_does_not_reach_the_wallet(shop: Shop, customer: UUID) -> None:
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("250.00"))
    shop.charge(payment_id, egp("2500.00"))

    shop.look(payment_id)

    assert shop.balance(accounts.wallet(customer, "EGP")) == 0
    assert shop.attention() == ["SUSPENSE_OVER"]


# Who may pay what -------------------------------------------------------------------------------------


def test_a_strangers_booking_is_not_found(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)

    with pytest.raises(BookingNotFound):
        shop.pay(shop.a_customer(), booking.id)


def test_the_amount_is_ours_to_say(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)

    with pytest.raises(PartPaymentNotOffered):
        shop.pay(customer, booking.id, amount=egp("1.00"))


def test_a_key_pays_for_one_thing(shop: Shop, customer: UUID) -> None:
    shop.pay(customer, shop.book(customer).id, key="k")

    with pytest.raises(PaymentKeyReused):
        shop.pay(customer, shop.book(customer).id, key="k")


@pytest.mark.parametrize(
    "change",
    [{"amount": egp("20.00")}, {"method": PaymentMethod.FAWRY}, {"amount": Money.of(1000, "USD")}],
    ids=["amount", "method", "currency"],
)
def test_a_key_pays_in_one_way(shop: Shop, customer: UUID, change: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"kind": PaymentType.WALLET_DEPOSIT, "amount": egp("10.00"), "key": "k"}
    shop.pay(customer, None, **asked)

    with pytest.raises(PaymentKeyReused):
        shop.pay(customer, None, **{**asked, **change})


def test_after_its_time_a_booking_cannot_be_paid_for(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    clock.offset += HOLD_FOR

    with pytest.raises(NothingToPay):
        shop.pay(customer, booking.id)

    assert shop.gateway.created == 0


# Memberships ------------------------------------------------------------------------------------------


def become_a_member(shop: Shop, customer: UUID, plan: str = "GOLD") -> UUID:
    subscription = shop.subscribe(customer, plan)
    payment_id = shop.pay(customer, subscription, kind=PaymentType.MEMBERSHIP_PURCHASE)
    price = shop.row("SELECT amount_minor, currency FROM payments WHERE id = %s", payment_id)
    shop.charge(payment_id, Money.of(price["amount_minor"], price["currency"]))
    shop.look(payment_id)
    return payment_id


def test_a_paid_membership_is_active_and_its_rates_are_frozen_into_later_bookings(
    shop: Shop, customer: UUID, addresses: DatabaseAddresses
) -> None:
    departure, before = shop.a_departure(), shop.book(customer)
    become_a_member(shop, customer)
    plan = shop.row("SELECT * FROM membership_plans WHERE tier_code = 'GOLD'")
    booking = shop.book(customer, departure)
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE membership_plans SET cashback_rate = 99, points_multiplier = 9")

    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    shop.travel(booking.id, shop.a_customer())

    assert before.rewards.tier_code == "GUEST"
    assert booking.rewards.tier_code == "GOLD"
    promised = int(PRICE * plan["cashback_rate"] / 100)
    assert promised > 0
    assert shop.balance(accounts.cashback(customer, "EGP")) == promised
    assert shop.balance(accounts.points(customer)) == int(100 * plan["points_multiplier"])


def test_money_for_a_second_membership_is_kept_in_suspense(shop: Shop, customer: UUID) -> None:
    """Two subscriptions may be asked for; only the first that is paid can become active."""
    first, second = shop.subscribe(customer, "GOLD"), shop.subscribe(customer, "SILVER")
    payments = [shop.pay(customer, each, kind=PaymentType.MEMBERSHIP_PURCHASE) for each in (first, second)]
    for payment_id in payments:
        price = shop.row("SELECT amount_minor, currency FROM payments WHERE id = %s", payment_id)
        shop.charge(payment_id, Money.of(price["amount_minor"], price["currency"]))

    for payment_id in payments:
        shop.look(payment_id)

    assert [receipt[2:] for receipt in shop.receipts(payments[0])] == [("SETTLED", None)]
    assert [receipt[2:] for receipt in shop.receipts(payments[1])] == [("SUSPENSE", "LATE")]
    assert shop.attention() == ["SUSPENSE_LATE"]


def test_who_is_a_member_asks_for_no_second_membership(shop: Shop, customer: UUID) -> None:
    become_a_member(shop, customer)

    with pytest.raises(AlreadySubscribed):
        shop.subscribe(customer, "SILVER")


# The trip is over -------------------------------------------------------------------------------------


def test_completing_twice_earns_and_promises_once(shop: Shop, customer: UUID) -> None:
    become_a_member(shop, customer)
    booking, staff = shop.a_paid_booking(customer), shop.a_customer()
    shop.start(booking.id, staff)

    results = all_at_once([lambda: shop.complete(booking.id, staff)] * 4)

    assert [type(result) for result in results].count(IllegalTransition) == 3
    assert (shop.balance(PREPAID), shop.balance(REVENUE)) == (0, PRICE)
    [promised] = shop.database.rows("SELECT status, cashback_amount_minor FROM cashback_records")
    assert promised["status"] == "PENDING"
    assert shop.balance(accounts.cashback(customer, "EGP")) == promised["cashback_amount_minor"] > 0
    assert shop.balance(accounts.wallet(customer, "EGP")) == 0


def test_guests_are_promised_no_cashback(shop: Shop, customer: UUID) -> None:
    booking = shop.a_paid_booking(customer)

    shop.travel(booking.id, shop.a_customer())

    assert shop.row("SELECT count(*) AS count FROM cashback_records")["count"] == 0
    assert shop.balance(REVENUE) == PRICE


def test_every_step_is_in_the_history_and_what_staff_did_in_the_audit_log(shop: Shop, customer: UUID) -> None:
    booking, staff = shop.a_paid_booking(customer), shop.a_customer()

    shop.travel(booking.id, staff)

    steps = shop.database.rows(
        """SELECT from_status, to_status, changed_by_user_id FROM booking_status_history
           WHERE booking_id = %s ORDER BY id""",
        (booking.id,),
    )
    assert [tuple(step.values()) for step in steps] == [
        (None, "PENDING_PAYMENT", customer),
        ("PENDING_PAYMENT", "CONFIRMED", None),
        ("CONFIRMED", "IN_PROGRESS", staff),
        ("IN_PROGRESS", "COMPLETED", staff),
    ]
    audited = shop.database.rows("SELECT action, user_id, changes FROM audit_logs ORDER BY id")
    assert [(row["action"], row["user_id"], row["changes"]["override_reason"]) for row in audited] == [
        ("bookings.start", staff, "a test"),
        ("bookings.complete", staff, "a test"),
    ]
