"""Packages: what may be a draft, what may be on sale, and the spelling that search ignores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.faults import HIGHEST_PRICE, NotPublishable
from domain.catalogue.item_events import ItemPublished
from domain.catalogue.package_details import PackageCategory, UnsoundPackage
from domain.catalogue.packages import Package, slug_of
from domain.catalogue.publication import ItemStatus
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, a_package, egp

LATER = NOON + timedelta(hours=1)


def a_draft(**details: Any) -> Package:
    """A draft with no more than a package begins with."""
    begun: dict[str, Any] = {
        "name_en": "Siwa",
        "category": PackageCategory.ADVENTURE,
        "base_price": egp("1499.00"),
        "duration_days": 3,
        "duration_nights": 2,
        "min_travelers": 1,
        "max_travelers": 10,
    }
    return Package.create(
        item_id=new_id(), slug="siwa", vendor_id=None, created_by=new_id(), at=NOON, **{**begun, **details}
    )


def a_step(**changes: Any) -> dict[str, Any]:
    step = {"day": 1, "title_ar": "وصول", "title_en": "Arrival", "description_ar": "مساء", "description_en": "Late"}
    return {**step, **changes}


def test_a_new_package_is_a_draft_that_is_not_taxed() -> None:
    package = a_draft()

    assert package.status is ItemStatus.DRAFT
    assert (str(package.tax_rate), package.tax_inclusive) == ("0.00", True)
    assert package.destinations == []
    assert package.pull_events() == []


def test_two_drafts_share_no_lists() -> None:
    first, second = a_draft(), a_draft()
    first.destinations.append("Siwa")
    assert second.destinations == []


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"base_price": egp("0.00")}, "/base_price"),
        ({"base_price": egp("-1.00")}, "/base_price"),
        ({"base_price": Money.of(HIGHEST_PRICE * 100 + 1, "EGP")}, "/base_price"),
        ({"base_price": Money.of(HIGHEST_PRICE + 1, "JPY")}, "/base_price"),
        ({"discounted_price": egp("1499.00")}, "/discounted_price"),
        ({"discounted_price": egp("0.00")}, "/discounted_price"),
        ({"discounted_price": Money.parse("10.00", "USD")}, "/discounted_price"),
        ({"time_zone": "Cairo"}, "/time_zone"),
        ({"time_zone": "../etc/passwd"}, "/time_zone"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"time_zone": "Factory"}, "/time_zone"),
        ({"time_zone": "EET"}, "/time_zone"),
        ({"meta_title_en": "x" * 121}, "/meta_title_en"),
        ({"meta_description_ar": "س" * 321}, "/meta_description_ar"),
        ({"duration_days": 0, "duration_nights": 0}, "/duration_days"),
        ({"duration_days": 366}, "/duration_days"),
        ({"duration_nights": 4}, "/duration_nights"),
        ({"duration_nights": -1}, "/duration_nights"),
        ({"min_travelers": 0}, "/min_travelers"),
        ({"min_travelers": 11}, "/max_travelers"),
        ({"max_travelers": 201}, "/max_travelers"),
        ({"display_order": -1}, "/display_order"),
        ({"display_order": 10_001}, "/display_order"),
        ({"availability_start": date(2027, 2, 1), "availability_end": date(2027, 1, 31)}, "/availability_end"),
        ({"name_en": ""}, "/name_en"),
        ({"name_ar": "س" * 201}, "/name_ar"),
        ({"description_en": "x" * 10_001}, "/description_en"),
        ({"destinations": ["Siwa"] * 31}, "/destinations"),
        ({"destinations": ["Siwa", ""]}, "/destinations/1"),
        ({"inclusions_ar": ["س" * 301]}, "/inclusions_ar/0"),
        ({"itinerary": [{"day": 4, "title_ar": "", "title_en": "", "description_ar": "", "description_en": ""}]},
         "/itinerary/0/day"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_package_is_refused_by_name(details: dict[str, Any], pointer: str) -> None:
    with pytest.raises(UnsoundPackage) as refused:
        a_draft(**details)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(UnsoundPackage) as refused:
        a_draft(base_price=egp("0.00"), min_travelers=0, name_en="")
    assert {fault.pointer for fault in refused.value.faults} == {"/base_price", "/min_travelers", "/name_en"}


def test_an_arabic_name_is_enough_for_a_draft() -> None:
    assert a_draft(name_en="", name_ar="سيوة").name_ar == "سيوة"


class TestPublishing:
    def test_a_complete_draft_is_put_on_sale(self) -> None:
        package = a_package(status=ItemStatus.DRAFT)
        package.publish(at=LATER)
        assert (package.status, package.updated_at) == (ItemStatus.ACTIVE, LATER)
        assert package.pull_events() == [ItemPublished(at=LATER, item_kind="PACKAGE", item_id=package.id)]

    def test_all_that_customers_would_miss_is_named(self) -> None:
        package = a_draft()
        with pytest.raises(NotPublishable) as refused:
            package.publish(at=LATER)
        missing = {fault.pointer for fault in refused.value.faults}
        assert missing == {"/name_ar", "/description_ar", "/description_en", "/destinations"}
        assert (package.status, package.pull_events()) == (ItemStatus.DRAFT, [])

    @pytest.mark.parametrize(
        ("details", "missing"),
        [
            ({"inclusions_en": ["Breakfast"]}, {"/inclusions_ar"}),
            ({"exclusions_ar": ["طيران"]}, {"/exclusions_en"}),
            ({"itinerary": [a_step(title_ar="")]}, {"/itinerary/0/title_ar"}),
            ({"itinerary": [a_step(), a_step(description_en="")]}, {"/itinerary/1/description_en"}),
            ({"itinerary": [a_step(description_ar="", description_en="")]}, set()),
        ],
    )
    def test_what_it_tells_it_tells_in_both_languages(self, details: dict[str, Any], missing: set[str]) -> None:
        package = a_package(status=ItemStatus.DRAFT, **details)
        if not missing:
            package.publish(at=LATER)
            return
        with pytest.raises(NotPublishable) as refused:
            package.publish(at=LATER)
        assert {fault.pointer for fault in refused.value.faults} == missing

    @pytest.mark.parametrize("status", [ItemStatus.ACTIVE, ItemStatus.ARCHIVED])
    def test_what_is_on_sale_or_archived_is_not_published_again(self, status: ItemStatus) -> None:
        package = a_package(status=status)
        with pytest.raises(IllegalTransition):
            package.publish(at=LATER)
        assert package.status is status


class TestChanging:
    def test_only_what_is_given_changes(self) -> None:
        package = a_package()
        before = package.details()
        package.change(at=LATER, base_price=egp("1200.00"), name_en="Nile")
        assert package.details() == {**before, "base_price": egp("1200.00"), "name_en": "Nile"}
        assert package.updated_at == LATER

    def test_a_refused_change_changes_nothing(self) -> None:
        package = a_package()
        before = package.details()
        with pytest.raises(UnsoundPackage):
            package.change(at=LATER, name_en="Nile", duration_nights=99)
        assert (package.details(), package.updated_at) == (before, NOON)

    def test_what_was_given_is_checked_against_what_stays(self) -> None:
        package = a_package(min_travelers=5)
        with pytest.raises(UnsoundPackage) as refused:
            package.change(at=LATER, max_travelers=4)
        assert refused.value.faults[0].pointer == "/max_travelers"

    def test_what_is_on_sale_keeps_what_customers_must_see(self) -> None:
        package = a_package(status=ItemStatus.ACTIVE)
        with pytest.raises(NotPublishable):
            package.change(at=LATER, description_ar="")
        assert package.description_ar != ""

    def test_a_draft_may_lose_them(self) -> None:
        package = a_package(status=ItemStatus.DRAFT)
        package.change(at=LATER, description_ar="", availability_start=date(2027, 1, 1))
        assert (package.description_ar, package.availability_start) == ("", date(2027, 1, 1))


class TestDiscounts:
    def test_it_is_sold_at_the_lower_price_while_there_is_one(self) -> None:
        package = a_draft(discounted_price=egp("1200.00"))
        assert package.price_now == package.discounted_price == egp("1200.00")
        package.change(at=LATER, discounted_price=None)
        assert (package.price_now, package.discounted_price) == (egp("1499.00"), None)

    def test_a_base_price_does_not_pass_below_its_discount(self) -> None:
        package = a_draft(discounted_price=egp("1200.00"))
        for changes in ({"base_price": egp("1200.00")}, {"base_price": Money.parse("99.000", "KWD")}):
            with pytest.raises(UnsoundPackage) as refused:
                package.change(at=LATER, **changes)
            assert refused.value.faults[0].pointer == "/discounted_price"
        assert package.price_now == egp("1200.00")
        package.change(at=LATER, base_price=Money.parse("99.000", "KWD"), discounted_price=Money.parse("9.500", "KWD"))
        assert str(package.price_now) == "KWD 9.500"


class TestSeasons:
    def test_a_departure_lasts_as_many_days_as_its_package(self) -> None:
        assert a_package(duration_days=4).last_day(date(2026, 12, 30)) == date(2027, 1, 2)

    def test_dates_outside_the_season_are_refused(self) -> None:
        package = a_package(availability_start=date(2027, 1, 1), availability_end=date(2027, 1, 31))
        package.refuse_unavailable(date(2027, 1, 1), date(2027, 1, 31))
        for starts_on, ends_on, pointer in (
            (date(2026, 12, 31), date(2027, 1, 3), "/starts_on"),
            (date(2027, 1, 30), date(2027, 2, 1), "/ends_on"),
        ):
            with pytest.raises(InvalidValue) as refused:
                package.refuse_unavailable(starts_on, ends_on)
            assert refused.value.faults[0].pointer == pointer


class TestSlugs:
    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("Luxor & Aswan: Nile Cruise!", "luxor-aswan-nile-cruise"),
            ("  __5 Days__ ", "5-days"),
            ("رحلة نيلية", "رحلة-نيلية"),
            ("Straße", "strasse"),
            ("***", "package"),
            ("x" * 79 + " y", "x" * 79),
            ("0190b1f0-0000-7000-8000-000000000000", "package-0190b1f0-0000-7000-8000-000000000000"),
        ],
    )
    def test_a_name_becomes_an_address(self, name: str, slug: str) -> None:
        assert slug_of(name) == slug

    @given(st.text())
    def test_a_slug_stands_for_itself(self, name: str) -> None:
        slug = slug_of(name)
        assert slug_of(slug) == slug
        assert 1 <= len(slug) <= 80
        assert not set(slug) & set("%_/ ?#\x00")
