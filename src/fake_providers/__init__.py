"""Fake providers: payment providers on loopback with books of their own, for tests and for `altayar demo`.

They take no money and are refused in production. Nothing in the layers imports them, and they import nothing
of the layers: a fake that shared code with what it tests would share its mistakes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


class FakeInProduction(Exception):
    """A fake provider was about to start where real money is taken."""


def refuse_in_production(environ: Mapping[str, str] | None = None) -> None:
    """Raises FakeInProduction where ENVIRONMENT says production."""
    told = os.environ if environ is None else environ
    if told.get("ENVIRONMENT", "").strip() == "production":
        raise FakeInProduction("fake providers take no money and are refused in production")
