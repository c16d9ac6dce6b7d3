"""Stripe's webhooks: what is believed, what is refused, what each kind says, and how they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask, Response, request

from application.billing.ports import (
    BadSignature,
    IrrelevantWebhook,
    ProviderIdentity,
    ReadingStatus,
    UnreadableWebhook,
)
from domain.shared.money import Money
from fake_providers.stripe import StripeServer
from fake_providers.stripe.sending import encode, sign
from fake_providers.stripe.server import WEBHOOK_SECRET
from infrastructure.payment.stripe.webhooks import EVENTS, LARGEST_BODY
from tests.contract.gateway_contract import ATTEMPT_ID, a_request
from tests.contract.stripe_bench import StripeBench, reserialised
from tests.fakes.app_server import serving

OTHER_SECRET = "whsec_other00000000000000000000000002"
SIGNATURE = "Stripe-Signature"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StripeBench]:
    with StripeServer(tmp_path / "books.sqlite") as server:
        yield StripeBench(server)


@pytest.fixture
def paid(bench: StripeBench) -> Any:
    """The event of a session that a customer has paid."""
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    return bench.event("checkout.session.completed")


# Forgeries


@pytest.mark.parametrize("seconds", [0, 300, -300])
def test_what_was_signed_within_five_minutes_is_heard(bench: StripeBench, paid: Any, seconds: int) -> None:
    bench.clock.stopped_at = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert bench.gateway.parse_webhook(*bench.signed(paid, seconds=seconds)).event_key == paid["id"]


@pytest.mark.parametrize("seconds", [-301, 301, -3_600, 3_600, -1_000_000])
def test_what_was_signed_long_ago_or_in_the_future_is_not(bench: StripeBench, paid: Any, seconds: int) -> None:
    bench.clock.stopped_at = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(*bench.signed(paid, seconds=seconds))


def test_the_gateways_own_clock_decides(bench: StripeBench, paid: Any) -> None:
    signed = bench.signed(paid)
    bench.clock.ahead = timedelta(minutes=6)
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(*signed)


def test_the_same_document_in_other_bytes_is_not_the_one_that_was_signed(bench: StripeBench, paid: Any) -> None:
    body, headers = bench.signed(paid)
    assert reserialised(body) != body
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(reserialised(body), headers)


@pytest.mark.parametrize(
    ("there", "instead"), [(b'"unpaid"', b'"paid"'), (b'"amount_total": 149910', b'"amount_total": 1'), (b"}", b"} ")]
)
def test_a_changed_body_is_refused(bench: StripeBench, there: bytes, instead: bytes) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="OTHER"))
    bench.server.act("pay", {"session_id": checkout.provider_reference, "delayed": True})
    body, headers = bench.webhook(checkout)
    assert there in body
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(body.replace(there, instead), headers)


def test_headers_that_prove_nothing_are_refused(bench: StripeBench, paid: Any) -> None:
    body, headers = bench.signed(paid)
    at, v1, v0 = headers[SIGNATURE].split(",")
    wrong = "v1=" + "0" * 64
    for header in (
        "", " ", "x", ",", "=", at, v1, f"{at},{v0}", f"{at},{wrong}", f"{at},v1=", f"{at},v1", f"{at},v1=é",
        f"t=é,{v1}", f"t=,{v1}", f"{v1},t", f"t=1,{v1}", f"t={'9' * 5_000},{v1}", f"t=-1,{v1}", f"{at},V1={v1[3:]}",
        f"{at},v2={v1[3:]}", f"t=1,{at},{v1}",
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(body, {SIGNATURE: header})
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(body, {})


def test_a_second_time_beside_the_signed_one_does_not_count(bench: StripeBench, paid: Any) -> None:
    """An old event, replayed with a fresh time in a place where another reader would look."""
    body, headers = bench.signed(paid, seconds=-3_600)
    now = int(bench.clock.now().timestamp())
    for header in (f"{headers[SIGNATURE]},t={now}", headers[SIGNATURE].replace(",", f"={now},", 1)):
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(body, {SIGNATURE: header})


def test_another_secret_is_refused_and_an_empty_one_signs_nothing(bench: StripeBench, paid: Any) -> None:
    for secrets in ((OTHER_SECRET,), ("",), (WEBHOOK_SECRET + "x",), ()):
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(*bench.signed(paid, secrets=secrets))


def test_while_a_secret_is_rotated_both_are_heard(bench: StripeBench, paid: Any) -> None:
    rotating = bench.gateway_with(secrets=(OTHER_SECRET, WEBHOOK_SECRET))
    for secrets in ((WEBHOOK_SECRET,), (OTHER_SECRET,), (OTHER_SECRET, WEBHOOK_SECRET)):
        assert rotating.parse_webhook(*bench.signed(paid, secrets=secrets)).event_key == paid["id"]
    both = bench.signed(paid, secrets=(OTHER_SECRET, WEBHOOK_SECRET))
    assert bench.gateway.parse_webhook(*both).event_key == paid["id"], "Stripe signs with both for a day"


def test_the_header_is_found_in_any_case(bench: StripeBench, paid: Any) -> None:
    body, headers = bench.signed(paid)
    assert bench.gateway.parse_webhook(body, {"stripe-signature": headers[SIGNATURE]}).event_key == paid["id"]


def test_the_library_would_sign_as_the_server_does(paid: Any) -> None:
    body = encode(paid)
    theirs = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET, 1_782_853_200)
    assert sign(body, [WEBHOOK_SECRET], at=1_782_853_200).startswith(f"{theirs},v0=")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"5", b"{}", b"[" * 100_000, b'{"type": 5}', b'{"type": "refund.created"}',
        b'{"id": "evt_1", "type": "refund.created", "data": {}}',
        b'{"id": "evt_1", "type": "refund.created", "data": {"object": 5}}',
        b'{"id": "evt_1", "type": "refund.created", "data": {"object": {}}}',
        b'{"id": 5, "type": "checkout.session.completed", "data": {"object": {"id": "cs_1"}}}',
        b'{"id": "evt 1", "type": "checkout.session.completed", "data": {"object": {"id": "cs_1"}}}',
        b'{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": "\\u0000"}}}',
        b'{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": "\\ud800"}}}',
        b'{"object": "v2.core.event"}',
    ],
)  # fmt: skip
def test_signed_nonsense_is_unreadable_and_no_accident(bench: StripeBench, body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        bench.gateway.parse_webhook(*bench.signed(body))


def test_signed_bytes_that_are_no_text_are_refused(bench: StripeBench) -> None:
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(*bench.signed(b"\xff\xfe"))


def test_a_body_that_is_too_large_is_refused_before_it_is_looked_at(bench: StripeBench) -> None:
    with pytest.raises(UnreadableWebhook):
        bench.gateway.parse_webhook(b" " * (LARGEST_BODY + 1), {})


def test_a_test_event_in_live_mode_is_a_hint_that_leads_nowhere(tmp_path: Path, bench: StripeBench, paid: Any) -> None:
    """Whoever holds the test endpoint's secret cannot make live money of it: the live account has no such session."""
    live_key = "sk_live_demo0000000000000001"
    with StripeServer(tmp_path / "live.sqlite", api_key=live_key) as live_server:
        live = StripeBench(live_server).gateway_with(api_key=live_key)
        notice = live.parse_webhook(*bench.signed(paid))
        reading = live.read(ProviderIdentity(notice.provider_reference, charge=notice.charge_reference))
    assert (reading.status, reading.paid, reading.live) == (ReadingStatus.NOT_FOUND, (), True)


# What each kind says


def test_every_kind_names_what_a_reading_needs(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.act("decline", {"session_id": checkout.provider_reference})
    bench.pay(checkout)
    intent = bench.read(checkout).charge_reference
    refund = bench.refund(checkout, 910)
    bench.server.act("finish_refund", {"refund_id": refund.provider_refund_reference, "status": "failed"})
    dispute = bench.server.act("dispute", {"payment_intent": intent})
    bench.server.act("close_dispute", {"dispute_id": dispute["id"]})
    session, ours = checkout.provider_reference, f"pa_{ATTEMPT_ID.hex}"
    said = {
        "checkout.session.completed": (session, ours, intent, False),
        "payment_intent.payment_failed": ("", ours, intent, False),
        "payment_intent.succeeded": ("", ours, intent, False),
        "refund.created": ("", "", intent, True),
        "refund.updated": ("", "", intent, True),
        "refund.failed": ("", "", intent, True),
        "charge.refund.updated": ("", "", intent, True),
        "charge.refunded": ("", "", intent, True),
        "charge.dispute.created": ("", "", intent, False),
        "charge.dispute.closed": ("", "", intent, False),
        "charge.dispute.funds_withdrawn": ("", "", intent, False),
        "charge.dispute.funds_reinstated": ("", "", intent, False),
    }
    for kind, expected in said.items():
        event = bench.event(kind)
        notice = bench.gateway.parse_webhook(*bench.signed(event))
        assert (notice.event_key, notice.event_type) == (event["id"], kind)
        found = (notice.provider_reference, notice.merchant_reference, notice.charge_reference)
        assert (*found, notice.is_about_refund) == expected, kind
        assert bench.gateway.read(ProviderIdentity(found[0], charge=found[2])).paid == (Money.of(149_910, "EGP"),)


def test_sessions_that_end_unpaid_say_so(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="OTHER"))
    bench.server.act("expire", {"session_id": checkout.provider_reference})
    notice = bench.gateway.parse_webhook(*bench.signed(bench.event("checkout.session.expired")))
    assert (notice.provider_reference, notice.charge_reference) == (checkout.provider_reference, "")


@pytest.mark.parametrize(
    "kind", ["charge.succeeded", "payment_intent.created", "payout.paid", "plan.created", "", "x" * 9_999]
)
def test_other_kinds_are_verified_and_of_no_concern(bench: StripeBench, paid: Any, kind: str) -> None:
    with pytest.raises(IrrelevantWebhook):
        bench.gateway.parse_webhook(*bench.signed({**paid, "type": kind}))
    body, _ = bench.signed({**paid, "type": kind})
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(body, {SIGNATURE: "t=1,v1=0"})


def test_a_connected_accounts_events_are_its_own(bench: StripeBench, paid: Any) -> None:
    with pytest.raises(IrrelevantWebhook):
        bench.gateway.parse_webhook(*bench.signed({**paid, "account": "acct_1"}))


def test_every_event_listened_to_is_one_of_stripes() -> None:
    known = Path(stripe.__file__).parent.joinpath("_event.py").read_text("utf-8")
    assert [kind for kind in EVENTS if f'"{kind}"' not in known] == []


# How they come


class Receiver:
    """A merchant's endpoint that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Mapping[str, str]]] = []
        self.statuses: list[int] = []
        self.app = Flask("receiver")
        self.app.add_url_rule("/hook", view_func=self.receive, methods=["POST"])

    def receive(self) -> Response:
        self.got.append((request.get_data(), dict(request.headers)))
        return Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
def receiver(bench: StripeBench) -> Iterator[Receiver]:
    made = Receiver()
    with serving(made.app) as address:
        bench.server.act("settings", {"webhook_url": f"{address}/hook"})
        yield made


def kinds(bench: StripeBench, receiver: Receiver) -> list[str]:
    """The kinds that concern payments, as they came; every one verified."""
    found = []
    for body, headers in receiver.got:
        try:
            found.append(bench.gateway.parse_webhook(body, headers).event_type)
        except IrrelevantWebhook:
            continue
    return found


def test_what_happens_is_told_at_once_and_signed(bench: StripeBench, receiver: Receiver) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.refund(checkout, 910)
    bench.server.webhooks.settle()
    assert kinds(bench, receiver) == [
        "payment_intent.succeeded",
        "checkout.session.completed",
        "refund.created",
        "charge.refunded",
    ]
    assert receiver.got[-1][1][SIGNATURE].startswith("t=")


def test_webhooks_come_twice_late_out_of_order_or_never(bench: StripeBench, receiver: Receiver) -> None:
    """Of a paid session four events are told: intent created, charge, intent succeeded, session completed."""
    for fault in ("lost", "duplicate", "reordered"):
        bench.server.act("script_delivery", {"fault": fault})
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.webhooks.settle()
    assert kinds(bench, receiver) == ["checkout.session.completed", "payment_intent.succeeded"]
    assert len(receiver.got) == 4, "one lost, one twice"

    bench.server.act("script_delivery", {"fault": "late", "times": 2})
    bench.refund(checkout, 910)
    bench.server.webhooks.settle()
    assert len(receiver.got) == 4
    bench.server.act("release", {})
    assert kinds(bench, receiver)[2:] == ["refund.created", "charge.refunded"]


def test_what_is_not_acknowledged_is_sent_again_with_the_same_name(bench: StripeBench, receiver: Receiver) -> None:
    receiver.statuses = [500, 302, 200]
    bench.server.act("expire", {"session_id": bench.gateway.create_checkout(a_request()).provider_reference})
    bench.server.webhooks.settle()
    keys = [bench.gateway.parse_webhook(body, headers).event_key for body, headers in receiver.got]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert [it["outcome"] for it in bench.server.books.deliveries()] == ["500", "302", "200"]


def test_the_books_outlive_the_server(tmp_path: Path) -> None:
    with StripeServer(tmp_path / "books.sqlite") as server:
        checkout = StripeBench(server).gateway.create_checkout(a_request())
    with StripeServer(tmp_path / "books.sqlite") as server:
        again = StripeBench(server)
        again.pay(checkout)
        assert again.read(checkout).paid == (Money.of(149_910, "EGP"),)
