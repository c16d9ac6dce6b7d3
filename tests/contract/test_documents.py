"""The invoice renderer: what any DocumentRenderer must draw, and that it reaches for nothing outside."""

from __future__ import annotations

import io
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from application.billing.ports import InvoiceDocument, InvoiceLine
from domain.billing.invoices import InvoiceStatus, InvoiceType
from domain.billing.payments import PaymentMethod
from domain.shared.money import Money
from infrastructure.documents.weasyprint_renderer import WeasyPrintRenderer
from infrastructure.documents.wording import (
    INVOICE_STATUSES,
    INVOICE_TYPES,
    LABELS,
    PAYMENT_METHODS,
    direction_of,
    written_amount,
    written_date,
    written_rate,
)

SOURCES = Path(__file__).parents[2] / "src"
LATIN_ONLY_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf")


def egp(minor: int) -> Money:
    return Money.of(minor, "EGP")


CRUISE = InvoiceLine(
    description_ar="رحلة الأقصر وأسوان: 4 ليالٍ على متن باخرة نيلية (5 نجوم) مع الإفطار والعشاء",
    description_en="Luxor and Aswan: four nights on a Nile cruise with breakfast and dinner",
    quantity=2,
    unit_price=egp(1_249_950),
    total=egp(2_499_900),
)
TRANSFER = InvoiceLine("انتقالات المطار (T3)", "Airport transfer (T3)", 1, egp(85_000), egp(85_000))


def an_invoice(**changed: Any) -> InvoiceDocument:
    document = InvoiceDocument(
        invoice_number="INV-2026-000123",
        invoice_type="STANDARD",
        status="PAID",
        issue_date=date(2026, 7, 21),
        paid_date=date(2026, 7, 21),
        customer_name="منى عبد الرحمن",
        customer_email="mona@example.com",
        booking_number="BK-2026-000123",
        payment_number="PAY-2026-000456",
        payment_method="FAWRY",
        lines=(CRUISE, TRANSFER),
        subtotal=egp(2_584_900),
        discount=egp(258_490),
        tax_rate="14.00",
        tax=egp(325_697),
        total=egp(2_652_107),
    )
    return replace(document, **changed)


@pytest.fixture(scope="module")
def renderer() -> WeasyPrintRenderer:
    return WeasyPrintRenderer()


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What WeasyPrint grumbles of: refused fetches, unknown styles, letters that no font has."""
    found: list[str] = []
    with caplog.at_level(logging.WARNING, "weasyprint"):
        yield found
        found.extend(record.getMessage() for record in caplog.records)
    assert found == []


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(pdf).pages)


def left_edges(pdf: bytes) -> dict[str, float]:
    """Each run of glyphs of the first page, read from left to right, and where it begins."""
    page = read(pdf).pages[0]
    meanings = {font: dict(glyph_meanings(pdf, font)) for font in page["/Resources"]["/Font"]}
    edges: dict[str, float] = {}
    font, left = "", 0.0
    contents = page.get_contents()
    assert contents is not None
    for operands, operator in contents.operations:
        if operator == b"Tf":
            font = operands[0]
        elif operator == b"Tm":
            left = float(operands[4])
        elif operator == b"TJ":
            codes = b"".join(part.original_bytes for part in operands[0] if hasattr(part, "original_bytes"))
            glyphs = (codes[at : at + 2].hex() for at in range(0, len(codes), 2))
            edges.setdefault("".join(meanings[font][glyph] for glyph in glyphs).strip(), left)
    return edges


def glyph_meanings(pdf: bytes, font: str) -> Iterator[tuple[str, str]]:
    """The glyphs (four hex digits) of an embedded font of the first page, and the text each stands for."""
    reference = read(pdf).pages[0]["/Resources"]["/Font"][font]
    cmap = reference.get_object()["/ToUnicode"].get_object().get_data().decode("ascii")
    for glyph, text in re.findall(r"^<([0-9a-f]{4})> <([0-9a-f]*)>$", cmap, re.MULTILINE):
        yield glyph, bytes.fromhex(text).decode("utf-16-be")


@pytest.mark.usefixtures("complaints")
def test_an_english_invoice_shows_every_field(renderer: WeasyPrintRenderer) -> None:
    text = text_of(renderer.invoice(an_invoice(), "en"))
    for shown in (
        "Invoice",
        "INV-2026-000123",
        "21 July 2026",
        "Paid",
        "mona@example.com",
        "BK-2026-000123",
        "PAY-2026-000456",
        "Fawry",
        "Airport transfer (T3)",
        "EGP 12,499.50",
        "EGP 24,999.00",
        "EGP 25,849.00",
        "EGP -2,584.90",
        "14%",
        "EGP 3,256.97",
        "EGP 26,521.07",
        "Page 1 of 1",
    ):
        assert shown in text


@pytest.mark.usefixtures("complaints")
def test_amounts_and_numbers_keep_their_order_in_arabic(renderer: WeasyPrintRenderer) -> None:
    pieces = left_edges(renderer.invoice(an_invoice(), "ar"))
    for shown in ("EGP 12,499.50", "EGP -2,584.90", "EGP 26,521.07", "INV-2026-000123", "BK-2026-000123"):
        assert shown in pieces


def test_columns_run_from_the_right_in_arabic_and_from_the_left_in_english(
    renderer: WeasyPrintRenderer,
) -> None:
    arabic = left_edges(renderer.invoice(an_invoice(), "ar"))
    english = left_edges(renderer.invoice(an_invoice(), "en"))
    assert arabic["EGP 24,999.00"] < arabic["EGP 12,499.50"] < arabic["#"]
    assert english["#"] < english["EGP 12,499.50"] < english["EGP 24,999.00"]


def test_arabic_letters_take_their_joined_forms(renderer: WeasyPrintRenderer) -> None:
    """One letter in a word's beginning, middle and end is three glyphs; unshaped text would have one."""
    with_it = glyphs_for("ه", renderer.invoice(an_invoice(customer_name="ههه"), "en"))
    without = glyphs_for("ه", renderer.invoice(an_invoice(customer_name="مممم"), "en"))
    assert len(with_it - without) >= 3


def glyphs_for(letter: str, pdf: bytes) -> set[tuple[str, str]]:
    """The embedded glyphs, by font, that stand for a letter."""
    fonts = read(pdf).pages[0]["/Resources"]["/Font"]
    return {(font, glyph) for font in fonts for glyph, text in glyph_meanings(pdf, font) if text == letter}


@pytest.mark.usefixtures("complaints")
def test_both_languages_follow_each_other_each_with_its_own_page_numbers(
    renderer: WeasyPrintRenderer,
) -> None:
    pages = read(renderer.invoice(an_invoice(), "both")).pages
    assert len(pages) == 2
    assert "المجموع" not in pages[1].extract_text()
    assert "Page 1 of 1" in pages[1].extract_text()
    assert "Subtotal" not in pages[0].extract_text()


def test_the_file_names_its_number_language_and_maker(renderer: WeasyPrintRenderer) -> None:
    arabic = read(renderer.invoice(an_invoice(), "both"))
    english = read(renderer.invoice(an_invoice(invoice_type="CREDIT_NOTE"), "en"))
    assert arabic.trailer["/Root"]["/Lang"] == "ar"
    assert english.trailer["/Root"]["/Lang"] == "en"
    assert english.metadata is not None
    assert english.metadata.title == "Credit note INV-2026-000123"
    assert english.metadata.author == "AltayarVIP"


def test_the_same_document_is_drawn_to_the_same_bytes(renderer: WeasyPrintRenderer) -> None:
    assert renderer.invoice(an_invoice(), "both") == renderer.invoice(an_invoice(), "both")


def test_a_rehearsal_leaves_nothing_in_what_is_drawn_later(complaints: list[str]) -> None:
    fresh, rehearsed = WeasyPrintRenderer(), WeasyPrintRenderer()
    rehearsed.rehearse()
    assert rehearsed.invoice(an_invoice(), "both") == fresh.invoice(an_invoice(), "both")


def test_all_fonts_are_embedded(renderer: WeasyPrintRenderer) -> None:
    fonts = read(renderer.invoice(an_invoice(), "both")).pages[0]["/Resources"]["/Font"]
    for reference in fonts.values():
        (descendant,) = reference.get_object()["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"].get_object()
        assert descriptor.get("/FontFile2") or descriptor.get("/FontFile3")


@pytest.mark.usefixtures("complaints")
def test_a_long_invoice_repeats_its_heading_and_keeps_every_row(renderer: WeasyPrintRenderer) -> None:
    pages = read(renderer.invoice(an_invoice(lines=(CRUISE, TRANSFER) * 30), "en")).pages
    assert len(pages) > 2
    text = [page.extract_text() for page in pages]
    assert all("Unit price" in page for page in text)
    assert sum(page.count("Airport transfer (T3)") for page in text) == 30
    assert f"Page {len(pages)} of {len(pages)}" in text[-1]


@pytest.mark.usefixtures("complaints")
def test_markup_in_a_field_is_shown_as_text_and_fetches_nothing(
    renderer: WeasyPrintRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("weasyprint.urls.URLFetcher.fetch", lambda self, url, headers=None: fetched.append(url))
    name = '<img src="file:///etc/passwd"><script>x()</script>'
    line = replace(TRANSFER, description_en="<link rel=attachment href=file:///etc/hosts>")
    pdf = renderer.invoice(an_invoice(customer_name=name, lines=(line,)), "en")
    text = "".join(text_of(pdf).split())
    assert "".join(name.split()) in text
    assert "<linkrel=attachmenthref=file:///etc/hosts>" in text
    assert fetched == []
    assert "/EmbeddedFiles" not in str(read(pdf).trailer["/Root"])


def test_the_fetcher_refuses_files_networks_and_inline_data(renderer: WeasyPrintRenderer) -> None:
    for address in ("file:///etc/hostname", "http://127.0.0.1:9/", "https://localhost/", "data:text/css,p{}"):
        with pytest.raises(ValueError, match="disallowed protocol"):
            renderer._fetcher.fetch(address)


def test_a_template_that_names_a_file_gets_nothing_of_it(
    renderer: WeasyPrintRenderer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("p::before { content: 'leaked' }")
    html = f'<html><head><link rel=stylesheet href="{secret.as_uri()}"></head><body><p>page</p></body></html>'
    with caplog.at_level(logging.ERROR, "weasyprint"):
        text = text_of(renderer._laid_out(html, ("invoice.css",)).write_pdf())
    assert text.strip() == "page"
    assert "disallowed protocol" in caplog.text


def test_empty_fields_leave_no_label_behind(renderer: WeasyPrintRenderer) -> None:
    bare = an_invoice(
        booking_number="", payment_number="", payment_method="", paid_date=None, discount=egp(0), status="ISSUED"
    )
    text = text_of(renderer.invoice(bare, "en"))
    for label in ("Booking", "Payment", "Paid on", "Discount"):
        assert label not in text.replace("Subtotal before discount and tax", "")


def test_a_machine_without_an_arabic_font_is_refused_at_construction(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / LATIN_ONLY_FONT.name).symlink_to(LATIN_ONLY_FONT)
    settings = tmp_path / "fonts.conf"
    settings.write_text(f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    program = "from infrastructure.documents.weasyprint_renderer import WeasyPrintRenderer as R; R()"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SOURCES), "FONTCONFIG_FILE": str(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "ArabicFontMissing" in run.stderr
    assert "fonts-hosny-amiri" in run.stderr


def test_importing_the_module_leaves_weasyprint_out_of_the_process() -> None:
    program = (
        "import sys, infrastructure.documents.weasyprint_renderer; "
        "sys.exit(any(name.startswith('weasyprint') for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCES)}, timeout=60, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_type_status_and_method_has_its_word(language: str) -> None:
    assert set(INVOICE_TYPES[language]) == set(InvoiceType)
    assert set(INVOICE_STATUSES[language]) == set(InvoiceStatus)
    assert set(PAYMENT_METHODS[language]) == set(PaymentMethod)
    assert set(LABELS[language]) == set(LABELS["ar"])


@pytest.mark.parametrize(
    ("minor", "code", "written"),
    [
        (149_900, "EGP", "EGP 1,499.00"),
        (5, "EGP", "EGP 0.05"),
        (-50, "EGP", "EGP -0.50"),
        (-149_900, "EGP", "EGP -1,499.00"),
        (1_234_567, "KWD", "KWD 1,234.567"),
        (1_234_567, "JPY", "JPY 1,234,567"),
    ],
)
def test_amounts_are_grouped_with_all_decimals_of_their_currency(minor: int, code: str, written: str) -> None:
    assert written_amount(Money.of(minor, code)) == written


def test_rates_lose_only_meaningless_zeros() -> None:
    assert [written_rate(rate) for rate in ("14.00", "14.50", "0.00", "10", "100")] == [
        "14%",
        "14.5%",
        "0%",
        "10%",
        "100%",
    ]


def test_dates_name_the_month_in_the_reader_s_language() -> None:
    assert written_date(date(2026, 1, 9), "ar") == "9 يناير 2026"
    assert written_date(date(2026, 12, 31), "en") == "31 December 2026"


@pytest.mark.parametrize(
    ("text", "language", "direction"),
    [
        ("Omar (Jr.)", "ar", "ltr"),
        ("VIP جناح", "ar", "rtl"),
        ("سعيد (الابن)", "en", "rtl"),
        ("Suite النيل", "en", "ltr"),
        ("2014", "ar", "rtl"),
        ("", "en", "ltr"),
    ],
)
def test_a_field_runs_the_way_of_its_letters(text: str, language: str, direction: str) -> None:
    assert direction_of(text, language) == direction
