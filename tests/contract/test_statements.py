"""The printed statement of account: shaped, ordered and added up in both languages and in every unit."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ledger.books_ports import PrintedEntry, StatementDocument
from domain.ledger.accounts import AccountKind
from domain.ledger.periods import Period
from domain.ledger.statements import StatementEntry, StatementFigures, with_balances
from infrastructure.documents.statement_wording import REFERENCES, STATEMENT_LABELS, written_units
from infrastructure.documents.weasyprint_renderer import WeasyPrintRenderer
from tests.builders import NOON
from tests.contract.test_documents import glyphs_for, left_edges, read, text_of

SRC = Path(__file__).resolve().parents[2] / "src"
REFERENCE = UUID("019ab8f4-5c00-7b3e-9d41-2f6a8c0e1b57")
SAID = {
    "DEPOSIT": ("إيداع في المحفظة (فوري)", "Deposit to the wallet (Fawry)", "PAYMENT"),
    "PAYMENT": ("سداد الحجز BK-2026-000123", "Payment of booking BK-2026-000123", "BOOKING"),
}


def an_entry(sequence: int, amount: int) -> StatementEntry:
    described_ar, described_en, reference = SAID["DEPOSIT" if amount > 0 else "PAYMENT"]
    return StatementEntry(
        sequence=sequence,
        occurred_at=NOON + timedelta(hours=sequence),
        reference_type=reference,
        reference_id=REFERENCE,
        description_ar=described_ar,
        description_en=described_en,
        amount=amount,
    )


def a_statement(
    *amounts: int, opening: int = 0, unit: str = "EGP", kind: AccountKind = AccountKind.WALLET, **changes: Any
) -> StatementDocument:
    entries = [an_entry(place, amount) for place, amount in enumerate(amounts, 1)]
    figures = StatementFigures(
        account_id=UUID(int=1),
        kind=kind,
        unit=unit,
        period=Period(date(2026, 11, 1), date(2026, 12, 1)),
        opening=opening,
        debits=sum(entry.debit for entry in entries),
        credits=sum(entry.credit for entry in entries),
        entries=len(entries),
        first_sequence=1,
        last_sequence=len(entries),
    )
    document = StatementDocument(
        figures=figures,
        holder_name="منى عبد الرحمن",
        holder_email="mona@example.com",
        made_on=date(2026, 12, 2),
        lines=tuple(PrintedEntry(entry, balance) for entry, balance in with_balances(opening, entries)),
    )
    return replace(document, **changes)


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
def test_it_shows_what_was_there_what_moved_and_what_is_there(renderer: WeasyPrintRenderer) -> None:
    text = text_of(renderer.statement(a_statement(300_000, -149_900, opening=12_550), "en"))
    for shown in (
        "Statement of account", "Wallet", "EGP", "mona@example.com", "1 November 2026", "30 November 2026",
        "2 December 2026", "Opening balance", "125.50", "Deposit to the wallet (Fawry)", "3,000.00", "3,125.50",
        "Payment of booking BK-2026-000123", "1,499.00", "1,626.50", "Closing balance", "Booking", "8C0E1B57",
        "Page 1 of 1",
    ):  # fmt: skip
        assert shown in text, shown


@pytest.mark.usefixtures("complaints")
def test_columns_and_letters_run_from_the_right_in_arabic(renderer: WeasyPrintRenderer) -> None:
    document = a_statement(300_000, -149_900, opening=12_550)
    arabic = left_edges(renderer.statement(document, "ar"))
    english = left_edges(renderer.statement(document, "en"))

    assert arabic["3,125.50"] < arabic["3,000.00"] < arabic["2026-11-23"]
    assert english["2026-11-23"] < english["3,000.00"] < english["3,125.50"]
    assert {"mona@example.com", "8C0E1B57", "1,499.00"} <= arabic.keys()


def test_arabic_letters_are_shaped(renderer: WeasyPrintRenderer) -> None:
    with_it = glyphs_for("ه", renderer.statement(a_statement(1, holder_name="ههه"), "en"))
    without = glyphs_for("ه", renderer.statement(a_statement(1, holder_name="مممم"), "en"))

    assert len(with_it - without) >= 3


def test_all_fonts_are_embedded_and_both_languages_follow_each_other(renderer: WeasyPrintRenderer) -> None:
    pages = read(renderer.statement(a_statement(300_000, -149_900), "both")).pages

    assert len(pages) == 2
    assert "Opening balance" in pages[1].extract_text()
    assert "Opening balance" not in pages[0].extract_text()
    for page in pages:
        for reference in page["/Resources"]["/Font"].values():
            (descendant,) = reference.get_object()["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            assert descriptor.get("/FontFile2") or descriptor.get("/FontFile3")


@pytest.mark.parametrize(
    ("unit", "kind", "amounts"),
    [
        ("KWD", AccountKind.WALLET, ("1,234.567", "-0.067", "1,234.500")),
        ("JPY", AccountKind.WALLET, ("1,234,567", "-67", "1,234,500")),
        ("PTS", AccountKind.POINTS, ("1,234,567", "-67", "1,234,500")),
    ],
)
def test_every_unit_has_its_own_decimals(
    renderer: WeasyPrintRenderer, unit: str, kind: AccountKind, amounts: tuple[str, str, str]
) -> None:
    came, went, left = amounts

    pieces = left_edges(renderer.statement(a_statement(1_234_567, -67, unit=unit, kind=kind), "ar"))

    assert {came, went.removeprefix("-"), left, unit} <= pieces.keys()


@pytest.mark.usefixtures("complaints")
def test_a_long_statement_repeats_its_heading_and_keeps_every_entry(renderer: WeasyPrintRenderer) -> None:
    pages = read(renderer.statement(a_statement(*([700, -300] * 40)), "en")).pages
    text = [page.extract_text() for page in pages]

    assert len(pages) > 2
    assert all("Balance" in page for page in text)
    assert sum(page.count("Deposit to the wallet") for page in text) == 40
    assert "160.00" in text[-1]


def test_a_period_in_which_nothing_moved_says_so(renderer: WeasyPrintRenderer) -> None:
    text = text_of(renderer.statement(a_statement(opening=-500, kind=AccountKind.CUSTOMER_DEBT), "en"))

    assert "Nothing moved in this period." in text
    assert text.count("-5.00") == 2


def test_a_sign_stands_before_its_amount_in_arabic_too(renderer: WeasyPrintRenderer) -> None:
    document = a_statement(300, opening=-500, kind=AccountKind.CUSTOMER_DEBT)

    assert {"-5.00", "-2.00", "3.00"} <= left_edges(renderer.statement(document, "ar")).keys()


def test_markup_in_a_field_is_shown_as_text(renderer: WeasyPrintRenderer) -> None:
    name = '<img src="file:///etc/passwd">'
    text = text_of(renderer.statement(a_statement(1, holder_name=name), "en"))

    assert "".join(name.split()) in "".join(text.split())


@given(opening=st.integers(-(10**12), 10**12), amounts=st.lists(st.integers(-(10**9), 10**9).filter(bool), max_size=30))
def test_balances_run_from_the_opening_to_the_closing_one(opening: int, amounts: list[int]) -> None:
    document = a_statement(*amounts, opening=opening)

    balances = [opening, *(line.balance for line in document.lines)]

    assert balances[-1] == document.figures.closing
    assert [after - before for before, after in pairwise(balances)] == amounts


def test_both_languages_have_the_same_words() -> None:
    assert STATEMENT_LABELS["ar"].keys() == STATEMENT_LABELS["en"].keys()
    assert REFERENCES["ar"].keys() == REFERENCES["en"].keys()


@pytest.mark.parametrize(
    ("minor", "decimals", "written"),
    [(149_900, 2, "1,499.00"), (-5, 2, "-0.05"), (0, 3, "0.000"), (-1_234_567, 3, "-1,234.567"), (1_000, 0, "1,000")],
)
def test_amounts_are_grouped_with_all_their_decimals(minor: int, decimals: int, written: str) -> None:
    assert written_units(minor, decimals) == written


def test_whatever_a_journal_refers_to_has_a_word_in_both_languages() -> None:
    said = re.compile(r'(?:reference_type ?= ?|^REFERENCE: Final = )"([A-Z_]+)"', re.MULTILINE)
    sources = [path.read_text("utf-8") for layer in ("domain", "application") for path in (SRC / layer).rglob("*.py")]

    named = {name for source in sources for name in said.findall(source)}

    assert named == set(REFERENCES["ar"]) == set(REFERENCES["en"])
