"""One database server and one migrated database for all mutants that do not change how a database is made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.conftest import JANITOR, OWNER, TEMPLATE, make_home, make_template
from tests.databases import ThrowAwayPostgres


@contextmanager
def a_template() -> Iterator[Mapping[str, str]]:
    """What runs of pytest have to know to clone it; it ends with the block."""
    home = make_home()
    postgres = ThrowAwayPostgres(home)
    try:
        url = postgres.start()
        yield {OWNER: url, JANITOR: postgres.janitor_url, TEMPLATE: make_template(url)}
    finally:
        postgres.stop()
        postgres.discard()
        shutil.rmtree(home, ignore_errors=True)
