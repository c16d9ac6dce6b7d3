"""The archive of a person's data: whole, readable without a network, and the same every time."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from infrastructure.database.personal_data import PERSONAL_DATA
from infrastructure.database.privacy.exports import shown_name
from infrastructure.documents.archive_words import FIELDS_AR, SECTIONS
from infrastructure.documents.personal_archive import ZippedArchive

DOCUMENT: dict[str, list[dict[str, Any]]] = {
    "profile": [{"first_name": "<script>alert(1)</script>", "phone": None}],
    "payments": [{"amount": {"amount": "10.50", "currency": "EGP"}}],
    "notifications": [],
    "something_new": [{"roles": ["CUSTOMER"]}],
}


def page_of(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read("index.html").decode()


@pytest.mark.parametrize(("language", "direction", "word"), [("ar", "rtl", "المدفوعات"), ("en", "ltr", "Payments")])
def test_it_is_read_in_ones_own_language(language: str, direction: str, word: str) -> None:
    page = page_of(ZippedArchive().pack(DOCUMENT, language, {}))

    assert f'<html lang="{language}" dir="{direction}">' in page
    for shown in (word, "10.50 EGP", "—", "something_new", "&lt;script&gt;alert(1)&lt;/script&gt;"):
        assert shown in page
    for reaching_out in ("<script", "http://", "https://", "src=", "@import", "url("):
        assert reaching_out not in page


def test_files_and_data_are_in_it_as_they_are() -> None:
    packed = ZippedArchive().pack(DOCUMENT, "en", {"INV-1-en.pdf": b"%PDF-1"})

    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.namelist() == ["data.json", "index.html", "invoices/INV-1-en.pdf"]
        assert opened.read("invoices/INV-1-en.pdf") == b"%PDF-1"
    assert json.loads(ZippedArchive().json_of(packed)) == DOCUMENT
    assert packed == ZippedArchive().pack(DOCUMENT, "en", {"INV-1-en.pdf": b"%PDF-1"})


def test_every_part_of_an_export_has_a_heading_in_both_languages() -> None:
    assert set(SECTIONS) == {holding.exported_as for holding in PERSONAL_DATA if holding.exported_as}


def test_every_field_of_an_export_has_an_arabic_name() -> None:
    exported = {shown_name(column) for holding in PERSONAL_DATA for column in holding.exported}

    assert exported - set(FIELDS_AR) == set()
