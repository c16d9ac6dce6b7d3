"""The printed manifest: shaped, ordered and complete in both languages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, time
from typing import Any
from uuid import UUID

import pytest

from application.sales.manifest_ports import ManifestDocument
from domain.sales.booking_states import BookingStatus
from domain.sales.manifests import Manifest, Party
from domain.sales.travelers import Traveler
from infrastructure.documents.manifest_wording import MANIFEST_LABELS
from infrastructure.documents.weasyprint_renderer import WeasyPrintRenderer
from tests.contract.test_documents import left_edges, read, text_of


def a_party(*travelers: Traveler, seats: int, **changes: Any) -> Party:
    details: dict[str, Any] = {
        "booking_id": UUID(int=1),
        "booking_number": "BK-2026-000123",
        "status": BookingStatus.CONFIRMED,
        "no_show": False,
        "first_name": "Mona",
        "last_name": "Adel",
        "email": "mona@example.com",
        "phone": "+201001234567",
        "special_requests": "<b>near</b> the lift",
    }
    return Party(**{**details, **changes}, seats=seats, travelers=travelers)


def a_document(*parties: Party) -> ManifestDocument:
    manifest = Manifest(
        departure_id=UUID(int=2),
        name_ar="رحلة نيلية",
        name_en="Nile cruise",
        status="OPEN",
        starts_on=date(2026, 12, 20),
        ends_on=date(2026, 12, 25),
        start_time=time(8, 30),
        time_zone="Africa/Cairo",
        capacity=40,
        parties=parties,
    )
    return ManifestDocument(manifest=manifest, made_on=date(2026, 11, 29))


MONA = Traveler(
    first_name="Mona", last_name="Adel", birth_date=date(1990, 1, 2), document_number="*****567",
    document_expires_on=date(2030, 3, 4),
)  # fmt: skip


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
def test_it_names_everybody_and_counts_those_without_a_name(renderer: WeasyPrintRenderer) -> None:
    late = a_party(seats=1, booking_number="BK-2026-000124", no_show=True)
    text = text_of(renderer.manifest(a_document(a_party(MONA, seats=2), late), "en"))
    for shown in (
        "Passenger manifest", "Nile cruise", "20 December 2026", "08:30", "Africa/Cairo", "BK-2026-000123",
        "+201001234567", "mona@example.com", "Mona Adel", "1990-01-02", "*****567", "2030-03-04",
        "<b>near</b> the lift",
        "Not named yet", "BK-2026-000124", "did not come", "3 Travellers", "Page 1 of 1",
    ):  # fmt: skip
        assert shown in text, shown
    assert text.count("Not named yet") == 3


@pytest.mark.usefixtures("complaints")
def test_columns_run_from_the_right_in_arabic(renderer: WeasyPrintRenderer) -> None:
    document = a_document(a_party(MONA, seats=1))
    arabic, english = (left_edges(renderer.manifest(document, language)) for language in ("ar", "en"))
    assert arabic["2030-03-04"] < arabic["*****567"] < arabic["1990-01-02"]
    assert english["1990-01-02"] < english["*****567"] < english["2030-03-04"]


def test_an_empty_one_says_so_and_both_languages_follow_each_other(renderer: WeasyPrintRenderer) -> None:
    pages = read(renderer.manifest(a_document(), "both")).pages
    assert len(pages) == 2
    assert "Nobody has a confirmed booking" in pages[1].extract_text()


def test_both_languages_have_the_same_words() -> None:
    assert MANIFEST_LABELS["ar"].keys() == MANIFEST_LABELS["en"].keys()
