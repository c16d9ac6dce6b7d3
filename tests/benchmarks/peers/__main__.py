"""Measure us beside our peers: `python -m tests.benchmarks.peers [hordak] [pretix] [--seconds N] …`.

`scripts/peers.sh` installs them first.

A peer is a folder: `program.py` runs in the peer's environment and knows nothing of us, `comparison.py` asks it and
measures us by turns with it.
"""

from __future__ import annotations

import sys

from tests.benchmarks.peers.hordak import comparison as hordak
from tests.benchmarks.peers.pretix import comparison as pretix
from tests.benchmarks.program import Benchmark, run

PEERS: dict[str, Benchmark] = {"hordak": hordak.measure, "pretix": pretix.measure}

if __name__ == "__main__":
    sys.exit(run(PEERS, sys.argv[1:], name="python -m tests.benchmarks.peers", purpose="Measure us beside our peers."))
