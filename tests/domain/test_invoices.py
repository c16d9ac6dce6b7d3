"""Invoices: their rows sum to their total, or there is no invoice."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.invoices import Invoice, InvoiceItem, InvoiceItemType, InvoiceStatus, InvoiceType
from domain.shared.errors import DomainError
from domain.shared.identifiers import document_number
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, egp


def an_invoice(rows: list[Money], **changes: Any) -> Invoice:
    items = tuple(
        InvoiceItem(
            item_type=InvoiceItemType.BOOKING_FEE,
            description_ar="رحلة",
            description_en="Trip",
            quantity=1,
            unit_price=row,
            total_price=row,
        )
        for row in rows
    )
    subtotal = sum(rows[1:], start=rows[0])
    nothing = Money(0, subtotal.currency)
    values: dict[str, Any] = {
        "id": new_id(),
        "invoice_number": "INV-2026-000001",
        "user_id": new_id(),
        "booking_id": None,
        "payment_id": new_id(),
        "invoice_type": InvoiceType.STANDARD,
        "status": InvoiceStatus.PAID,
        "items": items,
        "subtotal": subtotal,
        "discount_amount": nothing,
        "tax_rate": Percentage(0),
        "tax_amount": nothing,
        "total_amount": subtotal,
        "issue_date": TODAY,
        "paid_date": TODAY,
        "issued_at": NOON,
    }
    return Invoice(**{**values, **changes})


AMOUNTS = st.integers(0, 10**9).map(lambda minor: Money.of(minor, "EGP"))


@given(rows=st.lists(AMOUNTS, min_size=1, max_size=5), discount=AMOUNTS, tax=AMOUNTS, off_by=st.integers(-3, 3))
def test_rows_less_discount_plus_tax_are_the_total_to_the_minor_unit(
    rows: list[Money], discount: Money, tax: Money, off_by: int
) -> None:
    right = sum(rows[1:], start=rows[0]) - discount + tax
    figures = {"discount_amount": discount, "tax_amount": tax, "total_amount": right + Money.of(off_by, "EGP")}

    if off_by == 0:
        assert an_invoice(rows, **figures).total_amount == right
        return
    with pytest.raises(ValueError, match="sum to its total"):
        an_invoice(rows, **figures)


def test_the_subtotal_is_that_of_the_rows() -> None:
    with pytest.raises(ValueError, match="sum to its total"):
        an_invoice([egp("10.00")], subtotal=egp("9.00"), discount_amount=egp("-1.00"))


def test_rows_of_another_currency_are_refused() -> None:
    with pytest.raises((ValueError, DomainError)):
        an_invoice([egp("10.00")], total_amount=Money.parse("10.00", "USD"))


def test_an_invoice_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        an_invoice([egp("10.00")]).total_amount = egp("11.00")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("serial", "number"), [(1, "INV-2026-000001"), (999_999, "INV-2026-999999"), (1_000_000, "INV-2026-1000000")]
)
def test_numbers_grow_rather_than_wrap(serial: int, number: str) -> None:
    assert document_number("INV", 2026, serial) == number
