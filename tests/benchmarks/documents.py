"""Target 18: invoices drawn by a worker that is warm, beside WeasyPrint as the first page of its manual calls it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import date

from application.billing.ports import InvoiceDocument, InvoiceLine
from domain.shared.money import Money
from infrastructure.documents.weasyprint_renderer import TEMPLATES, WeasyPrintRenderer
from tests.benchmarks.harness import Comparison, Findings, Target, take_turns
from tests.benchmarks.servers import System

INVOICES = Target(18, "invoices from a warm worker / naive WeasyPrint", gate=1.3, stretch=2)

_LANGUAGES = ("ar", "en")


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """The same invoice in both languages in turn, by the renderer and naively from the same page."""
    import weasyprint

    renderer = WeasyPrintRenderer()
    style = (TEMPLATES / "invoice.css").read_text("utf-8")

    def warm(number: int) -> int:
        return len(renderer.invoice(_invoice(number), _LANGUAGES[number % 2]))

    def naive(number: int) -> int:
        page = renderer._invoice_html(_invoice(number), _LANGUAGES[number % 2])
        styled = page.replace("</head>", f"<style>{style}</style></head>")
        assert styled != page
        return len(weasyprint.HTML(string=styled).write_pdf())

    warm(0), naive(0)
    # As a worker does before its first job.
    gc.freeze()
    rates = take_turns(rounds, lambda: _rate(warm, seconds), lambda: _rate(naive, seconds))
    return Findings(comparisons=[Comparison(INVOICES, "invoices / s", ours=rates[0], floor=rates[1])])


def _rate(draw: Callable[[int], int], seconds: float) -> float:
    """Invoices a second, by processor time."""
    began, wall, drawn = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - wall < seconds:
        assert draw(drawn) > 1_000
        drawn += 1
    return drawn / (time.process_time() - began)


def _invoice(number: int) -> InvoiceDocument:
    egp = lambda minor: Money.of(minor, "EGP")  # noqa: E731 - shorter than it is long
    lines = tuple(
        InvoiceLine(f"رحلة نيلية رقم {place}", f"Nile cruise number {place}", 2, egp(124_950), egp(249_900))
        for place in range(1, 6)
    )
    return InvoiceDocument(
        invoice_number=f"INV-2026-{number:06}",
        invoice_type="STANDARD",
        status="PAID",
        issue_date=date(2026, 7, 21),
        paid_date=date(2026, 7, 21),
        customer_name="منى عبد الرحمن",
        customer_email="customer@altayar.test",
        booking_number="BK-2026-000123",
        payment_number="PAY-2026-000123",
        payment_method="CREDIT_CARD",
        lines=lines,
        subtotal=egp(1_249_500),
        discount=egp(0),
        tax_rate="14.00",
        tax=egp(174_930),
        total=egp(1_424_430),
    )
