"""Vouchers from CSV: every line that is wrong is named, and then none is made."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from application.pricing.voucher_files import MOST_VOUCHERS, read_vouchers
from domain.pricing.deals import AppliesTo, UnsoundDeal
from domain.pricing.vouchers import Voucher, VoucherType
from domain.shared.errors import InvalidValue
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, egp
from tests.deals import a_voucher

HEAD = "code,voucher_type,discount_value,currency,min_purchase_amount,usage_limit_total,valid_until,is_public\r\n"


def read(text: str, *, template: Voucher | None = None, taken: Collection[str] = ()) -> list[Voucher]:
    staff = new_id()
    return read_vouchers(
        text,
        template=template.details() if template is not None else None,
        make=lambda details: Voucher.create(voucher_id=new_id(), created_by=staff, at=NOON, **details),
        codes_taken=lambda codes: set(taken).intersection(codes),
    )


def faults(text: str, **rest: Any) -> list[tuple[str, str]]:
    with pytest.raises(UnsoundDeal) as refusal:
        read(text, **rest)
    return [(fault.pointer, fault.code) for fault in refusal.value.faults]


def test_whole_vouchers_are_read() -> None:
    percent, fixed, cashback = read(
        HEAD
        + "summer-1,DISCOUNT_PERCENTAGE,12.5,EGP,100,5,2026-12-31T22:00:00Z,false\r\n"
        + "\r\n"
        + "summer-2,DISCOUNT_FIXED,75.00,EGP,,,,\r\n"
        + "summer-3,CASHBACK,3%,,,,,TRUE\r\n"
    )

    assert (percent.code, percent.discount_value, percent.min_purchase_amount, percent.usage_limit_total) == (
        "SUMMER-1", Percentage.parse("12.5"), egp("100"), 5,
    )  # fmt: skip
    assert (percent.valid_until, percent.is_public) == (datetime(2026, 12, 31, 22, tzinfo=UTC), False)
    assert (fixed.voucher_type, fixed.discount_value, fixed.is_public) == (
        VoucherType.DISCOUNT_FIXED, egp("75"), True,
    )  # fmt: skip
    assert cashback.discount_value == Percentage.parse("3")


def test_codes_take_everything_else_from_their_template() -> None:
    template = a_voucher(applicable_to=AppliesTo.HOTEL, usage_limit_total=1, is_public=False)

    one, other = read("\ufeffcode\na-1\nａ-２\n", template=template)

    assert (one.code, other.code) == ("A-1", "A-2")
    assert {**one.details(), "code": ""} == {**template.details(), "code": ""}


def test_every_line_that_is_wrong_is_named() -> None:
    lines = (
        "ok-1,DISCOUNT_PERCENTAGE,10,,,,,",
        "x,DISCOUNT_PERCENTAGE,10,,,,,",
        "ok-2,GIFT,10,,,,,",
        "ok-3,DISCOUNT_FIXED,10.001,EGP,,,,",
        "ok-4,DISCOUNT_PERCENTAGE,10,,,many,,",
        ",DISCOUNT_FIXED,1,EGP,,,,",
        "ok-5,DISCOUNT_PERCENTAGE,10,,,,2026-12-31,",
        "ok-6,DISCOUNT_PERCENTAGE,10,,,0,2020-01-01T00:00:00Z,maybe",
        "ok-7,DISCOUNT_PERCENTAGE,10,,,0,2020-01-01T00:00:00Z,",
        "OK-1,DISCOUNT_PERCENTAGE,10,,,,,",
        "gone,CASHBACK,1%,,,,,",
        "ok-8,DISCOUNT_FIXED,5,,,,,",
    )
    text = HEAD + "\r\n".join(lines)

    assert faults(text, taken={"GONE"}) == [
        ("/vouchers/3/code", "invalid_voucher_code"),
        ("/vouchers/4/voucher_type", "invalid"),
        ("/vouchers/5/discount_value", "too_many_decimals"),
        ("/vouchers/6/usage_limit_total", "invalid"),
        ("/vouchers/7/code", "required"),
        ("/vouchers/8/valid_until", "invalid"),
        ("/vouchers/9/is_public", "invalid"),
        ("/vouchers/10/usage_limit_total", "out_of_range"),
        ("/vouchers/10/valid_until", "out_of_range"),
        ("/vouchers/13/discount_value", "unknown_currency"),
        ("/vouchers/11/code", "duplicate_code"),
        ("/vouchers/12/code", "voucher_code_taken"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "", "code\n", "voucher_type\nCASHBACK\n", "code,voucher_type,price\na-1,CASHBACK,1\n",
        "code,voucher_type\na-1,CASHBACK,more\n", 'code,voucher_type\n"a-1,CASHBACK\n', "code,voucher_type\n\n",
        "code,voucher_type\n" + "a-1,FREE_SERVICE\n" * (MOST_VOUCHERS + 1),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_whole(text: str) -> None:
    with pytest.raises((InvalidValue, UnsoundDeal)):
        read(text)


def test_beside_a_template_there_is_nothing_but_codes() -> None:
    with pytest.raises(InvalidValue):
        read("code,title_en\na-1,Summer\n", template=a_voucher())
