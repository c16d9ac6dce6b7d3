"""What staff do about payouts, dead letters and dead addresses: one request of the administrator's for each route."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from werkzeug.test import TestResponse

from tests.api.payment_deeds import AGENT, Scenario, as_staff, keyed
from tests.api.shop import Shop, SignUp
from tests.integration.payroll import Payroll

_BATCHES: Final = "/admin/payout-batches"
_PAYOUTS: Final = "/admin/payouts"


def _draft(shop: Shop) -> UUID:
    """A batch of one bank transfer, which somebody else has made."""
    payroll = Payroll.of(shop.running)
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    return payroll.make().batch_id


def _approved(shop: Shop) -> UUID:
    batch_id = _draft(shop)
    Payroll.of(shop.running).approve(batch_id)
    return batch_id


def _sent(shop: Shop, *, method: str = "BANK_TRANSFER") -> tuple[UUID, UUID]:
    """A batch that is being processed, and its payout; nothing but the bank's is on its way."""
    payroll = Payroll.of(shop.running)
    payee = payroll.a_payee(8_000, method=method)
    batch_id = payroll.approved()
    return batch_id, payroll.payout_of(payee, batch_id)["id"]


def makes_a_batch(shop: Shop, _: SignUp) -> TestResponse:
    Payroll.of(shop.running).a_payee(8_000)
    return as_staff(shop, "POST", _BATCHES, {"period": "WEEKLY", "payee_type": "ALL"}, **keyed())


def approves_a_batch(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{_BATCHES}/{_draft(shop)}/approve", **keyed())


def cancels_a_batch(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{_BATCHES}/{_draft(shop)}/cancel", **keyed())


def processes_a_batch(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{_BATCHES}/{_approved(shop)}/process", **keyed())


def brings_what_a_bank_says(shop: Shop, _: SignUp) -> TestResponse:
    batch_id, payout = _sent(shop)
    [number] = [row["payout_number"] for row in Payroll.of(shop.running).payouts(batch_id) if row["id"] == payout]
    headers = {**shop.admin.headers, **keyed(), "User-Agent": AGENT, "Content-Type": "text/csv"}
    results = f"payout,status,bank_reference,reason\r\n{number},PAID,BR-1,\r\n"
    return shop.client.post(f"/api/v1{_BATCHES}/{batch_id}/bank-results", data=results, headers=headers)


def takes_a_payout_back(shop: Shop, _: SignUp) -> TestResponse:
    _batch, payout = _sent(shop, method="WALLET")
    return as_staff(shop, "POST", f"{_PAYOUTS}/{payout}/cancel", {"reason": "asked for by its payee"}, **keyed())


def says_that_a_payout_arrived(shop: Shop, _: SignUp) -> TestResponse:
    _batch, payout = _sent(shop)
    return as_staff(shop, "POST", f"{_PAYOUTS}/{payout}/confirm", {"bank_reference": "BR-7"}, **keyed())


def says_that_a_payout_failed(shop: Shop, _: SignUp) -> TestResponse:
    _batch, payout = _sent(shop)
    return as_staff(shop, "POST", f"{_PAYOUTS}/{payout}/fail", {"reason": "the account is closed"}, **keyed())


def says_that_a_bank_sent_a_payout_back(shop: Shop, _: SignUp) -> TestResponse:
    _batch, payout = _sent(shop)
    as_staff(shop, "POST", f"{_PAYOUTS}/{payout}/confirm", {"bank_reference": "BR-7"}, **keyed())
    return as_staff(shop, "POST", f"{_PAYOUTS}/{payout}/returned", {"reason": "the account is closed"}, **keyed())


def adjusts_what_is_owed(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {
        "payee_type": "VENDOR",
        "amount": {"amount": "10.00", "currency": "EGP"},
        "reason": "a correction of last month",
    }
    return as_staff(shop, "POST", f"/admin/payees/{sign_up('VENDOR').user_id}/adjustments", body, **keyed())


def _dead_letter(shop: Shop) -> UUID:
    with shop.database.transaction() as transaction:
        row = transaction.row(
            "WITH told AS (INSERT INTO outbox_events (id, name, version, payload, occurred_at, published_at)"
            " VALUES (gen_random_uuid(), 'test.dead', 1, '{}', now(), now()) RETURNING id)"
            " INSERT INTO processed_events (event_id, handler, enqueued_at, due_at, attempts, dead_at, reason)"
            " SELECT id, 'messaging.send', now(), now(), 10, now(), 'WorkerDied' FROM told RETURNING event_id"
        )
        transaction.commit()
    assert row is not None
    found: UUID = row["event_id"]
    return found


def replays_a_dead_letter(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/admin/dead-letters/{_dead_letter(shop)}/replay", **keyed())


def replays_all_dead_letters(shop: Shop, _: SignUp) -> TestResponse:
    _dead_letter(shop)
    return as_staff(shop, "POST", "/admin/dead-letters/replay", {}, **keyed())


def lifts_a_suppression(shop: Shop, _: SignUp) -> TestResponse:
    with shop.database.transaction() as transaction:
        row = transaction.row(
            "INSERT INTO suppressed_addresses (id, address, reason, suppressed_at)"
            " VALUES (gen_random_uuid(), 'gone@example.com', 'recipient_refused 550', now()) RETURNING id"
        )
        transaction.commit()
    assert row is not None
    return as_staff(shop, "DELETE", f"/admin/suppressed-addresses/{row['id']}")


ABOUT_EACH_AND_ALL: Final = {"/api/v1/admin/payout-batches/<uuid:batch_id>/bank-results"}
"""Leaves a row for what was brought, and one for each payout that it decided."""

ABOUT_MANY: Final = {"/api/v1/admin/dead-letters/replay"}
"""Is about nothing that has an id."""

PAYROLL_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/admin/payout-batches"): makes_a_batch,
    ("POST", "/api/v1/admin/payout-batches/<uuid:batch_id>/approve"): approves_a_batch,
    ("POST", "/api/v1/admin/payout-batches/<uuid:batch_id>/cancel"): cancels_a_batch,
    ("POST", "/api/v1/admin/payout-batches/<uuid:batch_id>/process"): processes_a_batch,
    ("POST", "/api/v1/admin/payout-batches/<uuid:batch_id>/bank-results"): brings_what_a_bank_says,
    ("POST", "/api/v1/admin/payouts/<uuid:payout_id>/cancel"): takes_a_payout_back,
    ("POST", "/api/v1/admin/payouts/<uuid:payout_id>/confirm"): says_that_a_payout_arrived,
    ("POST", "/api/v1/admin/payouts/<uuid:payout_id>/fail"): says_that_a_payout_failed,
    ("POST", "/api/v1/admin/payouts/<uuid:payout_id>/returned"): says_that_a_bank_sent_a_payout_back,
    ("POST", "/api/v1/admin/payees/<uuid:user_id>/adjustments"): adjusts_what_is_owed,
    ("POST", "/api/v1/admin/dead-letters/<uuid:event_id>/replay"): replays_a_dead_letter,
    ("POST", "/api/v1/admin/dead-letters/replay"): replays_all_dead_letters,
    ("DELETE", "/api/v1/admin/suppressed-addresses/<uuid:suppression_id>"): lifts_a_suppression,
}
