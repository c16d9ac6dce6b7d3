"""Dead letters over HTTP and at the terminal: what was given up is seen, with its reason, and delivered again."""

from __future__ import annotations

from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli import main
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, addresses_from
from infrastructure.database.transaction import Database
from tests.api.shop import Shop, SignUp, problem

pytestmark = pytest.mark.database

PATH = "/api/v1/admin/dead-letters"
HANDLERS = ("billing.draw_invoice", "messaging.send")


@pytest.fixture
def dead(database: Database) -> list[UUID]:
    """Two events, the second given up by two handlers and done by a third; and one that is still tried."""
    with database.transaction() as transaction:
        transaction.execute(_DEAD)
        transaction.commit()
    return [
        row["id"] for row in database.rows("SELECT id FROM outbox_events WHERE name LIKE 'test.dead_' ORDER BY name")
    ]


def test_what_was_given_up_is_listed_with_its_reasons_the_latest_first(shop: Shop, dead: list[UUID]) -> None:
    shown = shop.done(shop.get(PATH, shop.admin))["items"]
    assert [UUID(each["id"]) for each in shown] == dead[::-1]
    assert [(each["handler"], each["attempts"], each["reason"]) for each in shown[0]["deliveries"]] == [
        ("billing.draw_invoice", 10, "WorkerDied"),
        ("messaging.send", 10, "MailUnavailable (mail_unavailable)"),
    ]
    assert shown[0]["payload"] == {"delivery_id": "1"}
    first = shop.done(shop.get(f"{PATH}?limit=1", shop.admin))
    second = shop.done(shop.get(f"{PATH}?limit=1&cursor={first['next_cursor']}", shop.admin))
    assert [UUID(page["items"][0]["id"]) for page in (first, second)] == dead[::-1]
    assert second["next_cursor"] is None
    only = shop.done(shop.get(f"{PATH}?handler=billing.draw_invoice", shop.admin))["items"]
    assert [[each["handler"] for each in found["deliveries"]] for found in only] == [["billing.draw_invoice"]]


def test_one_event_is_replayed_once_and_that_is_on_record(shop: Shop, dead: list[UUID], database: Database) -> None:
    path = f"{PATH}/{dead[1]}/replay"
    assert shop.done(shop.post(path, shop.admin)) == {"replayed": 2}
    problem(shop.post(path, shop.admin), 404, "dead_letter_not_found")
    rows = database.rows(
        "SELECT handler, attempts, due_at <= now() AS is_due FROM processed_events"
        " WHERE event_id = %s AND processed_at IS NULL ORDER BY handler",
        (dead[1],),
    )
    assert [tuple(row.values()) for row in rows] == [(handler, 0, True) for handler in HANDLERS]
    (logged,) = database.rows("SELECT * FROM audit_logs WHERE action = 'operations.replay' AND status = 'SUCCESS'")
    assert (logged["user_id"], logged["resource_id"]) == (shop.admin.user_id, dead[1])
    assert logged["changes"]["after"] == {"due": list(HANDLERS)}
    assert [UUID(each["id"]) for each in shop.done(shop.get(PATH, shop.admin))["items"]] == dead[:1]


def test_all_that_one_handler_gave_up_is_replayed_after_an_outage(shop: Shop, dead: list[UUID]) -> None:
    assert shop.done(shop.post(f"{PATH}/replay", shop.admin, {"handler": "messaging.send"})) == {"replayed": 2}
    assert shop.done(shop.post(f"{PATH}/replay", shop.admin, {})) == {"replayed": 1}
    assert shop.done(shop.post(f"{PATH}/replay", shop.admin, {})) == {"replayed": 0}
    assert len(dead) == 2


def test_the_same_key_replays_once(shop: Shop, dead: list[UUID]) -> None:
    path = f"{PATH}/{dead[0]}/replay"
    answers = [shop.post(path, shop.admin, key="the-same") for _ in range(2)]
    assert [answer.json for answer in answers] == [{"replayed": 1}] * 2


def test_only_who_looks_after_queues_may_see_and_replay(
    shop: Shop, sign_up: SignUp, client: FlaskClient, dead: list[UUID]
) -> None:
    for roles in (("EMPLOYEE", "SALES"), ("EMPLOYEE", "FINANCE")):
        person = sign_up(*roles)
        problem(shop.get(PATH, person), 403, "forbidden")
        problem(shop.post(f"{PATH}/{dead[0]}/replay", person), 403, "forbidden")
    operator = sign_up("EMPLOYEE", "OPERATIONS")
    assert shop.done(shop.get(PATH, operator))["items"]
    assert client.get(PATH).status_code == 401


def test_the_terminal_lists_and_replays(
    monkeypatch: pytest.MonkeyPatch, addresses: DatabaseAddresses, owner_url: str, redis_url: str, dead: list[UUID]
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("DATABASE_URL", owner_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    derived = addresses_from(owner_url).app
    monkeypatch.setattr(
        "infrastructure.bootstrap.addresses_from",
        lambda url: addresses if addresses_from(url).app == derived else addresses_from(url),
    )
    altayar = CliRunner()

    listed = altayar.invoke(main, ["outbox", "dead"]).output
    assert f"{dead[1]}  test.dead2  billing.draw_invoice  after 10: WorkerDied" in listed
    assert listed.endswith("2 events\n")
    assert altayar.invoke(main, ["outbox", "replay", str(dead[0])]).output == "1 deliveries are due again\n"
    refused = altayar.invoke(main, ["outbox", "replay", str(dead[0])])
    assert refused.exit_code == 1
    assert f"nothing of {dead[0]} was given up" in refused.output
    assert altayar.invoke(main, ["outbox", "replay", "--handler", "messaging.send"]).output.startswith("1 ")
    assert altayar.invoke(main, ["outbox", "replay"]).output.startswith("1 ")


def test_these_tests_have_a_system(running: Running) -> None:
    assert running.dependencies.queries.operations.dead_letters(None, limit=1, after=None) == []


_DEAD = """
WITH told AS (
    INSERT INTO outbox_events (id, name, version, payload, occurred_at, published_at)
    SELECT gen_random_uuid(), name, 1, payload::jsonb, now(), now() - interval '1 day'
    FROM (VALUES ('test.dead1', '{}'), ('test.dead2', '{"delivery_id": "1"}'),
                 ('test.tried', '{}')) AS e (name, payload)
    RETURNING id, name)
INSERT INTO processed_events (event_id, handler, enqueued_at, due_at, attempts, processed_at, dead_at, reason)
SELECT t.id, p.handler, now() - interval '1 day', now() + interval '1 hour', p.attempts, p.done, p.dead, p.reason
FROM told t JOIN (VALUES
    ('test.dead1', 'messaging.send', 10, NULL, now() - interval '2 hours', 'MailUnavailable (mail_unavailable)'),
    ('test.dead2', 'messaging.send', 10, NULL, now() - interval '1 hour', 'MailUnavailable (mail_unavailable)'),
    ('test.dead2', 'billing.draw_invoice', 10, NULL, now() - interval '3 hours', 'WorkerDied'),
    ('test.dead2', 'billing.issue_invoice', 1, now(), NULL, NULL),
    ('test.tried', 'messaging.send', 3, NULL, NULL, 'MailUnavailable (mail_unavailable)')
) AS p (name, handler, attempts, done, dead, reason) ON p.name = t.name
"""
