"""Copies of the project, in which mistakes are made and tests are run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.table import ROOT

_STAYS = shutil.ignore_patterns(".git", ".venv", ".altayar", ".hypothesis", ".*_cache", "node_modules")


@contextmanager
def a_copy(of: Path = ROOT) -> Iterator[Path]:
    """A copy in a temporary folder, removed afterwards.

    Compiled files come with it: Python takes them where a source is as old and as long as it was, so that a copy of a
    copy in which tests ran compiles what was mutated and nothing else.
    """
    with tempfile.TemporaryDirectory(prefix="altayar-mutant-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(of, tree, ignore=_STAYS, symlinks=True)
        yield tree
