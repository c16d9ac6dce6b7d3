"""SIGKILL at every step of a payment: what the dead left behind ends right."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from app import create_app
from application.billing.handlers import look_into_webhook
from config.settings import Settings, SettingsError, load_settings
from infrastructure import crash_points
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.crash_points import CrashingGateways, arm
from infrastructure.database.idempotency import LEASE
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.conftest import MovableClock
from tests.faults.processes import Mortals
from tests.faults.till import DEPOSITS, WEBHOOKS, Till

pytestmark = pytest.mark.database

OPENING = {
    "intend.before_commit": (0, []),
    "intend.after_commit": (0, [("CREATED", False)]),
    "create_checkout.before_call": (0, [("CREATED", False)]),
    "create_checkout.after_answer": (1, [("CREATED", False)]),
    "keep_checkout.before_commit": (1, [("CREATED", False)]),
    "keep_checkout.after_commit": (1, [("OPEN", True)]),
}
"""Where opening a checkout dies: how many invoices the provider has then, and our attempts."""


@pytest.mark.parametrize("point", OPENING)
def test_a_death_while_a_checkout_is_opened_leaves_books_that_agree(till: Till, mortals: Mortals, point: str) -> None:
    body, headers = till.asking()
    mortals.dies_answering(point, DEPOSITS, data=body, headers=headers)
    invoices, attempts = OPENING[point]
    assert (len(till.invoices()), till.attempts()) == (invoices, attempts)

    # The provider may have shown its page: whoever can pay, pays. Webhooks tell of it except where we know whom to ask.
    for invoice in till.invoices():
        till.fawaterk.pay(invoice)
        if point != "keep_checkout.after_commit":
            assert till.tell(invoice) == "accepted"
    till.look_into_webhooks()
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == invoices * 75_000
    assert len(till.invoices()) == invoices, "nothing was opened again"


@pytest.mark.parametrize(
    "point", ["create_checkout.before_call", "create_checkout.after_answer", "keep_checkout.before_commit"]
)
def test_a_creation_that_may_have_been_asked_for_is_not_asked_for_again(
    till: Till, mortals: Mortals, clock: MovableClock, point: str
) -> None:
    """Fawaterk would open a second invoice, so the customer's own repetition leaves it in doubt too."""
    body, headers = till.asking("asked-for-again")
    mortals.dies_answering(point, DEPOSITS, data=body, headers=headers)
    invoices = till.invoices()
    # The dead may still be at it, for all that is known, until its lease is over.
    assert till.ask("asked-for-again").json["code"] == "request_in_progress"
    clock.offset += LEASE + timedelta(seconds=1)
    assert [till.ask("asked-for-again").status_code for _ in range(3)] == [201] * 3
    assert till.attempts() == [("UNKNOWN", False)]
    till.reconcile()
    assert (till.attempts(), till.invoices()) == ([("UNKNOWN", False)], invoices)
    assert till.fawaterk.calls("createInvoiceLink") == len(invoices)

    for invoice in invoices:
        till.fawaterk.pay(invoice)
        assert till.tell(invoice) == "accepted"
    till.look_into_webhooks()
    till.assert_books_agree()
    assert till.in_wallet() == len(invoices) * 75_000


def test_a_death_after_all_was_committed_is_answered_as_if_nothing_had_been(till: Till, mortals: Mortals) -> None:
    """The customer sends it again under the same key, and gets the answer that was lost."""
    body, headers = till.asking("asked-for-again")
    mortals.dies_with_its_answer(DEPOSITS, data=body, headers=headers)
    assert till.attempts() == [("OPEN", True)]
    answers = [till.ask("asked-for-again") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert {answer.headers["Idempotent-Replayed"] for answer in answers} == {"true"}
    (invoice,) = till.invoices()
    assert answers[0].json["provider_reference"] == invoice
    till.fawaterk.pay(invoice)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_a_webhook_whose_acknowledgement_was_lost_is_a_duplicate(till: Till, mortals: Mortals) -> None:
    (invoice,) = open_and_pay(till)
    headers = {"Content-Type": "application/json"}
    mortals.dies_with_its_answer(WEBHOOKS, data=till.webhook(invoice), headers=headers)
    assert till.tell(invoice) == "duplicate"
    till.look_into_webhooks()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


@pytest.mark.parametrize(
    ("point", "stored", "answer"),
    [("receive_webhook.before_commit", 0, "accepted"), ("receive_webhook.after_commit", 1, "duplicate")],
)
def test_a_death_at_the_intake_loses_no_webhook_and_doubles_none(
    till: Till, mortals: Mortals, point: str, stored: int, answer: str
) -> None:
    (invoice,) = open_and_pay(till)
    body = till.webhook(invoice)
    mortals.dies_answering(point, WEBHOOKS, data=body, headers={"Content-Type": "application/json"})
    assert len(till.events()) == stored
    # Nobody answered 2xx, so the provider sends it again.
    assert till.tell(invoice) == answer
    till.look_into_webhooks()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000
    assert webhook_states(till) == ["PROCESSED"]


@pytest.mark.parametrize(
    ("point", "booked"),
    [
        ("read.before_call", 0),
        ("read.after_answer", 0),
        ("settle_attempt.before_commit", 0),
        ("settle_attempt.after_commit", 75_000),
        ("finish.before_commit", 75_000),
        ("finish.after_commit", 75_000),
    ],
)
def test_a_death_while_a_payment_is_settled_settles_it_once(
    till: Till, mortals: Mortals, point: str, booked: int
) -> None:
    (invoice,) = open_and_pay(till)
    till.tell(invoice)
    (event,) = till.events()
    mortals.dies_doing(point, lambda running: look_into_webhook(event, running.dependencies))
    assert till.in_wallet() == booked
    till.look_into_webhooks()
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000
    assert webhook_states(till) == ["PROCESSED"]


def open_and_pay(till: Till) -> list[str]:
    assert till.ask().status_code == 201
    invoices = till.invoices()
    for invoice in invoices:
        till.fawaterk.pay(invoice)
    return invoices


def webhook_states(till: Till) -> list[str]:
    return [row["status"] for row in till.running.database.rows("SELECT status FROM payment_webhook_logs")]


# Arming


def test_production_refuses_to_start_with_one_armed(tmp_path: Path) -> None:
    environ = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": "postgresql://db.example/altayar",
        "REDIS_URL": "redis://redis.example/0",
        "BACKEND_URL": "https://api.example.com",
        "SMTP_URL": "smtp://mail.example",
        "JWT_SIGNING_KEYS": "1:" + "j" * 40,
        "FIELD_ENCRYPTION_KEYS": "f" * 40,
    }
    assert load_settings(environ, root=tmp_path).crash_point == ""
    with pytest.raises(SettingsError, match="CRASH_POINT"):
        load_settings({**environ, "CRASH_POINT": "ask.before_commit"}, root=tmp_path)


@pytest.mark.parametrize("point", ["ask", "ask.commit", "ask.before_commit.x", "../x.before_call", "Ask.before_call"])
def test_what_is_no_point_is_refused_at_start(tmp_path: Path, point: str) -> None:
    with pytest.raises(SettingsError, match="CRASH_POINT"):
        load_settings({"ENVIRONMENT": "test", "CRASH_POINT": point}, root=tmp_path)


def test_a_process_that_is_not_armed_has_nothing_of_it(running: Running) -> None:
    use = running.dependencies
    assert type(use.new_uow()) is SqlUnitOfWork
    assert not isinstance(use.gateways, CrashingGateways)
    crash_points.crash_point("")
    crash_points.crash_point("ask.before_commit")


def test_points_are_named_after_the_use_case_that_commits_and_after_the_call(
    settings: Settings, addresses: DatabaseAddresses, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process armed for another place passes them all, alive."""
    armed = bootstrap(dataclasses.replace(settings, crash_point="never.before_call"), database=Database(addresses.app))
    passed: list[str] = []
    monkeypatch.setattr(crash_points, "crash_point", passed.append)
    till.client = create_app(running=armed).test_client()
    assert till.ask().status_code == 201
    arm("")
    armed.close()
    assert passed == list(OPENING)
    assert armed.dependencies.gateways.names() == ("FAWATERK",)
