"""Sessions: every device is listed, ended alone or with all others, and refreshed by one token at a time (S3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.identity.signing_in import RefreshSession, SignedIn, refresh_session
from domain.identity.sessions import SessionEnded
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
REFRESH = "/api/v1/auth/refresh"


@pytest.fixture
def tokens(client: FlaskClient) -> dict[str, Any]:
    """Somebody who has just registered."""
    body = {"email": "mona@example.com", "password": "correct horse 42", "first_name": "Mona", "last_name": "Adel"}
    answer: dict[str, Any] = client.post("/api/v1/auth/register", json=body).json
    return answer


def log_in(client: FlaskClient, user_agent: str = "curl/8.5.0", address: str = "192.0.2.7") -> dict[str, Any]:
    body = {"email": "mona@example.com", "password": "correct horse 42"}
    answer = client.post(
        "/api/v1/auth/login",
        json=body,
        headers={"User-Agent": user_agent},
        environ_overrides={"REMOTE_ADDR": address},
    )
    assert answer.status_code == 200
    signed_in: dict[str, Any] = answer.json
    return signed_in


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def refresh(client: FlaskClient, tokens: dict[str, Any]) -> Any:
    return client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})


def sessions(client: FlaskClient, tokens: dict[str, Any], query: str = "") -> Any:
    answer = client.get(f"/api/v1/users/me/sessions{query}", headers=bearer(tokens))
    assert answer.status_code == 200
    return answer.json


def family(shop: Shop) -> Any:
    """Why the only session is over, and how many of its tokens work."""
    return shop.database.row(
        """SELECT s.revoked_reason,
                  count(*) FILTER (WHERE t.used_at IS NULL AND t.withdrawn_at IS NULL AND s.revoked_at IS NULL) AS live
           FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id GROUP BY s.id"""
    )


class TestTheList:
    def test_it_shows_each_device_and_which_one_is_asking(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        phone = log_in(client, SAFARI)
        shown = sessions(client, phone)["items"]
        assert [(one["device"], one["address"], one["current"]) for one in shown] == [
            ("Safari, iPhone", "192.0.2.7", True),
            ("Werkzeug", "127.0.0.1", False),
        ]
        assert set(shown[0]) == {"id", "device", "address", "created_at", "last_used_at", "current"}

    def test_last_use_is_the_last_refresh(
        self, client: FlaskClient, tokens: dict[str, Any], clock: MovableClock
    ) -> None:
        clock.offset = timedelta(hours=2)
        tokens = refresh(client, tokens).json
        (shown,) = sessions(client, tokens)["items"]
        passed = datetime.fromisoformat(shown["last_used_at"]) - datetime.fromisoformat(shown["created_at"])
        assert timedelta(hours=2) <= passed < timedelta(hours=2, minutes=1)

    def test_it_is_a_page(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        for _ in range(2):
            log_in(client)
        first = sessions(client, tokens, "?limit=2")
        second = sessions(client, tokens, f"?limit=2&cursor={first['next_cursor']}")
        seen = [one["id"] for one in first["items"] + second["items"]]
        assert (len(seen), len(set(seen)), second["next_cursor"]) == (3, 3, None)

    def test_it_shows_neither_others_sessions_nor_those_that_are_over(
        self, client: FlaskClient, tokens: dict[str, Any], sign_up: SignUp, clock: MovableClock
    ) -> None:
        sign_up()
        over = log_in(client)
        client.post("/api/v1/auth/logout", json={"refresh_token": over["refresh_token"]})
        assert len(sessions(client, tokens)["items"]) == 1
        clock.offset = timedelta(days=30, seconds=1)
        assert len(sessions(client, log_in(client))["items"]) == 1


class TestEnding:
    def test_one_session_ends_and_the_others_go_on(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        phone = log_in(client, SAFARI)
        ended = next(one["id"] for one in sessions(client, tokens)["items"] if not one["current"])
        path = f"/api/v1/users/me/sessions/{ended}"
        assert client.delete(path, headers=bearer(tokens)).status_code == 204
        problem(refresh(client, phone), 401, "session_ended")
        problem(client.patch("/api/v1/users/me", json={}, headers=bearer(phone)), 401, "unauthorized")
        assert refresh(client, tokens).status_code == 200
        problem(client.delete(path, headers=bearer(tokens)), 404, "session_not_found")

    def test_anothers_session_is_not_there(self, shop: Shop, tokens: dict[str, Any], sign_up: SignUp) -> None:
        stranger = sign_up()
        (own,) = sessions(shop.client, tokens)["items"]
        before = shop.state()
        answer = shop.client.delete(f"/api/v1/users/me/sessions/{own['id']}", headers=stranger.headers)
        problem(answer, 404, "session_not_found")
        assert shop.state() == before

    def test_signing_out_everywhere_ends_them_all(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        phone = log_in(client, SAFARI)
        assert client.post("/api/v1/auth/logout-all", headers=bearer(phone)).status_code == 204
        for each in (tokens, phone):
            problem(refresh(client, each), 401, "session_ended")
            problem(client.delete("/api/v1/users/me", headers=bearer(each)), 401, "unauthorized")
        problem(client.post("/api/v1/auth/logout-all"), 401, "unauthorized")
        assert log_in(client)["user"]["email"] == "mona@example.com"


class TestRefreshing:
    @pytest.mark.parametrize("seconds", [0, 9, 11])
    def test_a_spent_token_ends_the_session_however_soon_it_comes_again(
        self, shop: Shop, client: FlaskClient, tokens: dict[str, Any], clock: MovableClock, seconds: int
    ) -> None:
        successor = refresh(client, tokens).json
        clock.offset = timedelta(seconds=seconds)
        problem(refresh(client, tokens), 401, "session_ended")
        # Although the request was refused, that is remembered: nothing of the family works any more.
        assert family(shop) == {"revoked_reason": "refresh token used twice", "live": 0}
        problem(refresh(client, successor), 401, "session_ended")
        problem(client.patch("/api/v1/users/me", json={}, headers=bearer(successor)), 401, "unauthorized")

    def test_nor_once_its_successor_was_used(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        successor = refresh(client, tokens).json
        newest = refresh(client, successor).json
        problem(refresh(client, tokens), 401, "session_ended")
        problem(refresh(client, newest), 401, "session_ended")

    def test_other_sessions_of_the_person_go_on(self, client: FlaskClient, tokens: dict[str, Any]) -> None:
        phone = log_in(client, SAFARI)
        refresh(client, tokens)
        problem(refresh(client, tokens), 401, "session_ended")
        assert refresh(client, phone).status_code == 200

    def test_of_two_at_once_the_first_is_answered_and_the_second_ends_the_family(
        self, shop: Shop, tokens: dict[str, Any], running: Running, addresses: DatabaseAddresses
    ) -> None:
        use, command = running.dependencies, RefreshSession(refresh_token=tokens["refresh_token"], address="192.0.2.7")
        answered: list[SignedIn] = []

        def renewing() -> None:
            answered.append(refresh_session(command, uow=use.new_uow(), tokens=use.tokens, clock=use.clock))

        refused = one_behind_the_other(renewing, renewing, database=running.database, addresses=addresses)

        assert isinstance(refused, SessionEnded)
        (won,) = answered
        assert family(shop) == {"revoked_reason": "refresh token used twice", "live": 0}
        problem(refresh(shop.client, {"refresh_token": won.refresh_token}), 401, "session_ended")

    def test_of_many_at_once_one_is_answered_and_no_token_is_good(
        self, app: Flask, shop: Shop, tokens: dict[str, Any]
    ) -> None:
        def one() -> Callable[[], int]:
            return lambda: int(refresh(app.test_client(), tokens).status_code)

        answers = all_at_once([one() for _ in range(5)])
        assert sorted(answers, key=str) == [200, 401, 401, 401, 401]
        assert family(shop) == {"revoked_reason": "refresh token used twice", "live": 0}

    @pytest.mark.parametrize("change", ["status = 'DISABLED'", "deleted_at = now()"])
    def test_who_may_not_sign_in_any_more_is_refused_and_the_session_is_over(
        self, shop: Shop, tokens: dict[str, Any], addresses: DatabaseAddresses, change: str
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute(f"UPDATE users SET {change}")
        problem(refresh(shop.client, tokens), 401, "session_ended")
        assert shop.database.row("SELECT revoked_reason FROM sessions") == {"revoked_reason": "account disabled"}
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET status = 'ACTIVE', deleted_at = NULL")
        problem(refresh(shop.client, tokens), 401, "session_ended")

    def test_refreshing_and_signing_out_everywhere_at_once_never_wait_for_each_other(
        self, app: Flask, client: FlaskClient, tokens: dict[str, Any]
    ) -> None:
        for _ in range(5):
            signed_in = log_in(client)

            def go_on(signed_in: dict[str, Any] = signed_in) -> int:
                return int(refresh(app.test_client(), signed_in).status_code)

            def leave(signed_in: dict[str, Any] = signed_in) -> int:
                return app.test_client().post("/api/v1/auth/logout-all", headers=bearer(signed_in)).status_code

            went_on, left = all_at_once([go_on, leave])
            assert went_on in (200, 401)
            assert left == 204
            problem(refresh(client, signed_in), 401, "session_ended")
