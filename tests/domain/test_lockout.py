"""Who is counted together when passwords are guessed, and what devices are called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identity.devices import device_label
from domain.identity.lockout import Attempt, TooManyAttempts
from tests.builders import NOON


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("2001:db8::1", "2001:db8::ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
        ("unix:", "192.0.2.7", False),
    ],
)
def test_a_subscribers_addresses_are_counted_together(one: str, other: str, together: bool) -> None:
    assert (Attempt("a@example.com", one).origin == Attempt("a@example.com", other).origin) == together


def test_accounts_addresses_and_registrations_are_counted_apart() -> None:
    attempt = Attempt("192.0.2.7", "192.0.2.7")

    assert len({attempt.account, attempt.origin, Attempt("192.0.2.7", "", by_registering=True).account}) == 3


@pytest.mark.parametrize(
    ("left", "seconds"), [(timedelta(), 1), (timedelta(milliseconds=1), 1), (timedelta(seconds=9.5), 10)]
)
def test_who_waits_as_long_as_is_said_has_waited_long_enough(left: timedelta, seconds: int) -> None:
    assert TooManyAttempts(until=NOON + left, at=NOON).facts["retry_after"] == seconds


MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome, Windows"),
        (f"{MOZILLA} (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15", "Safari, macOS"),
        (f"{MOZILLA} (iPad; CPU OS 18_5 like Mac OS X) CriOS/140.0 Mobile Safari/604.1", "Chrome, iPad"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox, Linux"),
        (f"{MOZILLA} (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Mobile", "Samsung Internet, Android"),
        ("AltayarVIP/2.1 (Android 15)", "AltayarVIP, Android"),
        ("curl/8.5.0", "curl"),
        ("", None),
        ("<script>", None),
        ("\u202e\u0645", None),
    ],
)
def test_a_device_is_named_by_program_and_system(user_agent: str, label: str | None) -> None:
    assert device_label(user_agent) == label
