"""A name for the device that a User-Agent header speaks of (RFC 9110 §10.1.5)."""

from __future__ import annotations

import re
from typing import Final

# Order matters: nearly every browser also claims to be Safari, and most to be Chrome.
_PROGRAMS: Final = (
    ("AltayarVIP", "AltayarVIP"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_FIRST_PRODUCT: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,39}")


def device_label(user_agent: str) -> str | None:
    """Program and system, such as "Chrome, Windows"; the program's own name where it is unknown; None for none."""
    program = _first_named(_PROGRAMS, user_agent)
    system = _first_named(_SYSTEMS, user_agent)
    known = ", ".join(filter(None, (program, system)))
    if known:
        return known
    product = _FIRST_PRODUCT.match(user_agent)
    return product.group().strip() if product else None


def _first_named(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((label for token, label in names if token in text), None)
