"""Money in suspense: each action once, whoever asks at the same time; the books are right after every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.billing.deciding import DecideSuspense
from application.billing.suspense import (
    ApplySuspense,
    WriteOff,
    apply_suspense,
    put_into_wallet,
    refund_to_payer,
    write_off,
)
from application.billing.suspense_ports import SuspenseRefund
from application.ports import UnitOfWork
from application.sales.expiry import GRACE, expire_bookings
from domain.billing.payments import PaymentType
from domain.billing.suspense import SuspenseDoesNotFit, SuspenseNotFound, WriteOffTooLarge
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.sales.booking_errors import BookingNotFound, NothingToPay
from domain.shared.errors import IllegalTransition, OwnRequest
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import egp
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises

SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
CLEARING = accounts.clearing("SCRIPTED", "EGP")
ADJUSTMENTS = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
PRICE = 100_000

IN_SUSPENSE = """
SELECT coalesce(sum(amount_minor), 0) AS sum FROM suspense_items
WHERE status <> 'RESOLVED' AND currency = 'EGP'
"""


@pytest.fixture
def staff(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture(autouse=True)
def the_books_are_right_afterwards(shop: Shop, addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []
    assert shop.balance(SUSPENSE) == shop.row(IN_SUSPENSE)["sum"]


def suspend(shop: Shop, customer: UUID, *charges: Money, **paid: Any) -> tuple[UUID, list[UUID]]:
    """A payment of a new booking whose charges lie in suspense; the payment, and the items in order."""
    payment_id = shop.pay(customer, paid.pop("payable", None) or shop.book(customer).id, **paid)
    shop.charge(payment_id, *charges)
    shop.look(payment_id)
    return payment_id, items_of(shop, payment_id)


def items_of(shop: Shop, payment_id: UUID) -> list[UUID]:
    rows = shop.database.rows(
        """SELECT s.receipt_id FROM suspense_items s JOIN payment_receipts r ON r.id = s.receipt_id
           WHERE s.payment_id = %s ORDER BY r.position""",
        (payment_id,),
    )
    return [row["receipt_id"] for row in rows]


def decided(item: UUID, staff: UUID) -> DecideSuspense:
    return DecideSuspense(receipt_id=item, actor_id=staff, reason="they called us")


def into_wallet(shop: Shop, item: UUID, staff: UUID, uow: UnitOfWork | None = None) -> None:
    use = shop.use
    put_into_wallet(decided(item, staff), uow=uow or use.new_uow(), clock=use.clock, new_id=use.new_id)


def applied(shop: Shop, item: UUID, staff: UUID, *others: UUID, payable: Any = None) -> UUID:
    command = ApplySuspense(decision=decided(item, staff), together_with=frozenset(others), payable=payable)
    return apply_suspense(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)


def written_off(shop: Shop, item: UUID, staff: UUID, limit: Money | None = None) -> None:
    command = WriteOff(decision=decided(item, staff), limit=limit)
    write_off(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)


def state(shop: Shop, item: UUID) -> tuple[str, str | None]:
    row = shop.row("SELECT status, resolution FROM suspense_items WHERE receipt_id = %s", item)
    return row["status"], row["resolution"]


def wallet(shop: Shop, customer: UUID, unit: str = "EGP") -> int:
    return shop.balance(accounts.wallet(customer, unit))


# Into the wallet --------------------------------------------------------------------------------------


def test_money_goes_into_the_customers_wallet_once_and_they_are_told(shop: Shop, customer: UUID, staff: UUID) -> None:
    _, [item] = suspend(shop, customer, egp("999.99"))

    results = all_at_once([lambda: into_wallet(shop, item, staff)] * 6)

    assert [type(result) for result in results].count(IllegalTransition) == 5
    assert (wallet(shop, customer), shop.balance(SUSPENSE)) == (99_999, 0)
    assert state(shop, item) == ("RESOLVED", "WALLET")
    [told] = shop.database.rows("SELECT payload FROM outbox_events WHERE name = 'billing.suspense_credited'")
    assert told["payload"]["amount_minor"] == 99_999
    [kept] = shop.database.rows("SELECT action, user_id, changes FROM audit_logs WHERE resource_id = %s", (item,))
    assert (kept["action"], kept["user_id"], kept["changes"]["reason"]) == (
        "payments.resolve", staff, "they called us",
    )  # fmt: skip
    assert shop.attention() == []


def test_money_in_another_currency_goes_into_the_wallet_of_that_currency(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    _, [item] = suspend(shop, customer, Money.of(PRICE, "USD"))

    into_wallet(shop, item, staff)

    assert (wallet(shop, customer, "USD"), wallet(shop, customer)) == (PRICE, 0)


def test_nobody_decides_about_money_of_their_own(shop: Shop, customer: UUID) -> None:
    _, [item] = suspend(shop, customer, egp("1.00"))

    for act in (
        lambda: into_wallet(shop, item, customer),
        lambda: applied(shop, item, customer),
        lambda: written_off(shop, item, customer, egp("1.00")),
    ):
        with pytest.raises(OwnRequest):
            act()

    assert state(shop, item) == ("OPEN", None)


def test_what_dies_before_its_commit_has_done_nothing_and_is_done_afterwards(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    _, [item] = suspend(shop, customer, egp("1.00"))

    with pytest.raises(KeyboardInterrupt):
        into_wallet(shop, item, staff, dying(shop))
    assert (state(shop, item), wallet(shop, customer)) == (("OPEN", None), 0)

    into_wallet(shop, item, staff)
    assert wallet(shop, customer) == 100


def dying(shop: Shop) -> UnitOfWork:
    """A unit of work of a process that is killed when all is written and nothing committed."""

    class Dying(SqlUnitOfWork):
        def commit(self) -> None:
            self.flush()
            raise KeyboardInterrupt

    uow = shop.use.new_uow()
    uow.__class__ = Dying
    return uow


def test_there_is_no_item_of_settled_money(shop: Shop, customer: UUID, staff: UUID) -> None:
    shop.a_paid_booking(customer)
    [receipt] = shop.database.rows("SELECT id FROM payment_receipts")

    with pytest.raises(SuspenseNotFound):
        into_wallet(shop, receipt["id"], staff)


# Applied ----------------------------------------------------------------------------------------------


def test_several_short_payments_settle_together_what_one_alone_does_not(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    payment_id, items = suspend(shop, customer, egp("400.00"), egp("600.00"))

    with pytest.raises(SuspenseDoesNotFit):
        applied(shop, items[0], staff)
    assert applied(shop, items[1], staff, items[0]) == payment_id

    assert [state(shop, item) for item in items] == [("RESOLVED", "APPLIED")] * 2
    assert shop.status_of(payment_id) == "PAID"
    assert [shop.balance(account) for account in (SUSPENSE, PREPAID)] == [0, PRICE]
    assert shop.balance(accounts.points(customer)) == 100
    assert shop.row("SELECT status FROM payment_tenders WHERE payment_id = %s", payment_id)["status"] == "CAPTURED"


def test_of_too_much_what_was_asked_settles_and_the_rest_goes_into_the_wallet(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    payment_id, [item] = suspend(shop, customer, egp("1250.00"))

    results = all_at_once([lambda: applied(shop, item, staff)] * 4)

    assert results.count(payment_id) == 1
    assert [type(result) for result in results].count(IllegalTransition) == 3
    assert shop.status_of(payment_id) == "PAID"
    assert [shop.balance(SUSPENSE), shop.balance(PREPAID), wallet(shop, customer)] == [0, PRICE, 25_000]


def test_a_second_charge_pays_another_booking_that_costs_just_as_much(shop: Shop, customer: UUID, staff: UUID) -> None:
    departure = shop.a_departure()
    _, [item] = suspend(shop, customer, egp("1000.00"), egp("1000.00"), payable=shop.book(customer, departure).id)
    another = shop.book(customer, departure)

    paid = applied(shop, item, staff, payable=(PaymentType.BOOKING, another.id))

    assert shop.booking(another.id)["status"] == "CONFIRMED"
    row = shop.row("SELECT booking_id, status, payment_method FROM payments WHERE id = %s", paid)
    assert tuple(row.values()) == (another.id, "PAID", "WALLET")
    assert [shop.balance(SUSPENSE), shop.balance(PREPAID), wallet(shop, customer)] == [0, 2 * PRICE, 0]


def test_another_thing_takes_no_more_than_it_costs_and_no_strangers_money(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    _, [item] = suspend(shop, customer, egp("1000.01"))
    cheaper, strangers = shop.book(customer), shop.book(shop.a_customer())

    with pytest.raises(SuspenseDoesNotFit):
        applied(shop, item, staff, payable=(PaymentType.BOOKING, cheaper.id))
    with pytest.raises(BookingNotFound):
        applied(shop, item, staff, payable=(PaymentType.BOOKING, strangers.id))

    assert (state(shop, item), wallet(shop, customer)) == (("OPEN", None), 0)


def test_late_money_pays_nothing_whose_seats_were_given_back(
    shop: Shop, customer: UUID, staff: UUID, clock: Any
) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    clock.offset += HOLD_FOR + GRACE * 2
    expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    [item] = items_of(shop, payment_id)

    with pytest.raises(NothingToPay):
        applied(shop, item, staff)

    assert state(shop, item) == ("OPEN", None)
    into_wallet(shop, item, staff)
    assert wallet(shop, customer) == PRICE


def test_money_that_came_twice_pays_the_rest_of_a_booking_on_deposit(shop: Shop, customer: UUID, staff: UUID) -> None:
    booking = shop.book(customer, deposit=Percentage(5_000))
    payment_id, [item] = suspend(shop, customer, egp("500.00"), egp("500.00"), payable=booking.id, amount=egp("500.00"))

    paid = applied(shop, item, staff)

    assert paid != payment_id
    assert shop.booking(booking.id)["payment_status"] == "PAID"
    assert [shop.balance(SUSPENSE), shop.balance(PREPAID), wallet(shop, customer)] == [0, PRICE, 0]


def test_money_pays_the_membership_that_it_was_meant_for(shop: Shop, customer: UUID, staff: UUID) -> None:
    subscription = shop.subscribe(customer)
    payment_id = shop.pay(customer, subscription, kind=PaymentType.MEMBERSHIP_PURCHASE)
    price = shop.row("SELECT amount_minor FROM payments WHERE id = %s", payment_id)["amount_minor"]
    shop.charge(payment_id, Money.of(price - 1, "EGP"), Money.of(1, "EGP"))
    shop.look(payment_id)
    first, second = items_of(shop, payment_id)

    applied(shop, first, staff, second)

    assert shop.row("SELECT status FROM membership_subscriptions WHERE id = %s", subscription)["status"] == "ACTIVE"


def test_too_much_for_a_deposit_is_all_in_the_wallet_afterwards(shop: Shop, customer: UUID, staff: UUID) -> None:
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("250.00"))
    shop.charge(payment_id, egp("300.00"))
    shop.look(payment_id)

    applied(shop, items_of(shop, payment_id)[0], staff)

    assert (shop.status_of(payment_id), wallet(shop, customer)) == ("PAID", 30_000)


def test_items_of_two_payments_or_currencies_do_not_go_together(shop: Shop, customer: UUID, staff: UUID) -> None:
    _, [one, dollars] = suspend(shop, customer, egp("500.00"), Money.of(500, "USD"))
    _, [other] = suspend(shop, customer, egp("500.00"))

    for together in (other, dollars):
        with pytest.raises(SuspenseDoesNotFit):
            applied(shop, one, staff, together)


def test_test_money_pays_nothing(shop: Shop, customer: UUID, staff: UUID) -> None:
    shop.gateway.live = not shop.use.live
    _, [item] = suspend(shop, customer, egp("1000.00"))

    for act in (lambda: into_wallet(shop, item, staff), lambda: applied(shop, item, staff)):
        with pytest.raises(SuspenseDoesNotFit):
            act()


def test_two_decisions_at_once_are_one(shop: Shop, customer: UUID, staff: UUID) -> None:
    payment_id, [item] = suspend(shop, customer, egp("1250.00"))
    acts: list[Callable[[], Any]] = [lambda: into_wallet(shop, item, staff), lambda: applied(shop, item, staff)]

    results = all_at_once(acts * 3)

    assert len([result for result in results if not isinstance(result, IllegalTransition)]) == 1
    was_applied = state(shop, item) == ("RESOLVED", "APPLIED")
    assert wallet(shop, customer) == (25_000 if was_applied else 125_000)
    assert shop.status_of(payment_id) == ("PAID" if was_applied else "PENDING")


def test_a_charge_that_settles_and_a_decision_about_another_at_once(shop: Shop, customer: UUID, staff: UUID) -> None:
    """Whichever is first: the booking is paid once, the other money is the customer's."""
    payment_id, items = suspend(shop, customer, egp("400.00"), egp("600.00"))
    shop.charge(payment_id, egp("1000.00"))

    results = all_at_once([lambda: shop.look(payment_id), lambda: applied(shop, items[0], staff, items[1])])

    assert results[0] is None
    assert isinstance(results[1], SuspenseDoesNotFit | NothingToPay) or results[1] == payment_id
    assert (shop.status_of(payment_id), shop.balance(PREPAID)) == ("PAID", PRICE)
    assert shop.balance(SUSPENSE) == PRICE


# Written off, given back ------------------------------------------------------------------------------


def test_test_money_is_written_off_against_the_account_where_it_never_was(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    shop.gateway.live = not shop.use.live
    _, [item] = suspend(shop, customer, egp("1000.00"))

    written_off(shop, item, staff)

    assert [shop.balance(SUSPENSE), shop.balance(CLEARING)] == [0, 0]
    assert state(shop, item) == ("RESOLVED", "WRITTEN_OFF")


def test_a_little_is_written_off_and_more_is_not(shop: Shop, customer: UUID, staff: UUID) -> None:
    _, [item] = suspend(shop, customer, egp("0.75"))

    for limit in (None, egp("0.74"), Money.of(75, "USD")):
        with pytest.raises(WriteOffTooLarge):
            written_off(shop, item, staff, limit)
    results = all_at_once([lambda: written_off(shop, item, staff, egp("0.75"))] * 3)

    assert [type(result) for result in results].count(IllegalTransition) == 2
    assert [shop.balance(SUSPENSE), shop.balance(ADJUSTMENTS)] == [0, 75]


def test_a_refund_is_asked_for_once_and_the_item_waits_for_it(shop: Shop, customer: UUID, staff: UUID) -> None:
    """Who gives the money back is not built into this: it is handed in, and told what to give back."""
    _, [item] = suspend(shop, customer, egp("999.99"))
    asked: list[SuspenseRefund] = []

    def give_back(refund: SuspenseRefund) -> UUID:
        asked.append(refund)
        return uuid4()

    def refund() -> UUID:
        use = shop.use
        return refund_to_payer(
            decided(item, staff),
            idempotency_key="k",
            uow=use.new_uow(),
            clock=use.clock,
            new_id=use.new_id,
            give_back=give_back,
        )

    results = all_at_once([refund] * 4)

    [refund_id] = [result for result in results if isinstance(result, UUID)]
    [refund_asked] = asked
    assert (refund_asked.receipt_id, refund_asked.amount, refund_asked.actor_id) == (item, egp("999.99"), staff)
    row = shop.row("SELECT status, refund_id FROM suspense_items WHERE receipt_id = %s", item)
    assert tuple(row.values()) == ("REFUNDING", refund_id)
    with pytest.raises(IllegalTransition):
        into_wallet(shop, item, staff)


def test_a_refund_that_cannot_begin_leaves_the_item_open(shop: Shop, customer: UUID, staff: UUID) -> None:
    _, [item] = suspend(shop, customer, egp("999.99"))

    def refuse(_refund: SuspenseRefund) -> UUID:
        raise SuspenseDoesNotFit()

    with pytest.raises(SuspenseDoesNotFit):
        refund_to_payer(
            decided(item, staff),
            idempotency_key="k",
            uow=shop.use.new_uow(),
            clock=shop.use.clock,
            new_id=shop.use.new_id,
            give_back=refuse,
        )

    assert state(shop, item) == ("OPEN", None)


def test_receipts_that_the_release_before_kept_in_suspense_get_their_items(
    shop: Shop, customer: UUID, addresses: DatabaseAddresses
) -> None:
    _, [item] = suspend(shop, customer, egp("999.99"))
    shop.database.rows("DELETE FROM suspense_items RETURNING 1")

    for _ in range(2):
        shop.reconcile()

    assert state(shop, item) == ("OPEN", None)
    assert shop.attention() == ["SUSPENSE_SHORT"]
