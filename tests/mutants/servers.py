"""One database server and one migrated database for all mutants that do not change how a database is made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.conftest import OWNER, TEMPLATE, THROW_AWAY, make_home, make_template


@contextmanager
def a_template() -> Iterator[Mapping[str, str]]:
    """What runs of pytest have to know to clone it; it ends with the block."""
    home = make_home()
    postgres = EmbeddedPostgres(home, settings=THROW_AWAY)
    try:
        url = postgres.start()
        yield {OWNER: url, TEMPLATE: make_template(url)}
    finally:
        postgres.stop()
        postgres.discard()
        shutil.rmtree(home, ignore_errors=True)
