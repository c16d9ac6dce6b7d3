"""Starts both embedded servers of a home folder and waits; run by tests, to be killed by them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis

if __name__ == "__main__":
    home = Path(sys.argv[1])
    EmbeddedPostgres(home, settings={"fsync": "off"}).start()
    EmbeddedRedis(home).start()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    time.sleep(120)
