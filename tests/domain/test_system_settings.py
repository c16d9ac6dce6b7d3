"""The registry of settings: every line is whole, and takes exactly what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.operations.kinds import SettingType, amount_in, money_per_currency, text, whole
from domain.operations.settings import (
    ADJUSTMENT_LIMIT,
    DEFAULT_CURRENCY,
    HOLD_MINUTES,
    POINTS_BY_CURRENCY,
    SECOND_FACTOR_REQUIRED,
    SETTINGS,
    SUPPORT_EMAIL,
    SUPPORT_PHONE,
    Setting,
    SettingNotFound,
    setting_of,
)
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

ARABIC = re.compile(r"[\u0600-\u06ff]")
JSON_OF = {SettingType.STRING: str, SettingType.NUMBER: int, SettingType.BOOLEAN: bool, SettingType.ARRAY: list}


def figures(code: object, *, earns: object = 1, pays: object = 15_000) -> dict[str, object]:
    return {"currency": code, "money_units_per_point": earns, "points_per_money_unit": pays}


@pytest.mark.parametrize("known", SETTINGS.values(), ids=lambda known: known.key)
def test_every_setting_is_whole(known: Setting[Any]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", known.key)
    assert known.category.value == known.key.split(".")[0]
    assert known.kind.read(known.default) == known.default
    assert type(known.default) is JSON_OF[known.kind.setting_type]
    assert ARABIC.search(known.description_ar)
    assert known.description_en.isascii()
    assert known.kind.accepts


@pytest.mark.parametrize(
    ("known", "value"),
    [
        (HOLD_MINUTES, 0), (HOLD_MINUTES, 10_081), (HOLD_MINUTES, 30.0), (HOLD_MINUTES, "30"), (HOLD_MINUTES, True),
        (HOLD_MINUTES, None), (HOLD_MINUTES, [30]), (HOLD_MINUTES, 10**30), (HOLD_MINUTES, float("nan")),
        (SECOND_FACTOR_REQUIRED, 1), (SECOND_FACTOR_REQUIRED, "true"), (SECOND_FACTOR_REQUIRED, None),
        (SUPPORT_EMAIL, "nobody"), (SUPPORT_EMAIL, 5), (SUPPORT_PHONE, "01001234567"), (SUPPORT_PHONE, "+0100"),
        (ADJUSTMENT_LIMIT, {"amount": "1.00", "currency": "EGP"}), (ADJUSTMENT_LIMIT, ["1.00"]),
        (ADJUSTMENT_LIMIT, "5"), (ADJUSTMENT_LIMIT, [{"amount": 5, "currency": "EGP"}]),
        (ADJUSTMENT_LIMIT, [{"amount": "5.00"}]),
        (ADJUSTMENT_LIMIT, [{"amount": "5.001", "currency": "EGP"}]),
        (ADJUSTMENT_LIMIT, [{"amount": "5", "currency": "XXX"}]),
        (ADJUSTMENT_LIMIT, [{"amount": "-1.00", "currency": "EGP"}]),
        (ADJUSTMENT_LIMIT, [{"amount": "1.00", "currency": "EGP"}, {"amount": "2.00", "currency": "EGP"}]),
        (POINTS_BY_CURRENCY, {}), (POINTS_BY_CURRENCY, [{"currency": "KWD"}]), (POINTS_BY_CURRENCY, ["KWD"]),
        (POINTS_BY_CURRENCY, [figures("XXX")]), (POINTS_BY_CURRENCY, [figures(["KWD"])]),
        (POINTS_BY_CURRENCY, [figures("KWD", earns=0)]), (POINTS_BY_CURRENCY, [figures("KWD", pays=1_000_001)]),
        (POINTS_BY_CURRENCY, [figures("KWD", earns=True)]), (POINTS_BY_CURRENCY, [figures("KWD", pays="5")]),
        (POINTS_BY_CURRENCY, [figures("KWD"), figures("KWD", earns=2)]),
        (DEFAULT_CURRENCY, "XXX"), (DEFAULT_CURRENCY, "egp"), (DEFAULT_CURRENCY, {}), (DEFAULT_CURRENCY, []),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_at_the_value(known: Setting[Any], value: object) -> None:
    with pytest.raises(InvalidValue) as refused:
        known.kind.read(value)

    assert [fault.pointer for fault in refused.value.faults] == ["/value"]


@pytest.mark.parametrize("value", ["", "   ", "a\nb", "x" * 11, "\ud800", 5, None])
def test_a_text_is_one_line_within_its_bounds(value: object) -> None:
    with pytest.raises(InvalidValue):
        text(least=1, most=10).read(value)


def test_a_text_is_trimmed_and_holds_no_card_number() -> None:
    assert text(least=1, most=10).read(" Altayar ") == "Altayar"
    with pytest.raises(InvalidValue) as refused:
        text(most=50).read("4111 1111 1111 1111")
    assert refused.value.faults[0].code == "card_number_refused"


def test_amounts_are_found_by_their_currency() -> None:
    amounts = money_per_currency().read([{"amount": "5", "currency": "KWD"}, {"amount": "0.00", "currency": "EGP"}])

    assert amounts == [{"amount": "5.000", "currency": "KWD"}, {"amount": "0.00", "currency": "EGP"}]
    assert amount_in(amounts, "KWD") == Money.of(5_000, "KWD")
    assert amount_in(amounts, "USD") is None


def test_figures_of_points_are_kept_by_currency() -> None:
    said = [figures("KWD"), figures("EGP", earns=10, pays=100)]

    assert POINTS_BY_CURRENCY.kind.read(said) == said


def test_bounds_are_included() -> None:
    assert [whole(1, 3).read(value) for value in (1, 3)] == [1, 3]


def test_a_stored_value_that_no_longer_fits_gives_way_to_the_default() -> None:
    assert HOLD_MINUTES.effective(45, 30) == 45
    assert HOLD_MINUTES.effective(0, 30) == 30
    assert HOLD_MINUTES.effective(None, 20) == 20


def test_there_is_no_setting_that_nobody_knows() -> None:
    with pytest.raises(SettingNotFound):
        setting_of("general.no_such_thing")
