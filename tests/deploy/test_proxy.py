"""The proxy that is shipped: slow clients stop nobody, what is too large is refused, callers are who they are."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest

from config.settings import REQUESTS_AT_ONCE
from infrastructure.database.roles import DatabaseAddresses, connect
from middlewares.admission import Bounds
from middlewares.error_handler import CODE_OF_STATUS
from middlewares.messages import MESSAGES
from tests.deploy.conftest import ROOT
from tests.deploy.proxy import NAME, NGINX, START_SECONDS, Proxy, Site, running_proxy, running_site
from tests.machine import free_port

HALF_SENT = 60
KEPT = 8
"""Connections that nginx may keep to the web server: one for each of its processes and groups, on up to four cores."""

OTHERS = 20
SECONDS_FOR_OTHERS = 3.0
"""For each: far above what one takes on a busy machine, far below nginx's patience with the slow."""

SECONDS_OF_PATIENCE = 10
MEBIBYTE = 1024 * 1024

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def site(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(environment, tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def proxy(site: Site) -> Proxy:
    return site.proxy


@needs_nginx
@pytest.mark.slow
@pytest.mark.database
def test_half_sent_requests_stop_nobody_and_never_reach_the_application(site: Site, proxy: Proxy) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(proxy.connect()) for _ in range(2 * HALF_SENT)]
        began = time.monotonic()
        for headers, body in zip(slow[:HALF_SENT], slow[HALF_SENT:], strict=True):
            headers.sendall(f"GET /api/v1/packages HTTP/1.1\r\nHost: {NAME}\r\nX-Slo".encode())
            body.sendall(
                f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
                'Content-Length: 100\r\n\r\n{"email":'.encode()
            )
        for _ in range(OTHERS):
            asked_at = time.monotonic()
            assert proxy.ask("GET", "/api/v1/packages").status == 200
            assert time.monotonic() - asked_at < SECONDS_FOR_OTHERS
            assert site.asked_of_the_app() <= KEPT
        assert time.monotonic() - began < SECONDS_OF_PATIENCE, "the slow ones were there all the while"
        for one in slow:
            _wait_for_the_end(one, began + SECONDS_OF_PATIENCE + 10)


def _wait_for_the_end(connection: socket.socket, deadline: float) -> None:
    connection.settimeout(max(0.1, deadline - time.monotonic()))
    try:
        assert connection.recv(1) == b"", "a half-sent request was answered"
    except ConnectionError:
        return


@needs_nginx
@pytest.mark.slow
@pytest.mark.database
def test_what_is_too_large_is_refused_with_a_problem(proxy: Proxy) -> None:
    login, webhook = "/api/v1/auth/login", "/api/v1/payments/webhooks/sandbox"

    refused = proxy.ask("POST", login, b" " * (MEBIBYTE + 1), Accept_Language="ar-EG,en;q=0.5")
    assert refused.status == 413
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Content-Language"] == "ar"
    problem = json.loads(refused.body)
    assert (problem["status"], problem["code"]) == (413, "payload_too_large")
    assert problem["title"] == MESSAGES["payload_too_large"][1][0]
    assert problem["request_id"] == refused.headers["X-Request-Id"]

    assert b" 262144 bytes" in proxy.ask("POST", webhook, b" " * (MEBIBYTE // 4 + 1)).body
    picture = "/api/v1/payments/0198c0de-0000-7000-8000-000000000000/slip"
    assert proxy.ask("POST", picture, b" " * (2 * MEBIBYTE), Content_Type="image/png").status == 401
    assert proxy.ask("POST", picture, b" " * (11 * MEBIBYTE), Content_Type="image/png").status == 413
    assert proxy.ask("POST", login, b" " * MEBIBYTE).status == 400, "the application reads what is just as long"


@needs_nginx
@pytest.mark.slow
@pytest.mark.database
def test_callers_cannot_choose_their_address_and_secrets_of_addresses_are_logged_nowhere(
    proxy: Proxy, own_addresses: DatabaseAddresses
) -> None:
    body = {"email": "mona@example.com", "password": "correct horse 42", "first_name": "Mona", "last_name": "Adel"}
    answer = proxy.ask(
        "POST", "/api/v1/auth/register?token=hush", json.dumps(body).encode(), X_Forwarded_For="203.0.113.9"
    )
    assert answer.status == 201, answer.body
    with connect(own_addresses.owner) as session:
        assert session.execute("SELECT DISTINCT address FROM sessions").fetchall() == [("127.0.0.1",)]

    line = json.loads(proxy.access_log.read_text("utf-8").splitlines()[-1])
    assert (line["status"], line["request_id"]) == (201, answer.headers["X-Request-Id"])
    assert not re.search(r"hush|register|127\.0\.0\.1|203\.0", proxy.access_log.read_text("utf-8"))


@needs_nginx
def test_metrics_stay_inside_and_web_servers_that_are_gone_are_a_problem_to_come_back_from(tmp_path: Path) -> None:
    with running_proxy(tmp_path, app_port=free_port()) as proxy:
        assert json.loads(proxy.ask("GET", "/metrics").body)["code"] == "not_found"
        gone = proxy.ask("GET", "/api/v1/packages")
    assert (gone.status, gone.headers["Retry-After"]) == (503, "5")
    assert json.loads(gone.body)["code"] == "unavailable"


def test_the_proxy_speaks_in_the_applications_words() -> None:
    said = (ROOT / "deploy/nginx/problems.conf").read_text("utf-8")
    pages = (ROOT / "deploy/nginx/problem_pages.conf").read_text("utf-8")
    answered = dict(re.findall(r'return (\d+) \'\{"type":"/docs/problems#(\w+)"', pages))
    assert len(answered) == 6
    for status, code in answered.items():
        assert CODE_OF_STATUS[int(status)] == code
        assert f'"status":{status},"code":"{code}",$said_of_{status},' in pages
        (block,) = re.findall(rf"\$said_of_{status} \{{\n    (.+)\n    (.+)\n\}}", said)
        for line, language, (title, detail) in zip(block, ("en", "ar"), MESSAGES[code], strict=True):
            sentence = detail.replace("{limit}", "$largest_body")
            assert line == f'{language} \'"title":"{title}","detail":"{sentence}"\';'


def test_its_limits_are_the_applications() -> None:
    from api.webhooks.payments import LARGEST_BODY as OF_WEBHOOKS
    from app import LARGEST_BODY
    from application.pictures import LARGEST_UPLOAD

    said = (ROOT / "deploy/nginx/problems.conf").read_text("utf-8")
    nginx = (ROOT / "deploy/nginx/nginx.conf").read_text("utf-8")
    told = [int(number) for number in re.findall(r" (\d{5,});", said)]
    assert told == [LARGEST_BODY, LARGEST_UPLOAD + 16 * 1024, OF_WEBHOOKS]
    assert [int(number) * 1024 for number in re.findall(r"client_max_body_size (\d+)k;", nginx)] == told


def test_it_lets_in_what_two_processes_work_on_at_once() -> None:
    bounds = Bounds.of(REQUESTS_AT_ONCE)
    of_all, of_reads = 2 * (bounds.changes + bounds.waiting + bounds.webhooks), 2 * bounds.reads
    upstreams = (ROOT / "deploy/nginx/upstream.conf").read_text("utf-8")
    assert [int(number) for number in re.findall(r"max_conns=(\d+)", upstreams)] == [of_all, of_reads]


class _Held:
    """An application that answers nobody until it is let go, and knows who asks."""

    def __init__(self) -> None:
        self.asked: Queue[str] = Queue()
        self._let_go = threading.Event()
        held = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                held.asked.put(self.command)
                held._let_go.wait(START_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = _answer  # noqa: N815 - as http.server names them

            def log_message(self, *_: object) -> None:
                """Nothing: nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> _Held:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()

    def let_go(self) -> None:
        self._let_go.set()


@needs_nginx
def test_a_flood_of_reads_is_refused_at_once_and_changes_and_health_checks_pass(tmp_path: Path) -> None:
    most = int(re.findall(r"max_conns=(\d+)", (ROOT / "deploy/nginx/upstream.conf").read_text("utf-8"))[1])
    with _Held() as app, running_proxy(tmp_path, app.port) as proxy, ThreadPoolExecutor(most + 2) as clients:
        inside = [clients.submit(proxy.ask, "GET", "/api/v1/packages") for _ in range(most)]
        assert [app.asked.get(timeout=START_SECONDS) for _ in inside] == ["GET"] * most

        refused = proxy.ask("GET", "/api/v1/packages")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert json.loads(refused.body)["code"] == "unavailable"

        inside.append(clients.submit(proxy.ask, "POST", "/api/v1/bookings", b"{}"))
        assert app.asked.get(timeout=START_SECONDS) == "POST"
        inside.append(clients.submit(proxy.ask, "GET", "/health/ready"))
        assert app.asked.get(timeout=START_SECONDS) == "GET"

        app.let_go()
        assert {one.result(START_SECONDS).status for one in inside} == {200}
        assert proxy.ask("GET", "/api/v1/packages").status == 200
