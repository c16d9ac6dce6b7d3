"""Prices of items in the database: what was stored stands beside the item, and nothing unsound is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.catalogue.authors import Author
from application.catalogue.items import ChangeItem, change_item
from application.catalogue.prices import SetAgeBands, SetSeasons, set_age_bands, set_seasons
from application.pricing.price_lists import in_asked_currency, price_list_of, rate_of
from domain.catalogue.items import Item, ItemKind
from domain.pricing.age_bands import ADULT, WHOLE, AgeBand, AmountsInOldCurrency, UnsoundPrices
from domain.pricing.exchange import ExchangeRate, RateNotFound
from domain.pricing.price_lists import Party, PriceList
from domain.pricing.seasons import Adjustment, Season
from domain.shared.errors import PreconditionFailed
from domain.shared.money import CurrencyMismatch, Money, currency
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.catalogue.prices import price_columns, rate_column
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.integration.shop import Shop, all_at_once

STARTS = date(2027, 7, 15)
BANDS = (
    AgeBand(
        code="INFANT", name_ar="رضيع", name_en="Infant", min_age=0, max_age=1, price=egp("0.00"), takes_a_seat=False
    ),
    AgeBand(code="CHILD", name_ar="طفل", name_en="Child", min_age=2, max_age=11, price=Percentage.parse("33.33")),
    AgeBand(code=ADULT, name_ar="بالغ", name_en="Adult", min_age=12, max_age=None, price=WHOLE),
)
SUMMER = Season(
    name_ar="صيف",
    name_en="Summer",
    first_on=date(2027, 7, 1),
    last_on=STARTS,
    adjustment=Adjustment.PERCENTAGE_DOWN,
    amount=Percentage.parse("12.50"),
)
FEAST = Season(
    name_ar="عيد",
    name_en="Feast",
    first_on=STARTS,
    last_on=date(2027, 7, 20),
    weekdays=frozenset({4, 5}),
    adjustment=Adjustment.FIXED_PRICE,
    amount=egp("2500.00"),
    priority=1,
)
WINTER = replace(SUMMER, name_en="Winter", first_on=date(2027, 12, 1), last_on=date(2028, 1, 31))
SEASONS = (SUMMER, FEAST, WINTER)
PRICED = f"""
SELECT p.id, p.name_ar, p.name_en, {PRICE_NOW.format(packages="p")} AS price_minor, p.currency, p.tax_rate,
       p.tax_inclusive, p.min_travelers, p.max_travelers,
       {price_columns(ItemKind.PACKAGE, "p.id", starts_on="%(starts_on)s::date")},
       {rate_column("p.currency")}
FROM packages p WHERE p.id = %(id)s
"""


@pytest.fixture
def package(shop: Shop) -> Item:
    package_id = shop.a_departure().package_id
    assert package_id is not None
    return Item(ItemKind.PACKAGE, package_id)


@pytest.fixture
def author(shop: Shop) -> Author:
    return Author(shop.a_customer(), is_staff=True)


def put(
    shop: Shop, package: Item, author: Author, *, bands: Any = None, seasons: Any = None, version: int | None = None
) -> None:
    use = shop.use
    if bands is not None:
        command = SetAgeBands(
            author=author, item=package, bands=bands, vendors_are_reviewed=True, expected_version=version
        )
        set_age_bands(command, uow=use.new_uow(), clock=use.clock)
    if seasons is not None:
        change = SetSeasons(
            author=author, item=package, seasons=seasons, vendors_are_reviewed=True, expected_version=version
        )
        set_seasons(change, uow=use.new_uow(), clock=use.clock)


def priced(shop: Shop, package: Item, *, asked: str | None = None, starts_on: date = STARTS) -> dict[str, Any]:
    values = {"id": package.id, "starts_on": starts_on, "asked_currency": asked, "now": shop.use.clock.now()}
    row = shop.database.row(PRICED, values)
    assert row is not None
    return row


def list_of(row: dict[str, Any]) -> PriceList:
    return price_list_of(row, Item(ItemKind.PACKAGE, row["id"]))


class TestBesideTheItem:
    def test_one_statement_has_all_that_a_party_pays(self, shop: Shop, package: Item, author: Author) -> None:
        put(shop, package, author, bands=BANDS[::-1], seasons=SEASONS)
        prices = list_of(priced(shop, package))
        party = Party(count=3, birth_dates=(date(2027, 1, 1), date(2020, 1, 1)))
        item = prices.item_for(party, starts_on=STARTS)

        assert prices.bands == BANDS
        assert prices.seasons == (SUMMER, FEAST)
        assert [(unit.listed.decimal(), unit.price.decimal(), unit.season_en) for unit in item.units] == [
            ("1000.00", "2500.00", "Feast"),
            ("333.30", "833.25", "Feast"),
            ("0.00", "0.00", "Feast"),
        ]
        assert prices.seats_for(party, STARTS) == 2
        with shop.use.new_uow() as uow:
            assert tuple(uow.item_prices.bands_of(package)) == BANDS
            assert tuple(uow.item_prices.seasons_of(package)) == SEASONS

    def test_an_item_without_any_costs_everybody_its_price(self, shop: Shop, package: Item) -> None:
        prices = list_of(priced(shop, package))

        assert (prices.bands, prices.seasons) == ((), ())
        assert prices.item_for(Party(count=2), starts_on=STARTS).price == egp("2000.00")

    def test_another_package_has_its_own(self, shop: Shop, package: Item, author: Author) -> None:
        other = Item(ItemKind.PACKAGE, shop.a_departure().package_id or new_id())
        put(shop, package, author, bands=BANDS, seasons=SEASONS)
        put(shop, other, author, bands=BANDS, seasons=SEASONS)
        put(shop, package, author, bands=(), seasons=())

        assert list_of(priced(shop, package)).bands == ()
        assert list_of(priced(shop, other)).bands == BANDS


class TestAnotherCurrency:
    def rate(self, shop: Shop, author: Author, rate: str, *, since: timedelta) -> UUID:
        now = shop.use.clock.now()
        made = ExchangeRate(
            id=new_id(),
            source=currency("EGP"),
            target=currency("KWD"),
            rate=Decimal(rate),
            valid_from=now + since,
        )
        with shop.use.new_uow() as uow:
            uow.exchange.add_rate(made, by=author.user_id, at=now)
            uow.commit()
        return made.id

    def test_the_newest_rate_that_is_valid_comes_along(self, shop: Shop, package: Item, author: Author) -> None:
        put(shop, package, author, seasons=SEASONS)
        self.rate(shop, author, "0.005", since=-timedelta(days=2))
        newest = self.rate(shop, author, "0.006150500001", since=-timedelta(days=1))
        self.rate(shop, author, "0.007", since=timedelta(days=1))
        row = priced(shop, package, asked="KWD")
        rate = rate_of(row["exchange_rate"])
        prices = in_asked_currency(list_of(row), "KWD", rate)

        with shop.use.new_uow() as uow:
            assert rate == uow.exchange.newest_rate("EGP", "KWD", at=shop.use.clock.now())
        assert rate is not None
        assert (rate.id, rate.rate) == (newest, Decimal("0.006150500001"))
        assert prices.price == Money.parse("6.151", "KWD")
        assert prices.adult_on(STARTS).price == Money.parse("15.376", "KWD")

    @pytest.mark.parametrize("asked", [None, "EGP"])
    def test_its_own_currency_needs_no_rate(self, shop: Shop, package: Item, asked: str | None) -> None:
        row = priced(shop, package, asked=asked)

        assert row["exchange_rate"] is None
        assert in_asked_currency(list_of(row), asked, rate_of(row["exchange_rate"])) == list_of(row)

    def test_without_a_rate_nothing_is_sold_in_it(self, shop: Shop, package: Item, author: Author) -> None:
        row = priced(shop, package, asked="USD")
        with pytest.raises(RateNotFound):
            in_asked_currency(list_of(row), "USD", rate_of(row["exchange_rate"]))


class TestTwoAtOnce:
    def test_of_two_who_saw_the_same_one_replaces(self, shop: Shop, package: Item, author: Author) -> None:
        lists = [(replace(SUMMER, name_en=f"Summer of {i}"),) for i in range(4)]
        results = all_at_once([lambda s=one: put(shop, package, author, seasons=s, version=1) for one in lists])  # type: ignore[misc]

        assert Counter(type(result) for result in results) == {type(None): 1, PreconditionFailed: 3}
        assert len(list_of(priced(shop, package)).seasons) == 1

    def test_amounts_and_the_packages_currency_never_part(self, shop: Shop, package: Item, author: Author) -> None:
        for _ in range(3):
            put(shop, package, author, bands=())
            to_dollars = self.change(package, author, Money.parse("20.00", "USD"))
            results = all_at_once(
                [
                    lambda: put(shop, package, author, bands=BANDS),
                    lambda c=to_dollars: change_item(c, uow=shop.use.new_uow(), clock=shop.use.clock),  # type: ignore[misc]
                ]
            )

            refusals = [result for result in results if result is not None]
            assert [type(refusal) for refusal in refusals] in ([UnsoundPrices], [AmountsInOldCurrency])
            prices = list_of(priced(shop, package))
            amounts = [band.price for band in prices.bands if isinstance(band.price, Money)]
            assert {amount.currency for amount in amounts} <= {prices.price.currency}
            put(shop, package, author, bands=())
            back = self.change(package, author, egp("1000.00"))
            change_item(back, uow=shop.use.new_uow(), clock=shop.use.clock)

    @staticmethod
    def change(package: Item, author: Author, price: Money) -> ChangeItem:
        return ChangeItem(
            author=author,
            item=package,
            slug=None,
            details={"base_price": price},
            vendors_are_reviewed=True,
        )


BAND = {
    "code": "CHILD", "min_age": 2, "max_age": 11, "percentage": "50", "price_minor": None, "currency": None,
    "takes_a_seat": True,
}  # fmt: skip
SEASON = {
    "first_on": "2027-07-01", "last_on": "2027-07-31", "weekdays": [], "adjustment": "PERCENTAGE_UP",
    "percentage": "20", "price_minor": None, "currency": None, "priority": 0,
}  # fmt: skip


class TestTheSecondWall:
    """What the application's own checks let through by mistake, the database refuses."""

    @pytest.fixture
    def session(self, addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
        with connect(addresses.app) as connection:
            yield connection

    def test_bands(self, session: psycopg.Connection[Any], package: Item) -> None:
        add(session, "item_age_bands", package, BAND)
        for change, constraint in [
            ({"code": "YOUTH", "min_age": 11, "max_age": 15}, "ex_item_age_bands_package_id_ages"),
            ({"code": ADULT, "min_age": 0, "max_age": None, "percentage": "100"}, "ex_item_age_bands_package_id_ages"),
            ({"min_age": 12, "max_age": 15}, "uq_item_age_bands_package_id_code"),
            ({"code": ADULT, "min_age": 12, "max_age": None}, "ck_item_age_bands_adults_pay_the_price"),
            ({"code": "SENIOR", "min_age": 60, "max_age": None}, "ck_item_age_bands_open_for_adults"),
            ({"code": "A", "min_age": 15, "max_age": 14}, "ck_item_age_bands_ages_in_order"),
            ({"code": "A", "min_age": 12, "max_age": 14, "percentage": "101"}, "ck_item_age_bands_percentage_known"),
            ({"code": "A", "min_age": 12, "max_age": 14, "price_minor": 5, "currency": "EGP"},
             "ck_item_age_bands_one_price"),
            ({"code": "A", "min_age": 12, "max_age": 14, "percentage": None, "price_minor": 5},
             "ck_item_age_bands_price_in_a_currency"),
            ({"code": "A", "min_age": 12, "max_age": 14, "percentage": None, "price_minor": -1, "currency": "EGP"},
             "ck_item_age_bands_price_not_negative"),
            ({"code": "A", "min_age": 12, "max_age": 14, "package_id": None}, "ck_item_age_bands_of_one_item"),
        ]:  # fmt: skip
            assert refused(session, "item_age_bands", package, {**BAND, **change}) == constraint
        add(
            session,
            "item_age_bands",
            package,
            {**BAND, "code": ADULT, "min_age": 12, "max_age": None, "percentage": "100"},
        )

    def test_seasons(self, session: psycopg.Connection[Any], package: Item) -> None:
        add(session, "item_seasons", package, {**SEASON, "weekdays": [5, 6]})
        fixed = {"adjustment": "FIXED_PRICE", "percentage": None, "price_minor": 5, "currency": "EGP", "priority": 9}
        for change, constraint in [
            ({"first_on": "2027-07-31", "last_on": "2027-08-01"}, "ex_item_seasons_package_id_days"),
            ({"weekdays": [6, 7]}, "ex_item_seasons_package_id_days"),
            ({"first_on": "2027-08-02", "last_on": "2027-08-01"}, "ck_item_seasons_days_in_order"),
            ({"priority": 1, "weekdays": [0]}, "ck_item_seasons_weekdays_known"),
            ({"priority": 1, "adjustment": "HALF"}, "ck_item_seasons_adjustment_known"),
            ({"priority": 1, "adjustment": "FIXED_PRICE"}, "ck_item_seasons_amount_of_its_kind"),
            ({**fixed, "price_minor": 0}, "ck_item_seasons_price_above_zero"),
            ({**fixed, "currency": None}, "ck_item_seasons_price_in_a_currency"),
            ({"priority": 1, "package_id": None}, "ck_item_seasons_of_one_item"),
        ]:
            assert refused(session, "item_seasons", package, {**SEASON, **change}) == constraint
        for sound in (
            {"weekdays": [1, 7]},
            {"priority": 1},
            {"first_on": "2027-08-01", "last_on": "2027-08-01"},
            fixed,
        ):
            add(session, "item_seasons", package, {**SEASON, **sound})


def add(session: psycopg.Connection[Any], table: str, package: Item, values: dict[str, Any]) -> None:
    row = {"id": new_id(), "package_id": package.id, "name_ar": "اسم", "name_en": "Name", **values}
    names = ", ".join(row)
    session.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f'%({name})s' for name in row)})", row)  # type: ignore[arg-type]


def refused(session: psycopg.Connection[Any], table: str, package: Item, values: dict[str, Any]) -> str | None:
    with pytest.raises(psycopg.errors.IntegrityError) as error:
        add(session, table, package, values)
    return error.value.diag.constraint_name


def test_a_list_in_one_currency_takes_no_other(shop: Shop, package: Item) -> None:
    euros = ExchangeRate(
        id=new_id(), source=currency("EUR"), target=currency("USD"), rate=Decimal(1), valid_from=shop.use.clock.now()
    )
    with pytest.raises(CurrencyMismatch):
        in_asked_currency(list_of(priced(shop, package)), "USD", euros)
