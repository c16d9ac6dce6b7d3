"""A machine whose clock is wrong: every program of ours runs under libfaketime, as they would on one host that lost its
time server. PostgreSQL, Redis, the mail server and the provider are elsewhere, and right.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from infrastructure.embedded.redis import EmbeddedRedis
from tests.e2e.invariants import STATES, broken, unlike_books
from tests.e2e.system import ROOT, System, a_database, a_session, running_system, sign_up
from tests.faults.whole import whole

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
    whole,
]

ELEVEN_MINUTES, ONE_DAY = timedelta(minutes=11), timedelta(days=1)
WRONG_BY = {"+11m": ELEVEN_MINUTES, "-11m": -ELEVEN_MINUTES, "+1d": ONE_DAY, "-1d": -ONE_DAY}

_SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""
"""libfaketime 0.9.10 refuses to sleep by a clock that it does not fake, which is what Python's own `sleep` asks for."""


@pytest.fixture(params=WRONG_BY)
def wrong_by(request: pytest.FixtureRequest) -> str:
    offset: str = request.param
    return offset


@pytest.fixture
def system(wrong_by: str, tmp_path: Path) -> Iterator[System]:
    """`altayar up`, with all that it starts, by a clock that is so much ahead or behind."""
    (tmp_path / "sitecustomize.py").write_text(_SLEEP, "utf-8")
    faked = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME": wrong_by,
        # How long something takes is told truly, also where the time of day is not.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": f"{ROOT / 'src'}:{tmp_path}",
    }
    with (
        a_database() as addresses,
        EmbeddedRedis(tmp_path / "redis") as redis_url,
        running_system(addresses, redis_url, tmp_path, **faked) as running,
    ):
        yield running


def test_every_program_by_a_wrong_clock_books_money_once(system: System, wrong_by: str) -> None:
    with a_session() as session:
        told = parsedate_to_datetime(session.get(f"{system.address}/health", timeout=30).headers["Date"])
    assert abs(told - datetime.now(UTC) - WRONG_BY[wrong_by]) < timedelta(minutes=1), "the clock is not wrong"

    customer, amount = sign_up(system), {"amount": "2500.00", "currency": "EGP"}
    asked = {"amount": amount, "method": "CREDIT_CARD", "provider": "FAWATERK"}
    deposit = customer.post("/wallet/deposits", asked)
    customer.choose(deposit)
    customer.wait_for_status(f"/payments/{deposit['id']}", "PAID")
    # Told of once more, late: it is booked already.
    system.fawaterk.send_webhook(
        "paid", deposit["provider_reference"], f"{system.address}/api/v1/payments/webhooks/fawaterk_json", form=False
    )

    package = next(row for row in customer.get("/packages?limit=50")["items"] if row["next_departure"] is not None)
    [departure, *_] = customer.get(f"/packages/{package['id']}/departures")["items"]
    booking = customer.book({"package_id": package["id"], "departure_id": departure["id"]}, travelers=1)
    paid = customer.open_payment(booking, "FAWATERK")
    customer.choose(paid)
    customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    [invoice] = customer.wait_for_items(f"/invoices?booking_id={booking['id']}")
    assert customer.pdf(invoice, "both").startswith(b"%PDF")

    assert customer.get("/wallet")["available"] == amount
    system.wait_for(lambda: not unlike_books(system.fawaterk, system.addresses), "equal books")
    assert broken(system.addresses, STATES) == []
