"""Mails written with Jinja, from the templates beside this file.

`<name>.<language>.txt.jinja` holds the subject in its first line, an empty line, and the text;
`<name>.<language>.html.jinja` the same in HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.messaging.ports import EmailMessage, MailName
from domain.shared.money import Money
from infrastructure.documents.wording import DIRECTIONS, written_amount, written_date

TEMPLATES: Final = Path(__file__).parent / "templates"

# The characters that open and close bidirectional runs (UAX #9 §2): only our own may stand in a mail.
_BIDI_CONTROLS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class JinjaMailTemplates:
    """MailTemplates whose files are part of the program; safe to share between threads."""

    def __init__(self) -> None:
        self._templates = _environment()

    def compose(
        self, name: MailName, facts: Mapping[str, object], *, to: str, message_id: str, language: str
    ) -> EmailMessage:
        """The mail of that name; raises jinja2.UndefinedError, naming it, for a fact that is missing."""
        shown = {fact: _written(value, language) for fact, value in facts.items()}
        plain = self._templates.get_template(f"{name}.{language}.txt.jinja").render(shown)
        subject, _, text = plain.partition("\n\n")
        html = self._templates.get_template(f"{name}.{language}.html.jinja").render(
            shown, **_page(language), subject=subject, heading=subject
        )
        return EmailMessage(to=to, subject=subject, text=text, html=html, message_id=message_id, language=language)


@cache
def _environment() -> Environment:
    """What keeps the templates that were read: one for the process."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(disabled_extensions=("txt.jinja",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["isolated"] = _isolated
    return environment


def _page(language: str) -> dict[str, str]:
    is_rtl = DIRECTIONS[language] == "rtl"
    # Named sides, because mail readers know no logical ones.
    return {
        "language": language,
        "direction": DIRECTIONS[language],
        "start": "right" if is_rtl else "left",
        "end": "left" if is_rtl else "right",
    }


def _written(value: object, language: str) -> str:
    """A fact as it is read, in one line: a name with line ends could write paragraphs of its own."""
    if isinstance(value, Money):
        return written_amount(value)
    if isinstance(value, date):
        return written_date(value, language)
    return " ".join(str(value).translate(_BIDI_CONTROLS).split())


def _isolated(value: str) -> str:
    """Between FIRST STRONG ISOLATE and its end, so that it does not turn the text around it."""
    return f"\u2068{value}\u2069"
