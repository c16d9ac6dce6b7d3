"""A user with an address and a connection of its own, who asks when its turn comes."""

from __future__ import annotations

import itertools
import os
import random
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import gevent
import gevent.ssl
from geventhttpclient.client import HTTPClient, HTTPClientPool
from known import SECONDS_BETWEEN, WORLD
from locust import FastHttpUser
from locust.contrib.fasthttp import ResponseContextManager
from locust.exception import RescheduleTask
from pacing import Pacing, source_address

Json = dict[str, Any]

PATIENCE_SECONDS = 30.0
_NUMBERS = itertools.count()
_TRUSTED = gevent.ssl.create_default_context(cafile=os.environ["LOAD_CERTIFICATE"])


class Visitor(FastHttpUser):
    """What all users have in common."""

    abstract = True
    seconds_between = SECONDS_BETWEEN

    def __init__(self, environment: Any) -> None:
        self.number = next(_NUMBERS)
        self.client_pool = _FromOneAddress(source_address(self.number))
        self.chance = random.Random()
        self._pacing = Pacing(self.seconds_between, self.chance)
        super().__init__(environment)

    def ask(self, method: str, name: str, path: str, *, wants: int = 200, **sent: Any) -> Any:
        """One request at its turn, under a name; what was answered. Whoever gets no answer begins from the start."""
        answer = self.send(method, name, path, **sent)
        if answer.status_code != wants:
            raise RescheduleTask
        return answer.json() if answer.content else None

    def send(
        self, method: str, name: str, path: str, *, token: str = "", headers: Json | None = None, **sent: Any
    ) -> ResponseContextManager:
        """The same, answered with whatever came."""
        gevent.sleep(self._pacing.seconds_to_wait(time.monotonic()))
        given = {"Accept-Language": "en", **(headers or {})}
        if token:
            given["Authorization"] = f"Bearer {token}"
        if method != "GET":
            given["Idempotency-Key"] = uuid4().hex
        return self.client.request(method, path, name=name, headers=given, allow_redirects=False, **sent)

    def one_of(self, what: str) -> Any:
        """Anything of what the runner told."""
        return self.chance.choice(WORLD.now()[what])


class Customer(Visitor):
    """Somebody who is signed in."""

    abstract = True

    def token(self) -> str:
        tokens = WORLD.now()["customers"]
        return tokens[self.number % len(tokens)]

    def get(self, name: str, path: str) -> Any:
        return self.ask("GET", name, f"/api/v1{path}", token=self.token())

    def post(self, name: str, path: str, body: Json, *, wants: int = 201) -> Any:
        return self.ask("POST", name, f"/api/v1{path}", wants=wants, token=self.token(), json=body)

    def wanted(self) -> Json:
        """Two seats somewhere."""
        package, departure = self.one_of("trips")
        return {"package_id": package, "departure_id": departure, "travelers_count": 2}

    def pay_at_sandbox(self, body: Json) -> None:
        """Open a checkout, look at its page, and pay there."""
        payment = self.post("POST payments", "/payments", {**body, "method": "CREDIT_CARD", "provider": "SANDBOX"})
        page = urlsplit(payment["checkout"]["url"]).path
        self.send("GET", "GET checkout page", page)
        self.send("POST", "POST checkout page", page, data="outcome=paid",
                  headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip


class _FromOneAddress(HTTPClientPool):
    """Connections from one address to the proxy of this machine, whatever its name is."""

    def __init__(self, address: str) -> None:
        super().__init__(
            ssl_context_factory=lambda cafile=None: _TRUSTED,
            connection_timeout=PATIENCE_SECONDS,
            network_timeout=PATIENCE_SECONDS,
            # One is in use; what breaks off in the middle of an answer does not give its place back.
            concurrency=100,
        )
        self._address = address

    def get_client(self, url: Any) -> HTTPClient:
        client = super().get_client(url)
        pool = client._connection_pool
        if "_create_socket" not in vars(pool):
            port = client.port

            def connect() -> gevent.ssl.SSLSocket:
                plain = gevent.socket.create_connection(
                    ("127.0.0.1", port), timeout=PATIENCE_SECONDS, source_address=(self._address, 0)
                )
                return _TRUSTED.wrap_socket(plain, server_hostname=client.host)

            pool._create_socket = connect
        return client
