"""Documents drawn as PDF by WeasyPrint, from the templates beside this file and the system's fonts.

Pango shapes and orders the text, so Arabic letters join and lines run as the Unicode bidirectional
algorithm says; this needs an installed font with Arabic letters (Debian: fonts-hosny-amiri).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from application.billing.ports import InvoiceDocument, InvoiceLine
from application.ledger.books_ports import StatementDocument
from application.payouts.statement_ports import PayoutStatementDocument
from application.sales.manifest_ports import ManifestDocument
from domain.ledger.accounts import CHART, decimals_of
from domain.shared.clock import business_date
from domain.shared.money import Money
from infrastructure.documents.manifest_wording import MANIFEST_LABELS
from infrastructure.documents.payout_wording import KINDS, PAYOUT_LABELS, STATUSES, TRADES
from infrastructure.documents.statement_wording import (
    CAUSES,
    STATEMENT_LABELS,
    reference_word,
    short_id,
    written_units,
)
from infrastructure.documents.wording import (
    DIRECTIONS,
    INVOICE_STATUSES,
    INVOICE_TYPES,
    LABELS,
    LANGUAGES,
    PAYMENT_METHODS,
    direction_of,
    written_amount,
    written_date,
    written_rate,
)

TEMPLATES: Final = Path(__file__).parent / "templates"

_PROBE: Final = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةى"
"""The letters of Arabic; a font that lacks one of them prints squares in somebody's name."""


_NOTHING: Final = Money.of(0, "EGP")
_NOBODYS: Final = InvoiceDocument(
    invoice_number="INV-0000-000000",
    invoice_type="STANDARD",
    status="PAID",
    issue_date=date(2026, 1, 1),
    paid_date=date(2026, 1, 1),
    customer_name=_PROBE,
    customer_email="",
    booking_number="",
    payment_number="",
    payment_method="CREDIT_CARD",
    lines=(InvoiceLine(_PROBE, "", 1, _NOTHING, _NOTHING),),
    subtotal=_NOTHING,
    discount=_NOTHING,
    tax_rate="14.00",
    tax=_NOTHING,
    total=_NOTHING,
)


class ArabicFontMissing(RuntimeError):
    """No installed font can print Arabic; the message says what to install."""


class WeasyPrintRenderer:
    """A DocumentRenderer for one thread of a worker process.

    WeasyPrint is imported when the first one is made (about a second and 60 MB), never with this module.
    Raises ArabicFontMissing where the system has no font with Arabic letters.
    """

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            direction_of=direction_of,
            written_amount=written_amount,
            written_date=written_date,
            written_rate=written_rate,
            written_units=written_units,
            reference_word=reference_word,
            short_id=short_id,
            business_day=business_date,
        )
        self._refuse_without_arabic()

    def rehearse(self) -> None:
        """Draw an invoice of nobody: what its drawing loads and remembers, a third of it, later ones need not."""
        self.invoice(_NOBODYS, "both")

    def invoice(self, document: InvoiceDocument, language: str) -> bytes:
        """The invoice in `ar`, `en` or `both`, each language with its own pages and page numbers."""
        return self._drawn(language, lambda each: self._invoice_html(document, each), ("invoice.css",))

    def statement(self, document: StatementDocument, language: str) -> bytes:
        """The statement of account, in the same languages."""
        return self._drawn(
            language, lambda each: self._statement_html(document, each), ("invoice.css", "statement.css")
        )

    def payout_statement(self, document: PayoutStatementDocument, language: str) -> bytes:
        """What a payout consists of, in the same languages."""
        return self._drawn(language, lambda each: self._payout_html(document, each), ("invoice.css", "statement.css"))

    def manifest(self, document: ManifestDocument, language: str) -> bytes:
        """Who travels on a departure, in the same languages."""
        return self._drawn(language, lambda each: self._manifest_html(document, each), ("invoice.css", "manifest.css"))

    def _drawn(self, language: str, html_in: Callable[[str], str], styles: tuple[str, ...]) -> bytes:
        languages = LANGUAGES if language == "both" else (language,)
        with _not_collecting_garbage():
            parts = [self._laid_out(html_in(each), styles) for each in languages]
            pages = [page for part in parts for page in part.pages]
            pdf: bytes = parts[0].copy(pages).write_pdf()
        return pdf

    def _invoice_html(self, document: InvoiceDocument, language: str) -> str:
        other = "en" if language == "ar" else "ar"
        return self._templates.get_template("invoice.html.jinja").render(
            invoice=document,
            language=language,
            direction=DIRECTIONS[language],
            labels=LABELS[language],
            title=INVOICE_TYPES[language][document.invoice_type],
            other_title=INVOICE_TYPES[other][document.invoice_type],
            status=INVOICE_STATUSES[language][document.status],
            money_width=_widest_amount(document),
            method=PAYMENT_METHODS[language].get(document.payment_method, document.payment_method),
        )

    def _statement_html(self, document: StatementDocument, language: str) -> str:
        figures = document.figures
        line, other = CHART[figures.kind], "en" if language == "ar" else "ar"
        return self._templates.get_template("statement.html.jinja").render(
            statement=document,
            figures=figures,
            period=figures.period,
            account=line.name_ar if language == "ar" else line.name_en,
            unit=figures.unit,
            decimals=decimals_of(figures.unit),
            language=language,
            direction=DIRECTIONS[language],
            labels=STATEMENT_LABELS[language],
            other_title=STATEMENT_LABELS[other]["title"],
            causes=[(CAUSES[language][cause], minor) for cause, minor in document.causes.items()],
            money_width=_widest_units(document),
        )

    def _payout_html(self, document: PayoutStatementDocument, language: str) -> str:
        figures = document.figures
        return self._templates.get_template("payout_statement.html.jinja").render(
            statement=document,
            figures=figures,
            unit=figures.amount.currency.code,
            decimals=figures.amount.currency.exponent,
            language=language,
            direction=DIRECTIONS[language],
            labels=PAYOUT_LABELS[language],
            other_title=PAYOUT_LABELS["en" if language == "ar" else "ar"]["title"],
            status=STATUSES[language][figures.status],
            trade=TRADES[language][figures.payee_type],
            sums=[(KINDS[language][kind], money) for kind, money in figures.sums.items()],
            money_width=_widest_line(document),
        )

    def _manifest_html(self, document: ManifestDocument, language: str) -> str:
        return self._templates.get_template("manifest.html.jinja").render(
            manifest=document.manifest,
            made_on=document.made_on,
            language=language,
            direction=DIRECTIONS[language],
            labels=MANIFEST_LABELS[language],
            other_title=MANIFEST_LABELS["en" if language == "ar" else "ar"]["title"],
        )

    def _laid_out(self, html: str, styles: tuple[str, ...]) -> Any:
        """Rules that a document does not need would be tried on each of its elements."""
        page = self._weasyprint.HTML(string=html, url_fetcher=self._fetcher)
        return page.render(font_config=self._fonts, stylesheets=[self._stylesheets[name] for name in styles])

    def _refuse_without_arabic(self) -> None:
        probe = self._laid_out(f'<html lang="ar" dir="rtl"><title>-</title><p>{_PROBE}</p></html>', ("invoice.css",))
        probe.write_pdf()
        if any(font.missing for font in probe.fonts.values()):
            raise ArabicFontMissing(
                "no installed font has the Arabic letters; install one, such as Debian's fonts-hosny-amiri"
            )

    @cached_property
    def _weasyprint(self) -> Any:
        import weasyprint

        return weasyprint

    @cached_property
    def _fetcher(self) -> Any:
        """Fetches nothing: the templates name no address, and what they are filled with may not add one."""
        from weasyprint.urls import URLFetcher

        return URLFetcher(allowed_protocols=())

    @cached_property
    def _fonts(self) -> Any:
        from weasyprint.text.fonts import FontConfiguration

        return FontConfiguration()

    @cached_property
    def _stylesheets(self) -> dict[str, Any]:
        """The templates' stylesheets by name, read and parsed once."""
        return {
            path.name: self._weasyprint.CSS(
                string=path.read_text("utf-8"), font_config=self._fonts, url_fetcher=self._fetcher
            )
            for path in TEMPLATES.glob("*.css")
        }


@contextmanager
def _not_collecting_garbage() -> Iterator[None]:
    """A document's boxes live until it is written: to look for garbage among them is a tenth of drawing it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _widest_amount(document: InvoiceDocument) -> int:
    """How wide the columns of money are, in digits; never narrower than their headings."""
    amounts = (amount for line in document.lines for amount in (line.unit_price, line.total))
    return max(12, *(len(written_amount(amount)) for amount in amounts))


def _widest_units(document: StatementDocument) -> int:
    """The same for a statement, whose columns carry no currency."""
    figures = document.figures
    amounts = [figures.opening, figures.debits, figures.credits, *(line.balance for line in document.lines)]
    return max(10, *(len(written_units(amount, decimals_of(figures.unit))) + 2 for amount in amounts))


def _widest_line(document: PayoutStatementDocument) -> int:
    """The same for a payout, whose total carries its currency."""
    amounts = [document.figures.amount, document.figures.carried, *(line.amount for line in document.lines)]
    return max(14, *(len(written_amount(amount)) + 2 for amount in amounts))
