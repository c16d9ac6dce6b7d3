"""Calls to providers: what is certain when they fail, how long they may take, when they stop being made."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from application.billing.ports import OutcomeUnknown, ProviderRefused, ProviderUnreachable
from fake_providers.fawaterk import FawaterkServer
from infrastructure.payment.http import CircuitBreaker, JsonAnswer, ProviderClient

KEY = "demo-vendor-key-0001"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY) as running:
        yield running


def list_methods(client: ProviderClient, base_url: str) -> JsonAnswer:
    return client.call("getPaymentmethods", "GET", f"{base_url}/getPaymentmethods", headers=HEADERS)


def a_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_refused_connection_sent_nothing() -> None:
    with pytest.raises(ProviderUnreachable):
        list_methods(ProviderClient("P"), f"http://127.0.0.1:{a_closed_port()}")


def test_a_name_that_does_not_resolve_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unresolved(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(ProviderUnreachable):
        list_methods(ProviderClient("P"), "https://provider.example.com")


def test_a_failed_tls_handshake_sent_nothing(server: FawaterkServer) -> None:
    with pytest.raises(ProviderUnreachable):
        list_methods(ProviderClient("P"), server.base_url.replace("http://", "https://"))
    assert server.books.calls() == {}


def test_a_connection_that_stands_too_late_is_never_used(
    server: FawaterkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.5)
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    began = time.monotonic()
    with pytest.raises(ProviderUnreachable):
        list_methods(ProviderClient("P", connect_seconds=0.1), server.base_url)
    assert time.monotonic() - began < 0.4
    time.sleep(0.8)
    assert server.books.calls() == {}


@pytest.mark.parametrize("fault", ["timeout_before", "slow"])
def test_the_total_is_bounded_however_the_answer_drips(server: FawaterkServer, fault: str) -> None:
    server.script("getPaymentmethods", fault)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        list_methods(ProviderClient("P", total_seconds=0.4), server.base_url)
    assert time.monotonic() - began < 1.5


def test_fractions_arrive_exactly(server: FawaterkServer) -> None:
    assert list_methods(ProviderClient("P"), server.base_url).status == 200


def test_a_broken_provider_is_left_alone_for_half_a_minute(server: FawaterkServer) -> None:
    seconds = Seconds()
    client = ProviderClient("P", breaker=CircuitBreaker(monotonic=seconds))
    server.script("getPaymentmethods", "error_500", times=6)
    for _ in range(5):
        with pytest.raises(OutcomeUnknown):
            list_methods(client, server.base_url)
    with pytest.raises(ProviderUnreachable):
        list_methods(client, server.base_url)
    assert server.calls("getPaymentmethods") == 5, "nothing is sent while it is open"

    seconds.now += 30
    with pytest.raises(OutcomeUnknown):
        list_methods(client, server.base_url)
    with pytest.raises(ProviderUnreachable):
        list_methods(client, server.base_url)
    assert server.calls("getPaymentmethods") == 6, "one probe, which failed"

    seconds.now += 30
    for _ in range(3):
        assert list_methods(client, server.base_url).status == 200


def test_one_probe_at_a_time() -> None:
    seconds = Seconds()
    breaker = CircuitBreaker(monotonic=seconds)
    for _ in range(5):
        breaker.failed()
    seconds.now += 30
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    seconds.now += 30
    assert breaker.admits(), "a probe that never reported does not close the way for ever"


def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    breaker = CircuitBreaker()
    for _ in range(3):
        for _ in range(4):
            breaker.failed()
        breaker.succeeded()
    assert breaker.admits()


def test_refusals_do_not_open_the_breaker(server: FawaterkServer) -> None:
    client = ProviderClient("P")
    server.script("getPaymentmethods", "refuse", times=8)
    for _ in range(8):
        with pytest.raises(ProviderRefused):
            list_methods(client, server.base_url)


def test_the_log_tells_the_call_and_no_secret(server: FawaterkServer) -> None:
    server.script("createInvoiceLink", "refuse")
    body = b'{"customer":{"email":"mona@example.com","phone":"01000000000"}}'
    with capture_logs() as lines, pytest.raises(ProviderRefused):
        ProviderClient("P").call(
            "createInvoiceLink", "POST", f"{server.base_url}/createInvoiceLink", headers=HEADERS, body=body
        )
    (line,) = lines
    assert (line["event"], line["operation"], line["status"]) == ("provider_call", "createInvoiceLink", 422)
    for secret in (KEY, "mona", "0100", "Bearer"):
        assert secret not in str(line)
