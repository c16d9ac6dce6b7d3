"""The printed statement of a payout: what it consists of, in both languages and in every unit."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.payouts.statement_ports import PayoutStatementDocument
from domain.payouts.payables import PayableKind
from domain.payouts.payouts import PayoutStatus
from domain.payouts.statements import PayoutFigures, PayoutLine
from domain.shared.money import Money, total
from domain.shared.payees import PayeeType
from infrastructure.documents.payout_wording import KINDS, PAYOUT_LABELS, STATUSES, TRADES
from infrastructure.documents.weasyprint_renderer import WeasyPrintRenderer
from tests.builders import NOON
from tests.contract.test_documents import left_edges, read, text_of

SAID = {
    PayableKind.EARNED: ("حصة المورد من الحجز BK-2026-000123", "Vendor's share of booking BK-2026-000123"),
    PayableKind.REVERSED: ("رد مبلغ من الحجز BK-2026-000099", "Refund of booking BK-2026-000099"),
    PayableKind.ADJUSTED: ("تسوية (خطأ في السعر)", "Adjustment (wrong price)"),
    PayableKind.RETURNED: ("عودة الصرف PO-2026-000001", "Payout PO-2026-000001 came back"),
}
BOOKINGS = {PayableKind.EARNED: "BK-2026-000123", PayableKind.REVERSED: "BK-2026-000099"}


def a_line(place: int, kind: PayableKind, minor: int, unit: str) -> PayoutLine:
    reason_ar, reason_en = SAID[kind]
    return PayoutLine(
        occurred_at=NOON + timedelta(days=place),
        kind=kind,
        booking_number=BOOKINGS.get(kind),
        reason_ar=reason_ar,
        reason_en=reason_en,
        amount=Money.of(minor, unit),
    )


def a_payout_statement(
    *entries: tuple[PayableKind, int], unit: str = "USD", carried: int = 0, **changes: Any
) -> PayoutStatementDocument:
    lines = tuple(a_line(place, kind, minor, unit) for place, (kind, minor) in enumerate(entries))
    sums = {
        kind: total((line.amount for line in lines if line.kind is kind), unit)
        for kind in PayableKind
        if any(line.kind is kind for line in lines)
    }
    figures = PayoutFigures(
        payout_id=UUID(int=1),
        payout_number="PO-2026-000042",
        batch_number="PB-2026-000007",
        cut_off=NOON,
        payee_id=UUID(int=2),
        payee_type=PayeeType.VENDOR,
        payee_name="منى عبد الرحمن",
        payee_email="mona@example.com",
        status=PayoutStatus.PAID,
        amount=total((line.amount for line in lines), unit),
        carried=Money.of(carried, unit),
        destination="National Bank of Egypt •••• 0002",
        bank_reference="BR-77",
        sent_at=NOON,
        closed_at=NOON + timedelta(days=2),
        sums=sums,
        entries=len(lines),
    )
    return PayoutStatementDocument(figures=replace(figures, **changes), made_on=date(2026, 12, 2), lines=lines)


EVERYTHING = (
    (PayableKind.EARNED, 1_250_000),
    (PayableKind.EARNED, 80_050),
    (PayableKind.REVERSED, -20_025),
    (PayableKind.ADJUSTED, -500),
    (PayableKind.RETURNED, 64_000),
)


@pytest.fixture(scope="module")
def renderer() -> WeasyPrintRenderer:
    return WeasyPrintRenderer()


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What WeasyPrint grumbles of: refused fetches, unknown styles, letters that no font has."""
    with caplog.at_level(logging.WARNING, "weasyprint"):
        yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.usefixtures("complaints")
def test_it_shows_every_entry_what_was_clawed_back_and_what_is_carried(renderer: WeasyPrintRenderer) -> None:
    text = text_of(renderer.payout_statement(a_payout_statement(*EVERYTHING, carried=12_345), "en"))
    for shown in (
        "Payout statement", "PO-2026-000042", "PB-2026-000007", "mona@example.com", "Vendor", "Paid", "BR-77",
        "National Bank of Egypt", "0002", "Earned by trips", "13,300.50", "Clawed back after refunds", "-200.25",
        "Adjusted", "-5.00", "640.00", "Paid out", "13,735.25", "Carried to a later payout", "123.45",
        "Vendor's share of booking BK-2026-000123", "12,500.00", "BK-2026-000099", "USD 13,735.25", "Page 1 of 1",
    ):  # fmt: skip
        assert shown in text, shown


@pytest.mark.usefixtures("complaints")
def test_columns_run_from_the_right_in_arabic_and_signs_stay_before_their_digits(renderer: WeasyPrintRenderer) -> None:
    document = a_payout_statement(*EVERYTHING)
    arabic = left_edges(renderer.payout_statement(document, "ar"))
    english = left_edges(renderer.payout_statement(document, "en"))

    first_day = NOON.date().isoformat()
    assert arabic["12,500.00"] < arabic[first_day]
    assert english[first_day] < english["12,500.00"]
    assert {"-200.25", "-5.00", "mona@example.com"} <= arabic.keys()


@pytest.mark.parametrize(("unit", "written"), [("JPY", "1,330,050"), ("KWD", "1,330.050"), ("EGP", "13,300.50")])
def test_amounts_have_the_decimals_of_their_currency(renderer: WeasyPrintRenderer, unit: str, written: str) -> None:
    document = a_payout_statement((PayableKind.EARNED, 1_330_050), unit=unit)

    assert written in text_of(renderer.payout_statement(document, "en"))


def test_a_payout_that_did_not_arrive_says_so(renderer: WeasyPrintRenderer) -> None:
    document = a_payout_statement(*EVERYTHING, status=PayoutStatus.FAILED, closed_at=None, bank_reference=None)
    text = text_of(renderer.payout_statement(document, "en"))

    assert "Did not arrive; owed again" in text
    assert "Bank reference" not in text


def test_what_is_shown_is_never_read_as_markup(renderer: WeasyPrintRenderer) -> None:
    document = a_payout_statement(*EVERYTHING, payee_name="<img src='file:///etc/passwd'><b>Mona")

    assert "<b>Mona" in text_of(renderer.payout_statement(document, "en"))


def test_both_languages_follow_each_other(renderer: WeasyPrintRenderer) -> None:
    assert len(read(renderer.payout_statement(a_payout_statement(*EVERYTHING), "both")).pages) == 2


def test_both_languages_have_the_same_words() -> None:
    assert PAYOUT_LABELS["ar"].keys() == PAYOUT_LABELS["en"].keys()
    for words, of in ((KINDS, PayableKind), (STATUSES, PayoutStatus), (TRADES, PayeeType)):
        assert set(words["ar"]) == set(words["en"]) == set(of)
