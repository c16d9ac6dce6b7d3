"""Measure us beside the floors: `python -m tests.benchmarks [posting] [ledger] [http] [intake] … [--seconds N] …`."""

from __future__ import annotations

import sys

from tests.benchmarks import documents, http, intake, ledger, logins, payroll, posting, relay, search, sweep, workers
from tests.benchmarks.program import Benchmark, run

BENCHMARKS: dict[str, Benchmark] = {
    "posting": posting.measure,
    "ledger": ledger.measure,
    "http": http.measure,
    "intake": intake.measure,
    "relay": relay.measure,
    "logins": logins.measure,
    "search": search.measure,
    "sweep": sweep.measure,
    "workers": workers.measure,
    "documents": documents.measure,
    "payroll": payroll.measure,
}

if __name__ == "__main__":
    sys.exit(run(BENCHMARKS, sys.argv[1:], name="python -m tests.benchmarks", purpose="Measure us beside the floors."))
