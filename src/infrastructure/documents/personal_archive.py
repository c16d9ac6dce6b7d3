"""A person's data as a ZIP: for machines, and for themselves to read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from application.privacy.ports import Document
from infrastructure.documents.archive_words import FIELDS_AR, SECTIONS

_DATA: Final = "data.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)

_WORDS: Final = {
    "ar": {"title": "بياناتك لدى الطيار", "empty": "لا شيء", "files": "الملفات"},
    "en": {"title": "Your data at AltayarVIP", "empty": "Nothing", "files": "Files"},
}


class ZippedArchive:
    """Implements `application.privacy.ports.PersonalDataArchive`; the same data always gives the same bytes."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def pack(self, document: Document, language: str, files: Mapping[str, bytes]) -> bytes:
        contents = {
            _DATA: orjson.dumps(document, option=orjson.OPT_INDENT_2),
            "index.html": self._page(document, language, sorted(files)).encode(),
            **{f"invoices/{name}": content for name, content in sorted(files.items())},
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    def json_of(self, archive: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(_DATA)

    def _page(self, document: Document, language: str, files: list[str]) -> str:
        place = 0 if language == "ar" else 1
        sections = [(SECTIONS.get(name, (name, name))[place], rows) for name, rows in document.items()]
        return self._templates.get_template("personal_data.html.jinja").render(
            language=language,
            direction="rtl" if language == "ar" else "ltr",
            words=_WORDS[language],
            sections=sections,
            files=files,
            label=_label_in(language),
            written=_written,
        )


def _label_in(language: str) -> Callable[[str], str]:
    """What a field is called in a language."""
    names = FIELDS_AR if language == "ar" else {}
    return lambda name: names.get(name, name.replace("_", " ").capitalize())


def _written(value: Any) -> str:
    """One value as a person reads it; instants in UTC, to the minute."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)
