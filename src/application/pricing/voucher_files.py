"""Vouchers as files of CSV: every line that is wrong is named, and then none of them is made."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from domain.pricing.deals import AppliesTo, UnsoundDeal
from domain.pricing.vouchers import Voucher, VoucherDetails, VoucherType
from domain.shared.clock import REACH
from domain.shared.errors import FieldFault, InvalidValue, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage

MOST_VOUCHERS: Final = 5_000
MOST_FAULTS: Final = 100
NEEDED: Final = ("code", "voucher_type")
MAY: Final = (
    "title_ar", "title_en", "description_ar", "description_en", "discount_value", "currency", "gift_ar", "gift_en",
    "applicable_to", "min_purchase_amount", "max_discount", "usage_limit_total", "usage_limit_per_user", "valid_from",
    "valid_until", "is_public", "combines_with_offers",
)  # fmt: skip

Make = Callable[[VoucherDetails], Voucher]


def read_vouchers(
    text: str,
    *,
    template: VoucherDetails | None,
    make: Make,
    codes_taken: Callable[[Collection[str]], Collection[str]],
) -> list[Voucher]:
    """Read lines of the columns that the first line names: `code` alone beside a template, else NEEDED and MAY.

    Amounts are decimals of the line's `currency`; a percentage may be written with its sign, and has to be for
    CASHBACK; instants have their zone. What is left empty is left out. Raises InvalidValue at `/vouchers` for what is
    no such CSV, or UnsoundDeal with a fault for each line (`/vouchers/<line>/<column>`), at most MOST_FAULTS.
    """
    made: dict[int, Voucher] = {}
    faults: list[FieldFault] = []
    for number, row in _rows(text, ("code",) if template is not None else (*NEEDED, *MAY)):
        try:
            made[number] = make(_details(row, template))
        except RuleBroken as error:
            faults += [FieldFault(f"/vouchers/{number}{one.pointer}", one.code, one.detail) for one in error.faults]
    faults += _duplicates(made, codes_taken)
    if faults:
        raise UnsoundDeal(faults=tuple(faults[:MOST_FAULTS]))
    return list(made.values())


def _duplicates(
    made: Mapping[int, Voucher], codes_taken: Callable[[Collection[str]], Collection[str]]
) -> Iterator[FieldFault]:
    first: dict[str, int] = {}
    taken = frozenset(codes_taken([voucher.code for voucher in made.values()]))
    for number, voucher in made.items():
        pointer = f"/vouchers/{number}/code"
        if first.setdefault(voucher.code, number) != number:
            yield FieldFault(pointer, "duplicate_code", f"line {first[voucher.code]} has the same code")
        elif voucher.code in taken:
            yield FieldFault(pointer, "voucher_code_taken", "another voucher has this code")


def _rows(text: str, known: Collection[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True, restkey="", restval="")
    count = 0
    try:
        named = reader.fieldnames or ()
        if not set(named) <= set(known) or not {*NEEDED}.intersection(known) <= set(named):
            raise _fault(f"the first line names columns of these: {', '.join(known)}")
        for count, row in enumerate(reader, 1):
            if count > MOST_VOUCHERS:
                raise _fault(f"at most {MOST_VOUCHERS} vouchers at once")
            if "" in row:
                raise _fault(f"line {reader.line_num}: it has more fields than the first line")
            yield reader.line_num, {name: value.strip() for name, value in row.items() if value.strip()}
    except csv.Error as error:
        raise _fault(f"line {reader.line_num + 1}: it is no CSV") from error
    if not count:
        raise _fault("there is no voucher in it")


def _details(row: Mapping[str, str], template: VoucherDetails | None) -> VoucherDetails:
    if missing := [name for name in ("code", *(NEEDED if template is None else ())) if name not in row]:
        raise InvalidValue("it is needed", pointer=f"/{missing[0]}", code="required")
    if template is not None:
        return {**template, "code": row["code"]}
    values: dict[str, Any] = {}
    for name, text in row.items():
        if name != "currency":
            values[name] = _read(name, text, row)
    return values  # type: ignore[return-value]


def _read(name: str, text: str, row: Mapping[str, str]) -> Any:
    try:
        if name == "discount_value":
            return _value(text, row)
        return _money(text, row) if name in _AMOUNTS else _READERS.get(name, str)(text)
    except (ValueError, KeyError) as error:
        raise InvalidValue(_WANTED.get(name, "it cannot be read"), pointer=f"/{name}", code="invalid") from error
    except InvalidValue as error:
        raise InvalidValue(error.faults[0].detail, pointer=f"/{name}", code=error.faults[0].code) from error


def _value(text: str, row: Mapping[str, str]) -> Percentage | Money:
    if text.endswith("%") or row["voucher_type"] == VoucherType.DISCOUNT_PERCENTAGE:
        return Percentage.parse(text.removesuffix("%").strip())
    return _money(text, row)


def _money(text: str, row: Mapping[str, str]) -> Money:
    return Money.parse(text, row.get("currency", ""))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("no whole number")
    return int(text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    if at.year not in REACH:
        raise ValueError("further than clocks reach")
    return at


def _yes(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_AMOUNTS: Final = ("min_purchase_amount", "max_discount")
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "voucher_type": VoucherType,
    "applicable_to": AppliesTo,
    "usage_limit_total": _whole,
    "usage_limit_per_user": _whole,
    "valid_from": _instant,
    "valid_until": _instant,
    "is_public": _yes,
    "combines_with_offers": _yes,
}
_WANTED: Final[Mapping[str, str]] = {
    "voucher_type": f"one of {', '.join(VoucherType)}",
    "applicable_to": f"one of {', '.join(AppliesTo)}",
    "usage_limit_total": "a whole number",
    "usage_limit_per_user": "a whole number",
    "valid_from": "an instant such as 2026-12-31T22:00:00Z",
    "valid_until": "an instant such as 2026-12-31T22:00:00Z",
    "is_public": "true or false",
    "combines_with_offers": "true or false",
}


def _fault(detail: str) -> InvalidValue:
    return InvalidValue(detail, pointer="/vouchers", code="unreadable_vouchers")
