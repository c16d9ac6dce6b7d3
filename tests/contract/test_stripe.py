"""Stripe's gateway against a server that behaves as the wire contract says: checkouts and readings."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from structlog.testing import capture_logs

from application.billing.ports import (
    DisputeState,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    ReadingStatus,
    RefundState,
)
from domain.shared.money import Money
from fake_providers.stripe import StripeServer
from fake_providers.stripe.server import TEST_KEY
from tests.contract.gateway_contract import ATTEMPT_ID, OTHER_ATTEMPT_ID, GatewayBench, GatewayContract, a_request
from tests.contract.stripe_bench import TOTAL, StripeBench
from tests.contract.test_provider_calls import a_closed_port

MERCHANT_REFERENCE = f"pa_{ATTEMPT_ID.hex}"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StripeBench]:
    with StripeServer(tmp_path / "books.sqlite") as server:
        yield StripeBench(server)


class TestTheContractOfGateways(GatewayContract):
    """The promises that every gateway makes, kept by this one."""

    def test_what_is_paid_twice_reads_as_two_charges(self, bench: GatewayBench) -> None:
        """A session is paid once: the provider itself refuses a second payment, and the first still reads as one."""
        checkout = bench.gateway.create_checkout(a_request(Money.of(5_000, "EGP")))
        assert checkout.url is not None
        answers = [
            requests.post(checkout.url, data={"outcome": "pay"}, allow_redirects=False, timeout=5).status_code
            for _ in range(2)
        ]
        assert answers == [303, 400]
        assert bench.gateway.read(checkout.identity).paid == (Money.of(5_000, "EGP"),)


# Checkouts


def test_a_card_is_paid_on_the_hosted_page(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    assert checkout.url == f"{bench.server.address}/c/pay/{checkout.provider_reference}"
    page = requests.get(checkout.url, timeout=5).text
    assert "EGP 1499.10" in page
    back = requests.post(checkout.url, data={"outcome": "pay"}, allow_redirects=False, timeout=5)
    assert (back.status_code, back.headers["Location"]) == (303, "https://app.example.com/pay/ok")
    assert bench.read(checkout).paid == (TOTAL,)


def test_a_session_says_what_the_contract_asks_and_nothing_of_the_payer(bench: StripeBench) -> None:
    request = a_request(description="Booking\n BK-2026-001042", locale="ar-EG")
    bench.gateway.create_checkout(request)
    assert bench.last_body("checkout/sessions/create") == {
        "mode": "payment",
        "client_reference_id": MERCHANT_REFERENCE,
        "metadata[merchant_reference]": MERCHANT_REFERENCE,
        "payment_intent_data[metadata][merchant_reference]": MERCHANT_REFERENCE,
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "egp",
        "line_items[0][price_data][unit_amount]": "149910",
        "line_items[0][price_data][product_data][name]": "Booking BK-2026-001042",
        "success_url": "https://app.example.com/pay/ok",
        "cancel_url": "https://app.example.com/pay/fail",
        "expires_at": str(int((request.created_at + timedelta(minutes=35)).timestamp())),
        "locale": "auto",
        "allowed_payment_method_types[0]": "card",
    }


def test_other_methods_are_those_of_the_account(bench: StripeBench) -> None:
    bench.gateway.create_checkout(a_request(method="OTHER", locale="en-GB"))
    body = bench.last_body("checkout/sessions/create")
    assert "allowed_payment_method_types[0]" not in body
    assert body["locale"] == "en"


def test_a_method_that_is_not_served_asks_nobody(bench: StripeBench) -> None:
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request(method="FAWRY"))
    assert bench.server.books.calls() == {}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (timedelta(minutes=1), timedelta(minutes=35)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=9), timedelta(hours=23, minutes=55)),
    ],
)
def test_a_page_closes_within_stripes_bounds(bench: StripeBench, wanted: timedelta, given: timedelta) -> None:
    opened = datetime.now(UTC).replace(microsecond=0)
    request = replace(a_request(expires_at=opened + wanted), created_at=opened)
    assert bench.gateway.create_checkout(request).expires_at == opened + given


def test_the_same_request_opens_the_same_page_once(bench: StripeBench) -> None:
    request = a_request()
    first = bench.gateway.create_checkout(request)
    time.sleep(1.1)
    changed = replace(request, payer=replace(request.payer, first_name="Muna", email="muna@example.com"))
    assert bench.gateway.create_checkout(changed) == first
    bodies = [raw for _, raw in bench.server.bodies]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1], "byte for byte: Stripe compares what it is sent"
    assert len(bench.server.books.all("checkout.session")) == 1


@pytest.mark.parametrize("fault", ["cut_after", "timeout_after", "error_500_after", "half_json"])
def test_an_eaten_reply_is_answered_from_the_books(bench: StripeBench, fault: str) -> None:
    request = a_request()
    bench.server.script("checkout/sessions/create", fault)
    with pytest.raises(OutcomeUnknown):
        bench.gateway_with(total_seconds=1.0).create_checkout(request)
    checkout = bench.gateway.create_checkout(request)
    (session,) = bench.server.books.all("checkout.session")
    assert checkout.provider_reference == session["id"]


@pytest.mark.parametrize("fault", ["cut_before", "timeout_before", "error_500", "html"])
def test_a_lost_request_is_unknown_and_may_be_repeated(bench: StripeBench, fault: str) -> None:
    request = a_request()
    bench.server.script("checkout/sessions/create", fault)
    with pytest.raises(OutcomeUnknown):
        bench.gateway_with(total_seconds=1.0).create_checkout(request)
    assert bench.server.calls("checkout/sessions/create") == 1, "retries are made in one layer only, and not here"
    bench.gateway.create_checkout(request)
    assert len(bench.server.books.all("checkout.session")) == 1


def test_a_request_that_is_still_being_served_is_unknown(bench: StripeBench) -> None:
    request = a_request()
    bench.server.script("checkout/sessions/create", "slow")
    with pytest.raises(OutcomeUnknown):
        bench.gateway_with(total_seconds=0.2).create_checkout(request)
    with pytest.raises(OutcomeUnknown):
        bench.gateway.create_checkout(request)
    time.sleep(0.6)
    bench.gateway.create_checkout(request)
    assert len(bench.server.books.all("checkout.session")) == 1


def test_a_reference_that_was_used_for_something_else_is_refused_and_says_so(bench: StripeBench) -> None:
    bench.gateway.create_checkout(a_request())
    with pytest.raises(ProviderRefused) as refusal:
        bench.gateway.create_checkout(a_request(Money.of(1_000, "EGP")))
    assert refusal.value.facts["reason"] == "the merchant reference was used before, for something else"


def test_a_closed_port_and_a_full_queue_sent_nothing(bench: StripeBench) -> None:
    with pytest.raises(ProviderUnreachable):
        bench.gateway_with(api_base=f"http://127.0.0.1:{a_closed_port()}").create_checkout(a_request())
    bench.server.script("checkout/sessions/create", "rate_limited")
    with pytest.raises(ProviderUnreachable):
        bench.gateway.create_checkout(a_request())
    assert bench.server.books.all("checkout.session") == []


def test_a_revoked_key_refuses_nothing_for_good(bench: StripeBench) -> None:
    revoked = bench.gateway_with(api_key="sk_test_revoked000000000000")
    checkout = bench.gateway.create_checkout(a_request())
    with pytest.raises(ProviderUnreachable):
        revoked.create_checkout(a_request(attempt_id=OTHER_ATTEMPT_ID))
    with pytest.raises(ProviderUnreachable):
        revoked.read(checkout.identity)


def test_a_provider_that_does_not_answer_is_left_alone(bench: StripeBench) -> None:
    bench.server.script("*", "error_500", times=5)
    for _ in range(5):
        with pytest.raises(OutcomeUnknown):
            bench.gateway.create_checkout(a_request())
    with pytest.raises(ProviderUnreachable):
        bench.gateway.create_checkout(a_request())
    assert bench.server.calls("checkout/sessions/create") == 5


def test_no_redirect_is_followed_and_no_proxy_of_the_environment_is_used(
    bench: StripeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{a_closed_port()}")
    request = a_request()
    bench.server.script("checkout/sessions/create", "redirect")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.create_checkout(request)
    assert bench.server.calls("balance/retrieve") == 0
    assert bench.gateway.create_checkout(request).url


# Readings


def test_a_paid_session_names_its_charge_and_our_reference(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    reading = bench.read(checkout)
    (intent,) = bench.server.books.all("payment_intent")
    assert reading.charge_reference == intent["id"]
    assert reading.merchant_reference == MERCHANT_REFERENCE == intent["metadata"]["merchant_reference"]
    assert (reading.live, reading.refunds, reading.disputes) == (False, (), ())


def test_a_charge_alone_finds_its_session(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    whole = bench.read(checkout)
    assert bench.gateway.read(ProviderIdentity("", charge=whole.charge_reference)) == whole


def test_a_payment_intent_that_no_session_made_is_read_by_itself(bench: StripeBench) -> None:
    told = {"metadata[merchant_reference]": "pa_app", "amount": "5000", "currency": "jpy"}
    headers = {"Authorization": f"Bearer {TEST_KEY}"}
    url = f"{bench.server.address}/v1/payment_intents"
    intent = requests.post(url, data=told, headers=headers, timeout=5).json()
    identity = ProviderIdentity("", charge=intent["id"])
    assert bench.gateway.read(identity).status is ReadingStatus.OPEN
    declined = requests.post(f"{url}/{intent['id']}/confirm", headers=headers, timeout=5)
    assert declined.status_code == 402
    assert bench.gateway.read(identity).status is ReadingStatus.OPEN, "a decline is not the end"
    told = {"payment_method": "pm_card_visa"}
    requests.post(f"{url}/{intent['id']}/confirm", data=told, headers=headers, timeout=5)
    reading = bench.gateway.read(identity)
    assert (reading.status, reading.paid) == (ReadingStatus.PAID, (Money.of(5_000, "JPY"),))
    assert (reading.provider_reference, reading.merchant_reference) == (intent["id"], "pa_app")


def test_a_canceled_payment_intent_is_over(bench: StripeBench) -> None:
    headers = {"Authorization": f"Bearer {TEST_KEY}"}
    url = f"{bench.server.address}/v1/payment_intents"
    intent = requests.post(url, data={"amount": "5000", "currency": "egp"}, headers=headers, timeout=5).json()
    requests.post(f"{url}/{intent['id']}/cancel", headers=headers, timeout=5)
    assert bench.gateway.read(ProviderIdentity(intent["id"])).status is ReadingStatus.FAILED


def test_a_declined_card_leaves_the_page_open(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    assert checkout.url is not None
    page = requests.post(checkout.url, data={"outcome": "decline"}, timeout=5).text
    assert "declined" in page
    assert (bench.read(checkout).status, bench.read(checkout).paid) == (ReadingStatus.OPEN, ())
    bench.pay(checkout)
    assert bench.read(checkout).paid == (TOTAL,)


def test_an_expired_session_is_over_and_takes_no_money(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.ahead_seconds = 36 * 60
    reading = bench.read(checkout)
    assert (reading.status, reading.paid) == (ReadingStatus.FAILED, ())
    assert checkout.url is not None
    assert requests.post(checkout.url, data={"outcome": "pay"}, timeout=5).status_code == 400


@pytest.mark.parametrize(("succeeded", "status"), [(True, ReadingStatus.PAID), (False, ReadingStatus.FAILED)])
def test_a_completed_session_is_paid_when_its_money_is_there(
    bench: StripeBench, succeeded: bool, status: ReadingStatus
) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="OTHER"))
    bench.server.act("pay", {"session_id": checkout.provider_reference, "delayed": True})
    assert (bench.read(checkout).status, bench.read(checkout).paid) == (ReadingStatus.OPEN, ())
    bench.server.act("settle_delayed", {"session_id": checkout.provider_reference, "succeeded": succeeded})
    assert bench.read(checkout).status is status
    assert bench.read(checkout).paid == ((TOTAL,) if succeeded else ())


def test_a_session_that_needed_no_money_brought_none(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    free = {"status": "complete", "payment_status": "no_payment_required"}
    bench.server.books.change("checkout.session", checkout.provider_reference, lambda it: it.update(free))
    reading = bench.read(checkout)
    assert (reading.status, reading.paid) == (ReadingStatus.FAILED, ())


def test_what_was_received_counts_not_what_was_asked_for(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    intent = bench.read(checkout).charge_reference
    bench.server.books.change("payment_intent", intent, lambda it: it.update(amount_received=100))
    assert bench.read(checkout).paid == (Money.of(100, "EGP"),)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"amount_received": 0},
        {"amount_received": "149910"},
        {"amount_received": 1499.1},
        {"amount_received": True},
        {"amount_received": None},
        {"currency": "xyz"},
        {"currency": None},
        {"amount_received": 10**30},
    ],
)
def test_paid_without_a_usable_amount_is_unknown(bench: StripeBench, nonsense: dict[str, object]) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    intent = bench.read(checkout).charge_reference
    bench.server.books.change("payment_intent", intent, lambda it: it.update(nonsense))
    with pytest.raises(OutcomeUnknown):
        bench.read(checkout)


@pytest.mark.parametrize("nonsense", [{"livemode": None}, {"status": "new"}, {"status": None}, {"livemode": "true"}])
def test_a_session_that_cannot_be_understood_is_unknown(bench: StripeBench, nonsense: dict[str, object]) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.books.change("checkout.session", checkout.provider_reference, lambda it: it.update(nonsense))
    with pytest.raises(OutcomeUnknown):
        bench.read(checkout)


@pytest.mark.parametrize("fault", ["html", "half_json", "strange", "deep", "error_500", "cut_after"])
@pytest.mark.parametrize("operation", ["checkout/sessions/retrieve", "refunds/list", "disputes/list"])
def test_an_answer_that_is_none_is_unknown(bench: StripeBench, operation: str, fault: str) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.script(operation, fault)
    with pytest.raises(OutcomeUnknown):
        bench.read(checkout)


def test_the_account_and_its_objects_are_of_one_mode(tmp_path: Path) -> None:
    live_key = "sk_live_demo0000000000000001"
    with StripeServer(tmp_path / "books.sqlite", api_key=live_key) as server:
        bench = StripeBench(server)
        gateway = bench.gateway_with(api_key=live_key)
        checkout = gateway.create_checkout(a_request())
        assert checkout.provider_reference.startswith("cs_live_")
        assert gateway.read(checkout.identity).live is True
        assert gateway.read(ProviderIdentity("cs_live_a1none")).live is True


def test_a_wrong_address_is_not_taken_for_missing_sessions(bench: StripeBench) -> None:
    astray = bench.gateway_with(api_base=f"{bench.server.address}/elsewhere")
    with pytest.raises(OutcomeUnknown):
        astray.read(ProviderIdentity("cs_test_a1"))


@pytest.mark.parametrize("reference", ["", "..", "../balance", "a/b", "a?b=c", "é", "a" * 256, "cs\n"])
def test_what_is_no_id_is_asked_of_nobody(bench: StripeBench, reference: str) -> None:
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(ProviderIdentity(reference))
    assert bench.server.books.calls() == {}


def test_refunds_and_disputes_leave_what_was_paid(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.refund(checkout, 149_910)
    intent = bench.read(checkout).charge_reference
    bench.server.act("dispute", {"payment_intent": intent, "status": "warning_needs_response"})
    reading = bench.read(checkout)
    assert (reading.status, reading.paid) == (ReadingStatus.PAID, (TOTAL,))
    (refund,), (dispute,) = reading.refunds, reading.disputes
    assert (refund.merchant_reference, refund.amount, refund.state) == ("rf_1", TOTAL, RefundState.SUCCEEDED)
    assert (dispute.amount, dispute.state, dispute.reason) == (TOTAL, DisputeState.OPEN, "fraudulent")


def test_a_refund_on_the_dashboard_is_told_without_a_reference(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.act("refund", {"payment_intent": bench.read(checkout).charge_reference, "amount": 910})
    (refund,) = bench.read(checkout).refunds
    assert (refund.merchant_reference, refund.amount) == ("", Money.of(910, "EGP"))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", DisputeState.OPEN),
        ("under_review", DisputeState.OPEN),
        ("warning_needs_response", DisputeState.OPEN),
        ("warning_under_review", DisputeState.OPEN),
        ("appeal_under_review", DisputeState.OPEN),
        ("a_status_of_next_year", DisputeState.OPEN),
        ("warning_closed", DisputeState.WON),
        ("prevented", DisputeState.WON),
        ("won", DisputeState.WON),
        ("lost", DisputeState.LOST),
    ],
)
def test_every_dispute_is_open_until_it_is_over(bench: StripeBench, status: str, state: DisputeState) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    made = bench.server.act("dispute", {"payment_intent": bench.read(checkout).charge_reference})
    bench.server.books.change("dispute", made["id"], lambda it: it.update(status=status))
    assert [one.state for one in bench.read(checkout).disputes] == [state]


def test_all_refunds_are_told_over_all_pages(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    intent = bench.read(checkout).charge_reference
    for _ in range(101):
        bench.server.act("refund", {"payment_intent": intent, "amount": 10})
    assert len(bench.read(checkout).refunds) == 101
    assert bench.server.calls("refunds/list") == 3, "one at the first reading, two pages at the second"


# The log


def test_nothing_secret_and_nobodys_name_is_logged(
    bench: StripeBench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        checkout = bench.gateway.create_checkout(a_request())
        bench.read(checkout)
        with pytest.raises(ProviderRefused):
            bench.refund(checkout, 100)
        with pytest.raises(ProviderUnreachable):
            bench.gateway_with(api_key="sk_test_revoked000000000000").read(checkout.identity)
    operations = {line["operation"] for line in lines}
    assert operations == {"post checkout/sessions", "get checkout/sessions/*"}
    assert checkout.provider_reference not in str(lines)
    printed = capfd.readouterr()
    told = f"{lines}{caplog.text}{printed.out}{printed.err}".lower()
    for secret in (TEST_KEY, "revoked", "mona", MERCHANT_REFERENCE, "bearer"):
        assert secret not in told
    assert [record for record in caplog.records if record.name.startswith("stripe")] == []
