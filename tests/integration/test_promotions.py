"""Uses of vouchers and offers: never beyond a limit, whoever comes at once, and given back once (traps 29 to 31).

Bookings are placed before there is an offer: one that runs is taken by every booking that it suits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.pricing.expiry import expire_promotions
from application.pricing.vouchers import ChangeVoucher, change_voucher
from domain.pricing.baskets import Basket, Benefit, NotApplied
from domain.pricing.deals import Reason
from domain.pricing.offers import OfferExhausted, OfferStatus, OpenOffer
from domain.pricing.vouchers import UNKNOWN, HeldVoucher, VoucherExhausted, VoucherStatus
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.conftest import MovableClock
from tests.deals import a_basket
from tests.integration.promotions import PROMISES, Till, from_offer, from_voucher
from tests.integration.shop import all_at_once
from workers.jobs import JOBS
from workers.schedule import run_once

Booking = tuple[UUID, UUID]


@pytest.fixture
def till(running: Running) -> Till:
    return Till.opened(running)


@pytest.fixture(autouse=True)
def counts_are_right_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    with connect(addresses.owner) as connection:
        for name, query in PROMISES.items():
            assert connection.execute(query).fetchall() == [], name


def at_once(till: Till, bookings: list[Booking], *benefits: Benefit) -> Counter[type]:
    """Redeem for all of them at the same time; how many went through, and what the others were told."""
    works: list[Callable[[], bool]] = [lambda b=booking: till.redeem(b, *benefits) or True for booking in bookings]  # type: ignore[misc]
    return Counter(type(found) for found in all_at_once(works))


@pytest.mark.parametrize("limit", [1, 3])
def test_50_at_once_take_no_more_than_there_is(till: Till, limit: int) -> None:
    voucher = till.voucher(usage_limit_total=limit)

    found = at_once(till, till.bookings(50), from_voucher(voucher))

    assert found == {bool: limit, VoucherExhausted: 50 - limit}
    assert till.stands(voucher) == (limit, "EXHAUSTED", limit)


def test_one_person_at_once_takes_no_more_than_theirs(till: Till) -> None:
    voucher, person = till.voucher(usage_limit_per_user=2), till.shop.a_customer()

    found = at_once(till, till.bookings(12, of=person), from_voucher(voucher))

    assert found == {bool: 2, VoucherExhausted: 10}
    till.redeem(till.bookings(1)[0], from_voucher(voucher))
    assert till.stands(voucher) == (0, "ACTIVE", 3)


def test_an_offer_has_limits_of_its_own(till: Till) -> None:
    theirs, mine = till.bookings(10), till.bookings(4, of=till.shop.a_customer())
    total, each = till.offer(usage_limit_total=3), till.offer(usage_limit_per_user=1)

    assert at_once(till, theirs, from_offer(total)) == {bool: 3, OfferExhausted: 7}
    assert at_once(till, mine, from_offer(each)) == {bool: 1, OfferExhausted: 3}


def test_several_at_once_in_any_order_never_stand_in_each_others_way(till: Till) -> None:
    bookings = till.bookings(20)
    voucher = till.voucher(usage_limit_total=20)
    offers = [from_offer(till.offer(usage_limit_total=20)) for _ in range(3)]
    works: list[Callable[[], bool]] = [
        lambda b=b, o=(offers if i % 2 else offers[::-1]): till.redeem(b, from_voucher(voucher), *o) or True  # type: ignore[misc]
        for i, b in enumerate(bookings)
    ]

    assert set(map(type, all_at_once(works))) == {bool}
    assert set(map(type, all_at_once([lambda b=b: till.release(b) or True for b in bookings]))) == {bool}  # type: ignore[misc]
    assert till.stands(voucher) == (0, "ACTIVE", 0)


def test_the_same_booking_twice_is_one_use(till: Till) -> None:
    voucher, (booking,) = till.voucher(usage_limit_total=1, usage_limit_per_user=1), till.bookings(1)

    found = at_once(till, [booking] * 8, from_voucher(voucher, egp("75.00"), egp("5.00")))

    assert found == {bool: 8}
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)
    (row,) = till.redemptions(voucher)
    assert (row["discount_applied_minor"], row["cashback_minor"], row["currency"]) == (7500, 500, "EGP")


def test_what_is_given_back_is_there_for_the_next_once(till: Till) -> None:
    voucher = till.voucher(usage_limit_total=1)
    first, second, third = till.bookings(3)
    till.redeem(first, from_voucher(voucher))

    all_at_once([lambda: till.release(first)] * 4)
    assert till.stands(voucher) == (0, "ACTIVE", 0)
    till.redeem(second, from_voucher(voucher))
    with pytest.raises(VoucherExhausted):
        till.redeem(third, from_voucher(voucher))

    rows = {row["booking_id"]: row for row in till.redemptions(voucher)}
    assert rows[first[0]]["released_at"] is not None
    assert (rows[first[0]]["in_use"], rows[second[0]]["in_use"]) == (False, True)


def test_a_late_payment_takes_the_same_again_or_is_told_that_it_is_gone(till: Till) -> None:
    first, second = till.bookings(2)
    voucher, offer = till.voucher(usage_limit_total=1), till.offer()
    till.redeem(first, from_voucher(voucher), from_offer(offer, points=40))
    till.release(first)

    till.redeem_again(first)
    till.redeem_again(first)
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)

    till.release(first)
    till.redeem(second, from_voucher(voucher))
    with pytest.raises(VoucherExhausted):
        till.redeem_again(first)
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)
    # All or nothing: the offer was not taken again either.
    assert till.shop.row("SELECT in_use, bonus_points FROM offer_redemptions")["in_use"] is False


def test_a_booking_takes_what_the_one_that_it_replaces_gave_back_and_gives_it_back_itself(till: Till) -> None:
    replaced, booking = till.bookings(2, of=till.shop.a_customer())
    voucher, offer = till.voucher(usage_limit_total=1), till.offer()
    till.redeem(replaced, from_voucher(voucher), from_offer(offer, points=40))
    till.release(replaced)

    till.redeem_again(booking, of=replaced)
    till.redeem_again(booking, of=replaced)

    assert {row["booking_id"]: row["in_use"] for row in till.redemptions(voucher)} == {
        replaced[0]: False,
        booking[0]: True,
    }
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)
    till.release(booking)
    assert till.stands(voucher) == (0, "ACTIVE", 0)


def test_what_expired_meanwhile_stays_so_when_a_use_is_given_back(
    till: Till, running: Running, clock: MovableClock
) -> None:
    offer = till.offer(valid_until=till.now + timedelta(hours=1))
    voucher = till.voucher(usage_limit_total=1, valid_until=till.now + timedelta(hours=1))
    (booking,) = till.bookings(1)
    till.redeem(booking, from_voucher(voucher))
    clock.offset = timedelta(hours=2)

    assert run_once(JOBS["pricing.expire"], running)
    assert expire_promotions(uow=till.new_uow(), clock=clock) == 0
    assert till.shop.row("SELECT status FROM offers WHERE id = %s", offer.id)["status"] == "EXPIRED"
    till.release(booking)

    assert till.stands(voucher) == (0, "EXPIRED", 0)
    till.redeem_again(booking)
    assert till.stands(voucher) == (1, "EXPIRED", 1)


def test_a_refused_use_leaves_nothing_of_its_booking(till: Till) -> None:
    first, second = till.bookings(2)
    gone, there, offer = till.voucher(usage_limit_total=1), till.voucher(usage_limit_total=1), till.offer()
    till.redeem(first, from_voucher(gone))

    with pytest.raises(VoucherExhausted):
        till.redeem(second, from_offer(offer), from_voucher(there), from_voucher(gone))

    assert till.stands(there) == (0, "ACTIVE", 0)
    assert till.shop.database.rows("SELECT 1 FROM offer_redemptions") == []


def test_a_booking_is_placed_with_its_voucher_or_not_at_all(till: Till) -> None:
    voucher, departure = till.voucher(usage_limit_total=1), till.shop.a_departure(seats=20)

    def place(person: UUID) -> bool:
        # What is placed inside joins this transaction.
        with till.new_uow() as uow:
            booking = till.shop.book(person, departure)
            uow.promotions.redeem([from_voucher(voucher)], booking_id=booking.id, user_id=person, at=till.now)
            uow.commit()
        return True

    people = [till.shop.a_customer() for _ in range(10)]
    found = all_at_once([lambda p=person: place(p) for person in people])  # type: ignore[misc]

    assert Counter(map(type, found)) == {bool: 1, VoucherExhausted: 9}
    assert till.shop.row("SELECT count(*) AS count FROM bookings")["count"] == 1
    assert till.shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == 1


class TestLimitsThatMove:
    def change(self, till: Till, voucher_id: UUID, **details: Any) -> None:
        command = ChangeVoucher(actor_id=till.staff, voucher_id=voucher_id, details=details)  # type: ignore[typeddict-item]
        change_voucher(command, uow=till.new_uow(), clock=till.shop.use.clock)

    def test_a_limit_that_comes_later_knows_what_is_in_use(self, till: Till) -> None:
        voucher = till.voucher()
        bookings = till.bookings(4)
        for booking in bookings[:3]:
            till.redeem(booking, from_voucher(voucher))
        till.release(bookings[0])
        assert till.stands(voucher) == (0, "ACTIVE", 2)

        self.change(till, voucher.id, usage_limit_total=2)
        assert till.stands(voucher) == (2, "EXHAUSTED", 2)
        with pytest.raises(VoucherExhausted):
            till.redeem(bookings[3], from_voucher(voucher))

        self.change(till, voucher.id, usage_limit_total=None)
        till.redeem(bookings[3], from_voucher(voucher))
        assert till.stands(voucher) == (0, "ACTIVE", 3)

    def test_a_limit_that_comes_while_people_redeem_is_never_passed(self, till: Till) -> None:
        voucher, bookings = till.voucher(), till.bookings(16)
        works: list[Callable[[], Any]] = [lambda b=b: till.redeem(b, from_voucher(voucher)) for b in bookings]  # type: ignore[misc]
        works.insert(5, lambda: self.change(till, voucher.id, usage_limit_total=16))

        errors = [type(found) for found in all_at_once(works) if found is not None]

        assert errors == []
        assert till.stands(voucher) == (16, "EXHAUSTED", 16)


class TestOffered:
    def said(self, promotion: Any, basket: Basket) -> Any:
        return promotion.evaluate(basket) if isinstance(promotion, OpenOffer | HeldVoucher) else promotion

    def offered(self, till: Till, buyer: UUID, code: str | None = None) -> tuple[list[Any], Any]:
        """As a quote reads it, and as a unit of work does: always the same."""
        outside = till.shop.use.queries.pricing.offered(buyer_id=buyer, at=till.now, voucher_code=code)
        with till.new_uow() as uow:
            inside = uow.promotions.offered(buyer_id=buyer, at=till.now, voucher_code=code)
        basket = a_basket(at=till.now)
        for one, other in zip((*outside.offers, outside.voucher), (*inside.offers, inside.voucher), strict=True):
            assert self.said(one, basket) == self.said(other, basket)
        return [offer.offer.id for offer in outside.offers if isinstance(offer, OpenOffer)], outside.voucher

    def test_offers_that_run_come_by_priority(self, till: Till) -> None:
        low, high, none = (till.offer(priority=priority) for priority in (1, 9, 0))
        for other in (
            {"status": OfferStatus.DRAFT}, {"status": OfferStatus.DISABLED},
            {"valid_from": till.now + timedelta(days=1)},
            {"valid_from": till.now - timedelta(days=2), "valid_until": till.now - timedelta(days=1)},
        ):  # fmt: skip
            till.offer(**other)

        assert self.offered(till, till.staff) == ([high.id, low.id, none.id], None)

    def test_the_buyers_own_uses_are_known(self, till: Till) -> None:
        voucher, offer = till.voucher(usage_limit_per_user=1), till.offer(usage_limit_per_user=1)
        (booking,) = till.bookings(1)
        till.redeem(booking, from_voucher(voucher), from_offer(offer))

        for buyer, reason in ((booking[1], Reason.USED_UP_BY_YOU), (till.staff, None)):
            found = till.shop.use.queries.pricing.offered(buyer_id=buyer, at=till.now, voucher_code=voucher.code)
            for promotion in (*found.offers, found.voucher):
                assert promotion is not None
                assert not isinstance(promotion, NotApplied)
                said = promotion.evaluate(a_basket(at=till.now))
                assert (said.reason if isinstance(said, NotApplied) else None) == reason

    def test_a_code_is_found_however_it_is_typed(self, till: Till) -> None:
        voucher = till.voucher(code="SUMMER-26")

        for typed in ("summer-26", " Summer-٢٦ ", "ＳＵＭＭＥＲ-26"):
            found = self.offered(till, till.staff, typed)[1]
            assert isinstance(found, HeldVoucher)
            assert found.voucher.id == voucher.id

    def test_a_private_code_of_somebody_else_is_as_unknown_as_any(self, till: Till) -> None:
        private, holder = till.voucher(is_public=False, code="PRIVATE"), till.shop.a_customer()
        till.assign(private, holder)

        assert [self.offered(till, till.staff, code)[1] for code in ("private", "NO-SUCH", "!", "")] == [UNKNOWN] * 4
        assert isinstance(self.offered(till, holder, "private")[1], HeldVoucher)

    def test_it_is_one_round_trip_for_both(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        till.offer()
        voucher, asked = till.voucher(), []
        database = till.shop.database
        rows = database.rows
        monkeypatch.setattr(type(database), "rows", lambda _self, *args, **kw: asked.append(args) or rows(*args, **kw))

        found = till.shop.use.queries.pricing.offered(buyer_id=till.staff, at=till.now, voucher_code=voucher.code)

        assert (len(found.offers), isinstance(found.voucher, HeldVoucher), len(asked)) == (1, True, 1)


class TestSecondWall:
    """What the application's own role cannot do with plain SQL."""

    @pytest.fixture
    def plain(self, addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
        with connect(addresses.app) as connection:
            yield connection

    ADD = """INSERT INTO voucher_redemptions (voucher_id, booking_id, user_id, discount_applied_minor, currency, in_use,
                 redeemed_at, released_at) VALUES (%s, %s, %s, 1, 'EGP', %s, now(), now())"""

    def test_no_row_goes_beyond_a_limit(self, till: Till, plain: psycopg.Connection[Any]) -> None:
        total, each = till.voucher(usage_limit_total=1), till.voucher(usage_limit_per_user=1)
        person = till.shop.a_customer()
        first, second = till.bookings(2, of=person)
        for voucher in (total, each):
            plain.execute(self.ADD, (voucher.id, *first, True))
            with pytest.raises(psycopg.Error, match="no use left") as refusal:
                plain.execute(self.ADD, (voucher.id, *second, True))
            assert refusal.value.sqlstate == "AL012"
            plain.execute(self.ADD, (voucher.id, *second, False))
            with pytest.raises(psycopg.Error, match="no use left"):
                plain.execute("UPDATE voucher_redemptions SET in_use = true WHERE voucher_id = %s", (voucher.id,))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE voucher_uses SET used = 0", "DELETE FROM voucher_uses", "DELETE FROM voucher_redemptions",
            "UPDATE voucher_redemptions SET voucher_id = voucher_id",
            "UPDATE voucher_redemptions SET user_id = user_id",
            "UPDATE vouchers SET usage_count = 0", "UPDATE vouchers SET usage_count = usage_count + 1",
            "UPDATE vouchers SET usage_limit_total = 0", "DELETE FROM vouchers",
        ],
    )  # fmt: skip
    def test_no_count_is_moved_otherwise(self, till: Till, plain: psycopg.Connection[Any], statement: str) -> None:
        voucher, (booking,) = till.voucher(usage_limit_total=1), till.bookings(1)
        till.redeem(booking, from_voucher(voucher))

        with pytest.raises(psycopg.Error):
            plain.execute(statement)  # type: ignore[arg-type]
        assert till.stands(voucher) == (1, "EXHAUSTED", 1)

    def test_a_limit_cannot_be_set_below_what_is_in_use(self, till: Till, plain: psycopg.Connection[Any]) -> None:
        voucher = till.voucher()
        for booking in till.bookings(2):
            till.redeem(booking, from_voucher(voucher))

        with pytest.raises(psycopg.errors.CheckViolation):
            plain.execute("UPDATE vouchers SET usage_limit_total = 1")
        plain.execute("UPDATE vouchers SET usage_limit_total = 2")
        assert till.stands(voucher)[0] == 2


def test_a_voucher_without_limits_is_nobodys_queue(till: Till) -> None:
    """While one booking's transaction is open, others redeem the same voucher."""
    voucher = till.voucher()
    first, second = till.bookings(2)

    with till.new_uow() as uow:
        uow.promotions.redeem([from_voucher(voucher)], booking_id=first[0], user_id=first[1], at=till.now)
        uow.promotions.offered(buyer_id=first[1], at=till.now, voucher_code=None)
        all_at_once([lambda: till.redeem(second, from_voucher(voucher))])
        uow.commit()

    assert till.stands(voucher) == (0, "ACTIVE", 2)


def test_being_used_is_no_change_that_staff_have_to_see(till: Till) -> None:
    voucher, (booking,) = till.voucher(usage_limit_total=5), till.bookings(1)

    till.redeem(booking, from_voucher(voucher))
    assert till.shop.row("SELECT version FROM vouchers")["version"] == 1

    with till.new_uow() as uow:
        stored = uow.vouchers.get(voucher.id)
        stored.change(was_redeemed=True, at=till.now, title_en="Another title")
        uow.vouchers.save(stored)
        uow.commit()
    row = till.shop.row("SELECT version, usage_count, title_en FROM vouchers")
    assert row == {"version": 2, "usage_count": 1, "title_en": "Another title"}
    assert stored.status is VoucherStatus.ACTIVE
