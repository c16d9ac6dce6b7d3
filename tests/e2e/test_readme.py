"""The README's tour, typed as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.e2e.system import System, log_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

README = Path(__file__).resolve().parents[2] / "README.md"
BY_DEFAULT = "http://127.0.0.1:8000"


def test_the_tour_books_and_pays(system: System) -> None:
    typed = re.search(r"```\n(API=.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert typed is not None
    assert BY_DEFAULT in typed[1]
    told = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", typed[1].replace(BY_DEFAULT, system.address)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (told.returncode, told.stderr) == (0, b"")
    found, payment = (orjson.loads(said) for said in told.stdout.splitlines())
    assert found["items"]
    assert payment["checkout"]["url"]

    customer = log_in(system, "customer@altayar.test", "Altayar-demo-2026")
    customer.choose(payment)
    booking = customer.wait_for_status(f"/bookings/{payment['booking_id']}", "CONFIRMED")
    assert booking["payment_status"] == "PAID"
