"""HTML pages without scripts: one layout, one style sheet inside the page, a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from middlewares.language import reading_language

LANGUAGES: Final = ("ar", "en")
DIRECTIONS: Final[Mapping[str, str]] = {"ar": "rtl", "en": "ltr"}
LAYOUT: Final = Path(__file__).parent / "templates"

_STYLE: Final = (LAYOUT / "page.css").read_text("utf-8")
# The digest allows exactly this style, so the page needs no address for it and no random number (CSP 3 §2.3.1).
_STYLE_SOURCE: Final = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


class Pages:
    """The templates of one folder, within the common layout."""

    def __init__(self, folder: Path = LAYOUT) -> None:
        self._templates = Environment(
            loader=FileSystemLoader([folder, LAYOUT]),
            # Always: Flask would escape by a name's end, and `.html.jinja` is not on its list.
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(
        self,
        template: str,
        language: str,
        facts: Mapping[str, object],
        *,
        status: int = 200,
        leads_to: Iterable[str] = (),
    ) -> Response:
        """A page that is neither kept nor framed; `leads_to` are the addresses that its form may end at."""
        html = self._templates.get_template(template).render(
            facts,
            language=language,
            direction=DIRECTIONS[language],
            style=Markup(_STYLE),  # noqa: S704 - our file
        )
        response = Response(html, status=status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _policy(leads_to)
        response.headers["Content-Language"] = language
        response.headers["Cache-Control"] = "no-store"
        return response


def page_language(otherwise: str | None = None) -> str:
    """`?lang=` where it is one of ours, else what the page knows of its reader, else Accept-Language."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return otherwise if otherwise in LANGUAGES else reading_language()


def wants_page() -> bool:
    """Whether a refusal is read by a person: browsers ask for HTML, and whoever posts JSON reads JSON."""
    kinds = ["text/html", "application/problem+json", "application/json"]
    accepted = request.accept_mimetypes
    preferred = accepted.best_match(kinds[1:] + kinds[:1] if request.is_json else kinds) if accepted else None
    return preferred == "text/html" if preferred else not request.is_json


def _policy(leads_to: Iterable[str]) -> str:
    """Content-Security-Policy. Browsers hold redirects after a form to `form-action` too."""
    targets = " ".join(dict.fromkeys(["'self'", *map(_source, leads_to)]))
    return (
        f"default-src 'none'; style-src {_STYLE_SOURCE}; img-src data:; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _source(url: str) -> str:
    """An address's origin as a policy names it; its scheme alone where a policy has no way to name the host."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = "", ""
    scheme = "http" if parts.scheme == "http" else "https"
    return f"{scheme}://{host}{port}" if _HOST.fullmatch(host) else f"{scheme}:"
