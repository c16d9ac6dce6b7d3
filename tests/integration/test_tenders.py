"""Payments in parts: set aside while a provider takes the rest, taken together or not at all (M3, M7, P5, P6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.billing.attention import ActOn, give_up_attempt
from application.billing.checkouts import HELD_BEYOND
from application.billing.ports import OutcomeUnknown, ProviderRefused
from application.billing.settlement import SettleAttempt, settle_attempt
from application.billing.splits import WantedPart
from application.sales.expiry import GRACE
from domain.billing.payments import PaymentMethod, PaymentNotFound, PaymentType
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance, transfer
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import MovableClock
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.tenders import (
    CLEARING,
    DISCOUNTS,
    PREPAID,
    PRICE,
    RICH,
    SPLITS,
    SUSPENSE,
    a_rich_customer,
    asked,
    available,
    balances,
    cancel,
    egp,
    end_holds,
    from_credit,
    from_points,
    from_wallet,
    give_points,
    parts_of,
    pay_card,
    sweep,
)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def worth(parts: tuple[WantedPart, ...]) -> tuple[int, int, int]:
    """What parts take of wallet, voucher credit and points."""
    taken = {part.kind: part.amount.minor if part.amount is not None else part.points or 0 for part in parts}
    return tuple(taken.get(kind, 0) for kind in ("WALLET", "VOUCHER_CREDIT", "POINTS"))  # type: ignore[call-overload,return-value]


def come_to_nothing(
    shop: Shop, customer: UUID, booking_id: UUID, parts: tuple[WantedPart, ...], key: str, end: str
) -> UUID:
    """A payment whose checkout is over without money: by its page, by its provider, by a person."""
    if end == "refused":
        shop.gateway.answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
        with pytest.raises(ProviderRefused):
            shop.pay(customer, booking_id, parts=parts, key=key)
        payment_id: UUID = shop.row("SELECT id FROM payments")["id"]
        return payment_id
    if end == "given up":
        shop.gateway.answers = [OutcomeUnknown(provider="SCRIPTED")]
    payment_id = shop.pay(customer, booking_id, parts=parts, key=key)
    if end == "declined":
        shop.gateway.books[shop.attempt_of(payment_id).provider_reference].is_over = True
        shop.look(payment_id)
        return payment_id
    attempt_id = shop.row("SELECT id FROM payment_attempts")["id"]
    act = ActOn(id=attempt_id, actor_id=shop.a_customer(), reason="seen on the dashboard")
    give_up_attempt(act, uow=shop.use.new_uow(), clock=shop.use.clock)
    return payment_id


class TestPaying:
    @pytest.mark.parametrize("parts", SPLITS.values(), ids=SPLITS)
    def test_parts_are_set_aside_while_the_card_is_open_and_taken_with_it(
        self, shop: Shop, customer: UUID, parts: tuple[WantedPart, ...]
    ) -> None:
        booking = shop.book(customer)
        wallet, credit, points = worth(parts)
        rest = PRICE - wallet - credit - points
        left = (50_000 - wallet, 50_000 - credit, 50_000 - points)

        payment_id = shop.pay(customer, booking.id, parts=parts)

        assert asked(shop, payment_id) == egp(rest)
        assert (available(shop, customer), balances(shop, customer)) == (left, (50_000, 50_000, 50_000))
        assert {hold for kind, *_, hold in parts_of(shop, payment_id) if kind != "GATEWAY"} == {"ACTIVE"}
        assert shop.row("SELECT payment_method FROM payments WHERE id = %s", payment_id)["payment_method"] == "MIXED"

        pay_card(shop, payment_id)
        shop.look(payment_id)

        taken = parts_of(shop, payment_id)
        assert {status for _, _, status, _ in taken} == {"CAPTURED"}
        assert {hold for kind, *_, hold in taken if kind != "GATEWAY"} == {"CAPTURED"}
        assert sum(minor for _, minor, _, _ in taken) == PRICE
        # Points are earned by money alone.
        earned = (PRICE - points) // 1_000
        assert balances(shop, customer) == (left[0], left[1], left[2] + earned)
        assert available(shop, customer) == balances(shop, customer)
        booked = [shop.balance(account) for account in (PREPAID, SUSPENSE, DISCOUNTS)]
        assert booked == [PRICE, 0, -points]
        assert shop.balance(CLEARING) == -50_000 - rest
        row = shop.booking(booking.id)
        assert (row["status"], row["paid_amount_minor"], row["points_paid_amount_minor"]) == (
            "CONFIRMED", PRICE, points,
        )  # fmt: skip

    def test_wallet_and_points_alone_pay_at_once(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=80_000, points=30_000)
        booking = shop.book(customer)

        payment_id = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(20_000),))

        assert parts_of(shop, payment_id) == [
            ("WALLET", 80_000, "CAPTURED", None), ("POINTS", 20_000, "CAPTURED", None),
        ]  # fmt: skip
        assert balances(shop, customer) == (0, 0, 10_000 + 80)
        assert shop.booking(booking.id)["status"] == "CONFIRMED"

    def test_points_alone_pay_at_once_and_earn_nothing(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, points=PRICE + 5)
        booking = shop.book(customer)
        key = new_id().hex

        payment_id = shop.pay(
            customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE + 5),), key=key
        )

        assert parts_of(shop, payment_id) == [("POINTS", PRICE, "CAPTURED", None)]
        assert balances(shop, customer) == (0, 0, 5)
        again = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE + 5),), key=key)
        assert again == payment_id

    def test_points_pay_what_the_other_parts_leave_wherever_they_stand(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=60_000, points=PRICE)
        booking = shop.book(customer)

        payment_id = shop.pay(
            customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE), from_wallet(60_000))
        )

        assert [(kind, minor) for kind, minor, *_ in parts_of(shop, payment_id)] == [
            ("WALLET", 60_000), ("POINTS", 40_000),
        ]  # fmt: skip

    def test_own_balances_that_hold_too_little_pay_nothing(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)

        with pytest.raises(InsufficientBalance):
            shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(20_000),))
        with pytest.raises(InsufficientBalance):
            shop.pay(customer, booking.id, parts=(from_wallet(50_001),))

        assert balances(shop, customer) == available(shop, customer) == (50_000, 50_000, 50_000)
        assert shop.database.rows("SELECT 1 FROM payments") == []

    @pytest.mark.parametrize(
        ("parts", "method", "pointer"),
        [
            ((from_wallet(10), from_wallet(20)), PaymentMethod.CREDIT_CARD, "/tenders"),
            ((from_wallet(10),), PaymentMethod.WALLET, "/tenders"),
            ((from_wallet(PRICE + 1),), PaymentMethod.CREDIT_CARD, "/tenders"),
            ((from_wallet(PRICE),), PaymentMethod.CREDIT_CARD, "/method"),
            ((from_wallet(0),), PaymentMethod.CREDIT_CARD, "/tenders/0/amount"),
            ((from_wallet(10), from_points(0)), PaymentMethod.CREDIT_CARD, "/tenders/1/points"),
            ((from_points(10), from_wallet(PRICE)), PaymentMethod.CREDIT_CARD, "/tenders/0/points"),
        ],
    )
    def test_parts_that_do_not_make_the_amount_are_refused(
        self, shop: Shop, customer: UUID, parts: tuple[WantedPart, ...], method: PaymentMethod, pointer: str
    ) -> None:
        booking = shop.book(customer)

        with pytest.raises(InvalidValue) as refused:
            shop.pay(customer, booking.id, parts=parts, method=method)

        assert [fault.pointer for fault in refused.value.faults] == [pointer]


class TestLettingGo:
    PARTS = (from_wallet(30_000), from_points(20_000))

    @pytest.fixture
    def payment_id(self, shop: Shop, customer: UUID) -> UUID:
        return shop.pay(customer, shop.book(customer).id, parts=self.PARTS)

    def freed(self, shop: Shop, customer: UUID, payment_id: UUID, hold: str = "RELEASED") -> None:
        assert {(status, hold) for _, _, status, hold in parts_of(shop, payment_id)} == {
            ("RELEASED", hold), ("RELEASED", None),
        }  # fmt: skip
        assert available(shop, customer) == balances(shop, customer)

    def test_a_cancelled_payment_frees_its_parts_once(self, shop: Shop, customer: UUID, payment_id: UUID) -> None:
        cancel(shop, payment_id, customer)

        self.freed(shop, customer, payment_id)
        with pytest.raises(IllegalTransition):
            cancel(shop, payment_id, customer)

    def test_nobody_cancels_somebody_elses(self, shop: Shop, payment_id: UUID) -> None:
        with pytest.raises(PaymentNotFound):
            cancel(shop, payment_id, shop.a_customer())

        assert shop.status_of(payment_id) == "PENDING"

    def test_money_for_a_cancelled_payment_is_kept_and_takes_no_part(
        self, shop: Shop, customer: UUID, payment_id: UUID
    ) -> None:
        cancel(shop, payment_id, customer)

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(50_000, "EGP", "SUSPENSE", "LATE")]
        assert balances(shop, customer) == (50_000, 50_000, 50_000)

    def test_a_booking_that_expires_frees_them(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

        assert sweep(shop) == 1

        self.freed(shop, customer, payment_id)

    def test_another_payment_that_settles_frees_them(self, shop: Shop, customer: UUID, payment_id: UUID) -> None:
        booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", payment_id)["booking_id"]
        other = shop.pay(customer, booking_id, parts=(from_credit(10_000),))

        pay_card(shop, other)

        assert shop.status_of(payment_id) == "CANCELLED"
        self.freed(shop, customer, payment_id)

    def test_the_job_frees_what_is_set_aside_for_too_long(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND - timedelta(minutes=1)
        assert end_holds(shop) == 0
        clock.offset += timedelta(minutes=2)

        assert end_holds(shop) == 2

        assert available(shop, customer) == balances(shop, customer)
        assert shop.status_of(payment_id) == "PENDING"

    def test_a_hold_that_ran_out_does_not_matter_while_the_balance_is_there(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND + timedelta(minutes=1)
        assert end_holds(shop) == 2

        pay_card(shop, payment_id)

        assert shop.status_of(payment_id) == "PAID"
        assert balances(shop, customer) == (20_000, 50_000, 30_000 + 80)

    @pytest.mark.parametrize("end", ["declined", "refused", "given up"])
    def test_a_checkout_that_comes_to_nothing_frees_them_at_once(self, shop: Shop, customer: UUID, end: str) -> None:
        booking, parts, key = shop.book(customer), (from_wallet(50_000), from_points(10_000)), new_id().hex
        payment_id = come_to_nothing(shop, customer, booking.id, parts, key, end)

        assert shop.status_of(payment_id) == "PENDING"
        assert available(shop, customer) == (50_000, 50_000, 50_000)
        again = shop.pay(customer, booking.id, parts=parts, key=key)
        assert (again, available(shop, customer)) == (payment_id, (0, 50_000, 40_000))
        pay_card(shop, payment_id)
        shop.look(payment_id)
        assert shop.booking(booking.id)["status"] == "CONFIRMED"
        assert balances(shop, customer)[0] == 0

    def test_what_is_declined_many_times_at_once_is_freed_once(self, shop: Shop, customer: UUID) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_wallet(50_000),))
        shop.gateway.books[shop.attempt_of(payment_id).provider_reference].is_over = True
        assert all_at_once([lambda: shop.look(payment_id)] * 6) == [None] * 6
        assert available(shop, customer)[0] == 50_000

    def test_a_success_after_the_decline_takes_them_if_they_are_there(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        payment_id = come_to_nothing(shop, customer, booking.id, (from_wallet(50_000),), new_id().hex, "declined")
        pay_card(shop, payment_id)
        shop.look(payment_id)
        assert shop.booking(booking.id)["status"] == "CONFIRMED"
        assert (balances(shop, customer)[0], shop.balance(SUSPENSE)) == (0, 0)

    def test_a_late_word_of_the_first_decline_frees_nothing_of_the_second_checkout(
        self, shop: Shop, customer: UUID
    ) -> None:
        booking, parts, key = shop.book(customer), (from_wallet(50_000),), new_id().hex
        payment_id = shop.pay(customer, booking.id, parts=parts, key=key)
        first = shop.attempt_of(payment_id)
        shop.gateway.books[first.provider_reference].is_over = True
        declined = shop.gateway.read(first.identity)
        shop.look(payment_id)
        shop.pay(customer, booking.id, parts=parts, key=key)
        use = shop.use
        late = SettleAttempt(
            payment_id=payment_id, attempt_id=first.attempt_id, reading=declined, expects_live=use.live
        )
        settle_attempt(late, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        assert available(shop, customer)[0] == 0

    def test_what_was_spent_meanwhile_leaves_the_card_money_in_suspense(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND + timedelta(minutes=1)
        end_holds(shop)
        shop.post(*transfer(accounts.wallet(customer, "EGP"), CLEARING, egp(20_001)))

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(50_000, "EGP", "SUSPENSE", "INCOMPLETE")]
        assert shop.status_of(payment_id) == "PENDING"
        assert balances(shop, customer) == (29_999, 50_000, 50_000)
        assert [shop.balance(account) for account in (PREPAID, SUSPENSE)] == [0, 50_000]
        assert shop.attention() == ["SUSPENSE_INCOMPLETE"]

    def test_points_that_ended_while_they_were_held_still_pay(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop)
        give_points(shop, customer, 20_000)
        clock.offset += timedelta(days=365) - timedelta(minutes=1)
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_points(20_000),))
        clock.offset += timedelta(minutes=2)

        pay_card(shop, payment_id)

        assert shop.status_of(payment_id) == "PAID"

    def test_a_checkout_that_is_opened_again_sets_its_parts_aside_again(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        membership, key = shop.subscribe(customer), new_id().hex
        shop.gateway.answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
        with pytest.raises(ProviderRefused):
            self.pay_membership(shop, customer, membership, key)
        clock.offset += timedelta(hours=26)
        assert (end_holds(shop), available(shop, customer)[0]) == (0, 50_000)

        payment_id = self.pay_membership(shop, customer, membership, key)

        assert parts_of(shop, payment_id)[0] == ("WALLET", 30_000, "PLANNED", "ACTIVE")
        assert available(shop, customer)[0] == 20_000
        clock.offset += timedelta(hours=24)
        assert end_holds(shop) == 0

    def pay_membership(self, shop: Shop, customer: UUID, membership: UUID, key: str) -> UUID:
        return shop.pay(
            customer, membership, kind=PaymentType.MEMBERSHIP_PURCHASE, parts=(from_wallet(30_000),), key=key
        )


class TestMoneyThatDoesNotFit:
    @pytest.mark.parametrize(
        ("charges", "receipts"),
        [
            ([69_999], [("SUSPENSE", "SHORT")]),
            ([70_001], [("SUSPENSE", "OVER")]),
            ([100_000], [("SUSPENSE", "OVER")]),
            ([69_999, 70_000], [("SUSPENSE", "SHORT"), ("SETTLED", None)]),
            ([70_000, 70_000], [("SETTLED", None), ("SUSPENSE", "TWICE")]),
        ],
    )
    def test_the_card_pays_its_part_to_the_minor_unit(
        self, shop: Shop, customer: UUID, charges: list[int], receipts: list[tuple[str, str | None]]
    ) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_wallet(30_000),))

        shop.charge(payment_id, *map(egp, charges))
        shop.look(payment_id)

        is_settled = ("SETTLED", None) in receipts
        assert [(disposition, reason) for _, _, disposition, reason in shop.receipts(payment_id)] == receipts
        assert shop.status_of(payment_id) == ("PAID" if is_settled else "PENDING")
        assert balances(shop, customer)[0] == (20_000 if is_settled else 50_000)
        assert shop.balance(SUSPENSE) == sum(charges) - 70_000 * is_settled

    def test_a_booking_that_is_gone_keeps_the_card_money_and_takes_no_part(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_wallet(30_000),))
        clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
        assert sweep(shop) == 1

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(70_000, "EGP", "SUSPENSE", "LATE")]
        assert balances(shop, customer) == available(shop, customer) == (50_000, 50_000, 50_000)


@given(
    splits=st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(0, 60_000), st.integers(0, 60_000)), min_size=1, max_size=3
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_sum_to_the_price_and_move_what_a_pure_model_says(
    shop: Shop, splits: list[tuple[int, int, int]]
) -> None:
    """The model: three balances; a payment takes its parts if each is there and together they are below the price."""
    customer = a_rich_customer(shop, **RICH)
    model = [50_000, 50_000, 50_000]
    before = shop.balance(PREPAID)
    paid = 0
    for split in splits:
        booking = shop.book(customer)
        makers = (from_wallet, from_credit, from_points)
        parts = tuple(make(minor) for make, minor in zip(makers, split, strict=True) if minor)
        fits = sum(split) < PRICE
        covered = all(minor <= left for minor, left in zip(split, model, strict=True))
        try:
            payment_id = shop.pay(customer, booking.id, parts=parts)
        except InvalidValue:
            assert not fits
            continue
        except InsufficientBalance:
            assert not covered
            continue
        assert sum(minor for _, minor, *_ in parts_of(shop, payment_id)) == PRICE
        assert covered
        pay_card(shop, payment_id)
        asked_of_points = {kind: minor for kind, minor, *_ in parts_of(shop, payment_id)}.get("POINTS", 0)
        model = [left - minor for left, minor in zip(model, (split[0], split[1], asked_of_points), strict=True)]
        model[2] += (PRICE - asked_of_points) // 1_000
        paid += PRICE
        assert list(balances(shop, customer)) == model
    assert shop.balance(PREPAID) - before == paid
