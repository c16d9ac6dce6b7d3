"""When too many sign in at once, some are asked to come back; everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app import create_app
from infrastructure.bootstrap import Running
from infrastructure.hashing import SignInBusy
from security.password_handler import BcryptPasswords


def no_room(_work: Callable[[], bytes]) -> bytes:
    raise SignInBusy()


def test_an_overloaded_sign_in_says_when_to_come_back(running: Running, sign_up: Callable[..., Any]) -> None:
    person = sign_up()
    full = replace(running.dependencies, passwords=BcryptPasswords(4, no_room))
    client = create_app(running=replace(running, dependencies=full)).test_client()

    refused = client.post("/api/v1/auth/login", json={"email": person.email, "password": "correct horse 42"})

    assert (refused.status_code, refused.json["code"]) == (503, "sign_in_busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/api/v1/bookings", headers=person.headers).status_code == 200
