"""What people agree to be sent: nothing by default, every word kept."""

from __future__ import annotations

import psycopg
import pytest

from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Shop, SignUp, problem

OWN = "/api/v1/users/me/consents"


def states(answer: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {row["channel"]: row["granted"] for row in answer["channels"]}


def test_nothing_is_agreed_to_by_default(shop: Shop, sign_up: SignUp) -> None:
    for customer in (sign_up(), sign_up(marketing_consent=False)):
        answer = shop.done(shop.get(OWN, customer))
        assert states(answer) == dict.fromkeys(["EMAIL", "SMS", "PUSH", "WHATSAPP"], False)
        assert answer["items"] == []


def test_a_ticked_box_at_registration_is_one_word_about_mail(shop: Shop, sign_up: SignUp) -> None:
    answer = shop.done(shop.get(OWN, sign_up(marketing_consent=True)))

    assert states(answer) == {"EMAIL": True, "SMS": False, "PUSH": False, "WHATSAPP": False}
    assert [(row["source"], row["purpose"]) for row in answer["items"]] == [("REGISTRATION", "MARKETING")]


def test_every_word_is_kept_and_the_newest_holds(shop: Shop, sign_up: SignUp) -> None:
    customer, other = sign_up(), sign_up()
    for granted in (True, False, True, False):
        answer = shop.client.put(f"{OWN}/SMS", json={"granted": granted}, headers=customer.headers)
        assert shop.done(answer)["granted"] is granted

    answer = shop.done(shop.get(f"{OWN}?limit=3", customer))
    assert states(answer)["SMS"] is False
    assert [row["granted"] for row in answer["items"]] == [False, True, False]
    rest = shop.done(shop.get(f"{OWN}?limit=3&cursor={answer['next_cursor']}", customer))
    assert [row["granted"] for row in rest["items"]] == [True]
    assert shop.done(shop.get(OWN, other))["items"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/granted"), ({"granted": "yes"}, "/granted"), ({"granted": True, "wording": "x"}, "/wording")],
)
def test_a_word_is_yes_or_no(shop: Shop, sign_up: SignUp, body: dict[str, object], pointer: str) -> None:
    answer = shop.client.put(f"{OWN}/EMAIL", json=body, headers=sign_up().headers)

    problem(answer, 422, "validation_failed", pointer=pointer)


def test_there_are_four_channels(shop: Shop, sign_up: SignUp) -> None:
    answer = shop.client.put(f"{OWN}/PIGEON", json={"granted": True}, headers=sign_up().headers)

    problem(answer, 404, "not_found")


def test_staff_read_them_by_permission(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up(marketing_consent=True)
    path = f"/api/v1/admin/users/{customer.user_id}/consents"

    assert states(shop.done(shop.get(path, sign_up("EMPLOYEE"))))["EMAIL"] is True
    problem(shop.get(path, sign_up()), 403, "wrong_surface")


def test_a_word_that_was_given_is_never_changed(shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses) -> None:
    sign_up(marketing_consent=True)

    for statement in ("UPDATE consents SET granted = false", "DELETE FROM consents"):
        with connect(addresses.app) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement.encode())
        with connect(addresses.owner) as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement.encode())
        assert refused.value.sqlstate == "AL005"
