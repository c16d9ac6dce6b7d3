"""`python -m tests.faults`: every fault of the catalogue, one after the other, and what became of each.

Seeds are printed first; `ALTAYAR_FAULTS_SEED` runs the same again. The summary goes to docs/fault-results.md, or to the
file that ALTAYAR_FAULTS_RESULTS names. Further words are pytest's: `python -m tests.faults -k redis`.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from tests.faults.catalogue import FAULTS, nodes
from tests.faults.results import Outcomes, as_document, as_table, without_tests

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "fault-results.md"
HERE, PROCESSES = "tests/faults", "2"


def main(words: list[str]) -> int:
    """Run them all; 0 where every fault was met and nothing failed."""
    console, seed = Console(width=120), int(os.environ.get("ALTAYAR_FAULTS_SEED") or random.randrange(2**32))
    os.environ["ALTAYAR_FAULTS"] = "all"
    os.environ.setdefault("ALTAYAR_STORM_SEED", str(seed))
    console.print(f"ALTAYAR_FAULTS_SEED={seed}: order, storms and drawn examples follow from it")
    outcomes, began = Outcomes(), time.monotonic()
    seeded = [f"--randomly-seed={seed}", f"--hypothesis-seed={seed}"]
    elsewhere = [node for node in nodes() if not node.startswith(f"{HERE}/")]
    status = pytest.main(["-n", PROCESSES, *seeded, *words, *elsewhere, HERE], plugins=[outcomes])
    seconds = time.monotonic() - began
    console.print(as_table(FAULTS, outcomes))
    untried = without_tests(FAULTS, outcomes)
    if not words:
        _kept_at().write_text(as_document(FAULTS, outcomes, seed=seed, seconds=seconds), "utf-8")
        console.print(f"written to {_kept_at()}")
    for fault in untried:
        console.print(f"nothing tried: {fault.words}")
    return int(status) or int(bool(untried) and not words)


def _kept_at() -> Path:
    return Path(os.environ.get("ALTAYAR_FAULTS_RESULTS") or RESULTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
