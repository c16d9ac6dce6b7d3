"""What takes so long that `make test` leaves it to `make faults`, which sets ALTAYAR_FAULTS=all."""

from __future__ import annotations

import os

import pytest

IS_WHOLE = os.environ.get("ALTAYAR_FAULTS") == "all"

whole = pytest.mark.skipif(not IS_WHOLE, reason="a part of `make faults` (ALTAYAR_FAULTS=all)")
