"""What may be asked for, what an offer may say, and what travellers are held to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pricing.hand_priced import HIGHEST_PRICE, HandPricedItem, UnsoundOffer, basket_of
from domain.sales.agreed import BookingType, Trip
from domain.sales.details import clean_details
from domain.sales.requests import FURTHEST, ON_REQUEST, TripBegan, TripWish, offer_deadline, wish_of
from domain.sales.travelers import Traveler, UnfitTravelers, masked, refuse_unfit
from domain.shared.errors import DomainError, InvalidValue
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, a_trip, egp

TOMORROW = TODAY + timedelta(days=1)
CARD = "4111 1111 1111 1111"


def a_wish(**changes: Any) -> TripWish:
    values: dict[str, Any] = {"booking_type": BookingType.HOTEL, "start_date": TOMORROW, "travelers_count": 2}
    return TripWish(**{**values, **changes})


def pointers(refused: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [fault.pointer for fault in refused.value.faults]


def test_a_trip_is_asked_for_from_midnight_of_its_place() -> None:
    trip = a_wish(start_date=date(2026, 12, 1), time_zone="Asia/Tokyo", details={"hotel": " Nile "}).trip(at=NOON)

    assert (trip.start_date, trip.end_date, trip.seats) == (date(2026, 12, 1), date(2026, 12, 1), 2)
    assert trip.starts_at == datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert trip.details == {"hotel": "Nile"}
    assert trip.is_on_request
    assert wish_of(trip).trip(at=NOON) == trip


def test_today_is_the_places_own() -> None:
    late = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    with pytest.raises(InvalidValue):
        a_wish(start_date=date(2026, 11, 24)).trip(at=late)
    assert a_wish(start_date=date(2026, 11, 24), time_zone="Europe/London").trip(at=late)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"start_date": TODAY}, "/start_date"),
        ({"start_date": TODAY + FURTHEST + timedelta(days=1)}, "/start_date"),
        ({"end_date": TODAY}, "/end_date"),
        ({"end_date": TODAY + FURTHEST + timedelta(days=1)}, "/end_date"),
        ({"end_date": date.max}, "/end_date"),
        ({"time_zone": "Africa/Nowhere"}, "/time_zone"),
        ({"time_zone": "../etc/passwd"}, "/time_zone"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"time_zone": "Factory"}, "/time_zone"),
        ({"time_zone": "EET"}, "/time_zone"),
        ({"booking_type": BookingType.PACKAGE}, "/booking_type"),
        ({"booking_type": BookingType.ACTIVITY}, "/booking_type"),
        ({"details": {"card": CARD}}, "/booking_details/card"),
    ],
)
def test_what_is_not_asked_for(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        a_wish(**changes).trip(at=NOON)
    assert pointers(refused) == [pointer]


@pytest.mark.parametrize("kind", sorted(ON_REQUEST))
def test_the_furthest_day_is_still_asked_for(kind: BookingType) -> None:
    assert a_wish(booking_type=kind, start_date=TODAY + FURTHEST).trip(at=NOON).booking_type is kind


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"a": {"b": {"c": {}}}}, "/booking_details/a/b/c"),
        ({"a": [[[1]]]}, "/booking_details/a/0/0"),
        ({"a": "x" * 8192}, "/booking_details"),
        ({"a": "ش" * 4096}, "/booking_details"),
        ({f"n{number}": "x" * 90 for number in range(100)}, "/booking_details"),
        ({"": 1}, "/booking_details"),
        ({"n" * 101: 1}, "/booking_details"),
        ({"a\x00": 1}, "/booking_details"),
        ({"a/b~": "\x07"}, "/booking_details/a~1b~0"),
        ({"a": "\ud800"}, "/booking_details/a"),
        ({"a": CARD}, "/booking_details/a"),
        ({CARD: 1}, "/booking_details"),
        ({"a": 4111111111111111}, "/booking_details/a"),
        ({"a": [1, {"b": CARD}]}, "/booking_details/a/1/b"),
        ({"a": float("inf")}, "/booking_details/a"),
        ({"a": float("nan")}, "/booking_details/a"),
        ({"a": 10**400}, "/booking_details/a"),
        ({"a": object()}, "/booking_details/a"),
    ],
)
def test_details_are_small_shallow_and_clean(details: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        clean_details(details, pointer="/booking_details")
    assert pointers(refused) == [pointer]


def test_details_keep_what_they_say() -> None:
    said = {"rooms": [{"beds": 2, "view": " sea \n"}], "stars": 4.5, "late": None, "breakfast": True}
    assert clean_details(said, pointer="") == {
        "rooms": [{"beds": 2, "view": "sea"}], "stars": 4.5, "late": None, "breakfast": True,
    }  # fmt: skip


def test_an_offer_ends_with_its_time_or_with_the_trips_start() -> None:
    trip = a_wish(start_date=TODAY + timedelta(days=3)).trip(at=NOON)

    def deadline(until: datetime | None, hours: int = 48) -> datetime:
        return offer_deadline(trip, until=until, ordinarily=timedelta(hours=hours), at=NOON)

    assert deadline(None) == NOON + timedelta(hours=48)
    assert deadline(None, hours=720) == deadline(trip.starts_at) == trip.starts_at
    for wrong in (NOON, NOON - timedelta(days=1), trip.starts_at + timedelta(microseconds=1)):
        with pytest.raises(InvalidValue):
            deadline(wrong)
    with pytest.raises(TripBegan):
        offer_deadline(trip, until=None, ordinarily=timedelta(hours=1), at=trip.starts_at)


def an_item(price: Money | None = None, **changes: Any) -> HandPricedItem:
    values: dict[str, Any] = {"key": new_id(), "booking_type": "HOTEL", "name_ar": "غرفة", "name_en": "Room"}
    return HandPricedItem(**{**values, "quantity": 1, "unit_price": price or egp("1000.00"), **changes})


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ([], "/items"),
        ([an_item() for _ in range(51)], "/items"),
        ([an_item(egp("0.00"))], "/items"),
        ([an_item(), an_item(Money.parse("5.000", "KWD"))], "/items/1/unit_price"),
        ([an_item(), an_item(egp("-0.01"))], "/items/1/unit_price"),
        ([an_item(egp(f"{HIGHEST_PRICE}.01"))], "/items/0/unit_price"),
        ([an_item(quantity=0)], "/items/0/quantity"),
        ([an_item(quantity=201)], "/items/0/quantity"),
    ],
)
def test_an_offer_that_nobody_can_be_asked_to_pay(items: list[HandPricedItem], pointer: str) -> None:
    with pytest.raises(UnsoundOffer) as refused:
        basket_of(items, tier_code="GUEST", at=NOON, starts_on=TOMORROW)
    assert pointer in pointers(refused)


def test_something_may_come_along_for_nothing() -> None:
    basket = basket_of([an_item(), an_item(egp("0.00"))], tier_code="GUEST", at=NOON, starts_on=TOMORROW)
    assert basket.left == egp("1000.00")


TRIP: Trip = a_trip(travelers=2)
MONA = Traveler(
    first_name="منى",
    last_name="李",
    birth_date=date(1990, 1, 1),
    document_number="A 123-4567",
    document_expires_on=TRIP.end_date,
)


def check(*travelers: Traveler, valid_days: int = 0) -> None:
    refuse_unfit(travelers, TRIP, valid_days=valid_days, today=TODAY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_date": TODAY}, "birth_date"),
        ({"birth_date": date(1905, 12, 31)}, "birth_date"),
        ({"first_name": "123"}, "first_name"),
        ({"last_name": "--"}, "last_name"),
        ({"document_number": "******567"}, "document_number"),
        ({"document_number": "- -"}, "document_number"),
        ({"document_number": "a1234567"}, "document_number"),
        ({"document_expires_on": TRIP.end_date - timedelta(days=1)}, "document_expires_on"),
    ],
)
def test_people_who_cannot_make_the_trip_as_they_are_written_down(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnfitTravelers) as refused:
        check(MONA, replace(replace(MONA, document_number="B1"), **changes))
    assert pointers(refused) == [f"/travelers/1/{field}"]


def test_papers_may_have_to_be_valid_longer_than_the_trip() -> None:
    check(MONA)
    with pytest.raises(UnfitTravelers):
        check(MONA, valid_days=1)
    check(replace(MONA, document_expires_on=TRIP.end_date + timedelta(days=180)), valid_days=180)


def test_no_more_are_named_than_travel() -> None:
    people = [Traveler(first_name="A", last_name="B")] * 3
    check(*people[:2])
    with pytest.raises(UnfitTravelers) as refused:
        check(*people)
    assert pointers(refused) == ["/travelers"]


@pytest.mark.parametrize(
    ("number", "shown"), [("A1234567", "*****567"), ("12345", "***45"), ("123", "**3"), ("12", "*2"), ("1", "*")]
)
def test_a_masked_number_shows_three_characters_at_most(number: str, shown: str) -> None:
    assert masked(number) == shown


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_masking_hides_half_of_any_number(number: str) -> None:
    assert len(masked(number)) == len(number)
    assert masked(number).count("*") >= len(number) / 2
