"""Stripe's gateway against the same server: refunds, transfers, statements, and amounts in every currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import stripe
from hypothesis import given
from hypothesis import strategies as st

from application.billing.ports import (
    Checkout,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    RefundState,
    TransferState,
)
from domain.ledger.reconciliation import LineKind, ProviderStatement
from domain.shared.clock import business_date
from domain.shared.money import EXPONENTS, Currency, Money
from fake_providers.stripe import StripeServer
from infrastructure.payment.stripe import wire
from tests.contract.gateway_contract import a_request
from tests.contract.stripe_bench import TOTAL, StripeBench, a_refund, a_transfer

ACCOUNT = "acct_1PgafTB7WZ01zgkW"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StripeBench]:
    with StripeServer(tmp_path / "books.sqlite") as server:
        yield StripeBench(server)


@pytest.fixture
def paid(bench: StripeBench) -> Checkout:
    """A checkout of EGP 1,499.10 that a customer has paid."""
    return a_paid(bench)


def a_paid(bench: StripeBench, amount: Money = TOTAL) -> Checkout:
    checkout = bench.gateway.create_checkout(a_request(amount, attempt_id=uuid4()))
    bench.pay(checkout)
    return checkout


def refunds(bench: StripeBench) -> list[tuple[str, int]]:
    """Reference and amount of every refund in the provider's books."""
    return [(it["metadata"].get("merchant_reference", ""), it["amount"]) for it in bench.server.books.all("refund")]


# Refunds


def test_a_part_is_given_back_under_our_reference(bench: StripeBench, paid: Checkout) -> None:
    answer = bench.refund(paid, 910)
    assert answer.state is RefundState.SUCCEEDED
    body = bench.last_body("refunds/create")
    assert (body["amount"], body["reason"]) == ("910", "requested_by_customer")
    assert body["metadata[merchant_reference]"] == "rf_1"
    (refund,) = bench.read(paid).refunds
    assert (refund.provider_refund_reference, refund.amount) == (
        answer.provider_refund_reference,
        Money.of(910, "EGP"),
    )


def test_the_same_reference_gives_back_once(bench: StripeBench, paid: Checkout) -> None:
    answers = {bench.refund(paid, 910).provider_refund_reference for _ in range(3)}
    assert len(answers) == 1
    assert refunds(bench) == [("rf_1", 910)]


def test_a_reference_is_remembered_longer_than_stripe_remembers_its_key(bench: StripeBench, paid: Checkout) -> None:
    first = bench.refund(paid, 910)
    bench.server.books.forget("refund:rf_1")
    assert bench.refund(paid, 910) == first
    assert refunds(bench) == [("rf_1", 910)]


@pytest.mark.parametrize("fault", ["cut_after", "timeout_after", "error_500_after", "half_json", "strange"])
def test_an_eaten_reply_gives_back_once(bench: StripeBench, paid: Checkout, fault: str) -> None:
    bench.server.script("refunds/create", fault)
    hasty = bench.gateway_with(total_seconds=1.0)
    request = a_refund(paid.identity, 910)
    with pytest.raises(OutcomeUnknown):
        hasty.refund(request)
    assert [one.merchant_reference for one in bench.read(paid).refunds] == ["rf_1"], "a reading tells"
    assert hasty.refund(request).state is RefundState.SUCCEEDED
    assert refunds(bench) == [("rf_1", 910)]


def test_where_nothing_could_be_looked_through_nothing_was_sent(bench: StripeBench, paid: Checkout) -> None:
    bench.server.script("refunds/list", "error_500")
    with pytest.raises(ProviderUnreachable):
        bench.refund(paid, 910)
    assert bench.server.calls("refunds/create") == 0


def test_a_reference_of_another_amount_is_refused_and_says_so(bench: StripeBench, paid: Checkout) -> None:
    bench.refund(paid, 910)
    with pytest.raises(ProviderRefused) as refusal:
        bench.refund(paid, 911)
    assert refusal.value.facts["reason"] == "the merchant reference was used before, for EGP 9.10"
    assert refunds(bench) == [("rf_1", 910)]


def test_a_key_with_other_parameters_is_refused_and_says_so(bench: StripeBench, paid: Checkout) -> None:
    other = a_paid(bench, Money.of(5_000, "EGP"))
    bench.refund(paid, 910)
    with pytest.raises(ProviderRefused) as refusal:
        bench.refund(other, 910)
    assert refusal.value.facts["reason"] == "the merchant reference was used before, for something else"


def test_no_more_is_given_back_than_was_taken(bench: StripeBench, paid: Checkout) -> None:
    bench.refund(paid, 149_000)
    with pytest.raises(ProviderRefused, match="greater than unrefunded"):
        bench.refund(paid, 911, reference="rf_2")
    bench.refund(paid, 910, reference="rf_3")
    with pytest.raises(ProviderRefused, match="charge_already_refunded"):
        bench.refund(paid, 1, reference="rf_4")


def test_nothing_is_given_back_of_what_was_not_paid(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    with pytest.raises(ProviderRefused, match="nothing was charged"):
        bench.refund(checkout, 100)
    for identity in (ProviderIdentity(""), ProviderIdentity("cs_none"), ProviderIdentity("", charge="pi_none")):
        with pytest.raises(ProviderRefused):
            bench.gateway.refund(a_refund(identity, 100))
    assert bench.server.books.all("refund") == []


def test_a_charge_that_is_disputed_is_not_given_back(bench: StripeBench, paid: Checkout) -> None:
    bench.server.act("dispute", {"payment_intent": bench.read(paid).charge_reference})
    with pytest.raises(ProviderRefused, match="charge_disputed"):
        bench.refund(paid, 100)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", RefundState.PENDING),
        ("requires_action", RefundState.PENDING),
        ("succeeded", RefundState.SUCCEEDED),
        ("failed", RefundState.FAILED),
        ("canceled", RefundState.FAILED),
    ],
)
def test_every_status_of_a_refund_has_a_state(
    bench: StripeBench, paid: Checkout, status: str, state: RefundState
) -> None:
    bench.server.act("settings", {"refunds_begin": status})
    assert bench.refund(paid, 100).state is state
    assert [one.state for one in bench.read(paid).refunds] == [state]


def test_a_status_that_stripe_does_not_have_is_unknown(bench: StripeBench, paid: Checkout) -> None:
    made = bench.refund(paid, 100)
    bench.server.books.change("refund", made.provider_refund_reference, lambda it: it.update(status="new"))
    with pytest.raises(OutcomeUnknown):
        bench.read(paid)


def test_a_refund_that_succeeded_may_fail_later(bench: StripeBench, paid: Checkout) -> None:
    made = bench.refund(paid, 149_910)
    reason = "lost_or_stolen_card"
    told = {"refund_id": made.provider_refund_reference, "status": "failed", "reason": reason}
    bench.server.act("finish_refund", told)
    (refund,) = bench.read(paid).refunds
    assert (refund.state, refund.reason) == (RefundState.FAILED, reason)
    assert bench.refund(paid, 149_910).state is RefundState.FAILED, "the same reference tells how it ended"
    assert bench.refund(paid, 149_910, reference="rf_2").state is RefundState.SUCCEEDED


@pytest.mark.slow
def test_a_storm_of_refunds_gives_back_once_for_each_reference_and_never_too_much(bench: StripeBench) -> None:
    """Twelve references of 200.00 each, each asked for four times at once, on a charge of 1,499.10."""
    paid = a_paid(bench)
    identity = ProviderIdentity(paid.provider_reference, charge=bench.read(paid).charge_reference)
    asked = [f"rf_{number % 12}" for number in range(48)]

    def ask(reference: str) -> str:
        try:
            return bench.gateway.refund(a_refund(identity, 20_000, reference=reference)).provider_refund_reference
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused):
            return ""

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, asked))
    made = refunds(bench)
    assert len(made) == 7, "1,499.10 has room for seven of them"
    assert max(Counter(reference for reference, _ in made).values()) == 1
    assert sum(amount for _, amount in made) <= TOTAL.minor
    by_reference: dict[str, set[str]] = {}
    for reference, answer in zip(asked, answers, strict=True):
        by_reference.setdefault(reference, set()).update({answer} - {""})
    assert all(len(found) <= 1 for found in by_reference.values())
    # Who asks again learns the end.
    kept = {reference for reference, _ in made}
    for reference in set(asked):
        assert bool(ask(reference)) is (reference in kept)
    assert refunds(bench) == made


# Transfers


def test_money_is_sent_on_once_for_each_reference(bench: StripeBench, paid: Checkout) -> None:
    readings = [bench.gateway.transfer(a_transfer()) for _ in range(2)]
    bench.server.books.forget("transfer:tr_1")
    readings.append(bench.gateway.transfer(a_transfer()))
    assert readings[0] == readings[1] == readings[2]
    assert readings[0].state is TransferState.SUCCEEDED
    assert (readings[0].merchant_reference, readings[0].amount) == ("tr_1", Money.of(50_000, "EGP"))
    (transfer,) = bench.server.books.all("transfer")
    assert (transfer["destination"], transfer["transfer_group"]) == (ACCOUNT, "tr_1")


def test_an_eaten_reply_sends_once(bench: StripeBench, paid: Checkout) -> None:
    bench.server.script("transfers/create", "cut_after")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.transfer(a_transfer())
    found = bench.gateway.read_transfer("tr_1", "")
    assert found is not None
    assert bench.gateway.transfer(a_transfer()) == found
    assert len(bench.server.books.all("transfer")) == 1


@pytest.mark.parametrize(
    "other", [a_transfer(50_001), a_transfer(destination="acct_2"), a_transfer(destination="acct_2", code="USD")]
)
def test_a_reference_sends_one_sum_to_one_account(bench: StripeBench, paid: Checkout, other: object) -> None:
    bench.gateway.transfer(a_transfer())
    with pytest.raises(ProviderRefused, match="used before"):
        bench.gateway.transfer(other)  # type: ignore[arg-type]
    assert len(bench.server.books.all("transfer")) == 1


def test_nothing_is_sent_that_is_not_there_or_to_nobody(bench: StripeBench) -> None:
    with pytest.raises(ProviderRefused, match="balance_insufficient"):
        bench.gateway.transfer(a_transfer())
    for destination in ("", "ba_1", "acct_1/../x", "acct 1"):
        with pytest.raises(ProviderRefused, match="connected account"):
            bench.gateway.transfer(a_transfer(destination=destination))
    assert bench.server.books.all("transfer") == []


def test_a_reversed_transfer_is_read_as_failed_and_a_part_as_what_is_left(bench: StripeBench, paid: Checkout) -> None:
    made = bench.gateway.transfer(a_transfer())
    told = {"transfer_id": made.provider_transfer_reference, "amount": 20_000}
    bench.server.act("reverse_transfer", told)
    left = bench.gateway.read_transfer("tr_1", made.provider_transfer_reference)
    assert left == replace(made, amount=Money.of(30_000, "EGP"))
    bench.server.act("reverse_transfer", {"transfer_id": made.provider_transfer_reference})
    over = bench.gateway.read_transfer("tr_1", "")
    assert over == replace(made, state=TransferState.FAILED)


def test_a_transfer_that_nobody_made_is_none(bench: StripeBench) -> None:
    assert bench.gateway.read_transfer("tr_1", "") is None
    assert bench.gateway.read_transfer("tr_1", "tr_none") is None


# Statements


def today(bench: StripeBench) -> date:
    return business_date(bench.clock.now())


def lines(statement: ProviderStatement, kind: LineKind) -> list[tuple[str, str]]:
    return [(line.provider_reference, str(line.amount)) for line in statement.lines if line.kind is kind]


def test_a_statement_tells_charges_by_the_reference_that_readings_have(bench: StripeBench, paid: Checkout) -> None:
    other = a_paid(bench, Money.of(5_000, "JPY"))
    statement = bench.gateway.statement(today(bench))
    assert statement.provider == "STRIPE"
    assert lines(statement, LineKind.PAYMENT) == [
        (bench.read(paid).provider_reference, "EGP 1499.10"),
        (bench.read(other).provider_reference, "JPY 5000"),
    ]
    assert {line.booked_on for line in statement.lines} == {today(bench)}


def test_a_statement_tells_refunds_fees_disputes_transfers_and_payouts(bench: StripeBench, paid: Checkout) -> None:
    refund = bench.refund(paid, 910)
    failed = bench.refund(paid, 90, reference="rf_2")
    told = {"refund_id": failed.provider_refund_reference, "status": "failed"}
    bench.server.act("finish_refund", told)
    transfer = bench.gateway.transfer(a_transfer(10_000))
    payout = bench.server.act("pay_out", {"currency": "egp"})
    other = a_paid(bench)
    dispute = bench.server.act("dispute", {"payment_intent": bench.read(other).charge_reference})
    bench.server.act("close_dispute", {"dispute_id": dispute["id"]})
    statement = bench.gateway.statement(today(bench))
    assert lines(statement, LineKind.REFUND) == [
        (refund.provider_refund_reference, "EGP -9.10"),
        (failed.provider_refund_reference, "EGP -0.90"),
        (failed.provider_refund_reference, "EGP 0.90"),
    ]
    assert [amount for _, amount in lines(statement, LineKind.FEE)] == ["EGP -43.47", "EGP -43.47", "EGP -15.00"]
    assert lines(statement, LineKind.PAYOUT) == [(payout["id"], "EGP -1346.53")]
    assert lines(statement, LineKind.OTHER) == [
        (transfer.provider_transfer_reference, "EGP -100.00"),
        (dispute["id"], "EGP -1499.10"),
        (dispute["id"], "EGP 1499.10"),
    ]
    held = sum(line.amount.minor for line in statement.lines)
    assert held == bench.server.provider.held()["egp"], "the lines add up to what the account holds"


def test_a_payment_intent_without_a_session_is_stated_by_itself(bench: StripeBench) -> None:
    made = bench.server.provider.create_intent({"amount": 5_000, "currency": "egp"})
    bench.server.provider.charge(made["id"])
    assert lines(bench.gateway.statement(today(bench)), LineKind.PAYMENT) == [(made["id"], "EGP 50.00")]


def test_a_session_that_was_opened_long_before_it_was_paid_is_found(bench: StripeBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="OTHER"))
    session = checkout.provider_reference
    bench.server.act("pay", {"session_id": session, "delayed": True})
    bench.server.books.change("checkout.session", session, lambda it: it.update(created=it["created"] - 9 * 86_400))
    bench.server.act("settle_delayed", {"session_id": session})
    assert lines(bench.gateway.statement(today(bench)), LineKind.PAYMENT) == [(session, "EGP 1499.10")]


def test_a_day_is_a_calendar_day_in_cairo(bench: StripeBench, paid: Checkout) -> None:
    """23:59:59 and 00:00:00 in Cairo, in summer time: 20:59:59 and 21:00:00 UTC."""
    for at, day in ((1_782_853_199, date(2026, 6, 30)), (1_782_853_200, date(2026, 7, 1))):
        for entry in bench.server.books.all("balance_transaction"):
            bench.server.books.put({**entry, "created": at})
        for asked in (date(2026, 6, 30), date(2026, 7, 1)):
            stated = [line.booked_on for line in bench.gateway.statement(asked).lines]
            assert stated == ([day, day] if asked == day else [])


def test_a_day_without_entries_speaks_of_every_currency_that_is_held(bench: StripeBench, paid: Checkout) -> None:
    a_paid(bench, Money.of(5_000, "KWD"))
    yesterday = today(bench) - timedelta(days=1)
    statement = bench.gateway.statement(yesterday)
    assert statement.lines == ()
    assert statement.days == {("EGP", yesterday), ("KWD", yesterday)}


def test_what_was_exchanged_is_told_in_both_currencies(bench: StripeBench) -> None:
    """A charge in dollars, in a balance that is kept in pounds."""
    checkout = a_paid(bench, Money.of(10_000, "USD"))
    (entry,) = bench.server.books.all("balance_transaction")
    bench.server.books.put({**entry, "amount": 480_000, "currency": "egp", "fee": 13_920, "net": 466_080})
    statement = bench.gateway.statement(today(bench))
    assert lines(statement, LineKind.PAYMENT) == [(checkout.provider_reference, "USD 100.00")]
    assert lines(statement, LineKind.OTHER) == [(entry["id"], "USD -100.00"), (entry["id"], "EGP 4800.00")]
    assert lines(statement, LineKind.FEE) == [(entry["id"], "EGP -139.20")]


def test_a_statement_has_all_pages(bench: StripeBench) -> None:
    with bench.server.books.effect():
        for _ in range(205):
            made = bench.server.provider.create_intent({"amount": 1_000, "currency": "egp"})
            bench.server.provider.charge(made["id"])
    assert len(lines(bench.gateway.statement(today(bench)), LineKind.FEE)) == 205
    assert bench.server.calls("balance_transactions/list") == 9


def test_half_a_statement_is_none(bench: StripeBench, paid: Checkout) -> None:
    bench.server.script("balance_transactions/list", "half_json")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.statement(today(bench))


# Currencies

WITHOUT_DECIMALS = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
TABLE = {
    **dict.fromkeys(WITHOUT_DECIMALS, (0, 1, 1)),
    "MGA": (2, 100, 1),
    **dict.fromkeys(["ISK", "UGX"], (0, 1, 100)),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], (3, 1, 1)),
    **dict.fromkeys(["HUF", "TWD", *(code for code, decimals in EXPONENTS.items() if decimals == 2)], (2, 1, 1)),
    **dict.fromkeys(["IQD", "LYD"], (3, 10, 1)),
}
"""Code → decimals by ISO 4217, minor units that make one of Stripe's, what Stripe's are multiplied by."""


def test_the_table_has_every_currency_of_the_company() -> None:
    assert EXPONENTS.keys() <= TABLE.keys()
    assert all(TABLE[code][0] == decimals for code, decimals in EXPONENTS.items())


@given(code=st.sampled_from(sorted(TABLE)), minor=st.integers(min_value=1, max_value=10**9))
def test_an_amount_is_written_exactly_or_refused(code: str, minor: int) -> None:
    decimals, step, factor = TABLE[code]
    amount = Money(minor, Currency(code, decimals))
    number = minor // step * factor
    rounds = minor % step != 0 or (code in wire.THREE_DECIMAL and minor % 10 != 0)
    if rounds or not 0 < number <= 99_999_999:
        with pytest.raises(ProviderRefused):
            wire.written_amount(amount)
    else:
        assert wire.written_amount(amount) == number
        assert wire.read_minor(number, amount.currency) == amount
        assert wire.written_currency(amount) == code.lower()


@given(code=st.sampled_from(sorted(EXPONENTS)), number=st.integers(min_value=-(10**11), max_value=10**11))
def test_an_amount_is_read_exactly_or_not_at_all(code: str, number: int) -> None:
    amount = wire.read_amount(number, code.lower())
    _, step, factor = TABLE[code]
    assert amount == Money.of(number * step // factor, code)


@given(code=st.sampled_from(["ISK", "UGX"]), number=st.integers(min_value=1, max_value=99_999_999))
def test_what_has_no_decimals_is_never_read_with_some(code: str, number: int) -> None:
    unit = Currency(code, 0)
    if number % 100:
        with pytest.raises(OutcomeUnknown):
            wire.read_minor(number, unit)
    else:
        assert wire.read_minor(number, unit) == Money(number // 100, unit)


@pytest.mark.parametrize(
    ("code", "minor", "number"),
    [("JPY", 5_000, 5_000), ("EGP", 149_910, 149_910), ("USD", 50, 50), ("KWD", 5_120, 5_120), ("BHD", 10, 10)],
)
def test_well_known_amounts(code: str, minor: int, number: int) -> None:
    assert wire.written_amount(Money.of(minor, code)) == number


def test_the_third_decimal_is_refused_with_its_reason_and_never_rounded(bench: StripeBench) -> None:
    with pytest.raises(ProviderRefused, match="the last of the three decimals of KWD has to be 0"):
        bench.gateway.create_checkout(a_request(Money.of(5_124, "KWD")))
    assert bench.server.books.calls() == {}
    checkout = a_paid(bench, Money.of(5_120, "KWD"))
    assert bench.read(checkout).paid == (Money.of(5_120, "KWD"),)
    with pytest.raises(ProviderRefused, match="three decimals"):
        bench.refund(checkout, 1_234, charged=Money.of(5_120, "KWD"))


@pytest.mark.parametrize("code", ["HUF", "TWD"])
def test_forints_and_dollars_of_taiwan_are_sent_on_in_whole_units(code: str) -> None:
    unit = Currency(code, 2)
    assert wire.written_amount(Money(1_050, unit)) == 1_050
    with pytest.raises(ProviderRefused, match="whole units"):
        wire.written_to_send_on(Money(1_050, unit))
    assert wire.written_to_send_on(Money(1_000, unit)) == 1_000


@pytest.mark.parametrize("minor", [0, -1, 100_000_000])
def test_an_amount_has_one_to_eight_digits(bench: StripeBench, minor: int) -> None:
    with pytest.raises(ProviderRefused, match="eight digits"):
        bench.gateway.create_checkout(a_request(Money.of(minor, "EGP")))
    assert bench.server.books.calls() == {}


def test_a_currency_that_stripe_does_not_take_is_refused_by_stripe(bench: StripeBench) -> None:
    with pytest.raises(ProviderRefused, match="Invalid currency"):
        bench.gateway.create_checkout(a_request(Money.of(5_000, "IQD")))


@pytest.mark.parametrize(("code", "minor"), [("KWD", 1_234_560), ("SAR", 99_999), ("USD", 450), ("EGP", 1), ("JPY", 7)])
def test_every_currency_is_charged_and_read_back_as_it_was(bench: StripeBench, code: str, minor: int) -> None:
    assert bench.read(a_paid(bench, Money.of(minor, code))).paid == (Money.of(minor, code),)


# The provider's own strictness, which the tests above lean on


def test_the_servers_objects_have_the_members_of_stripes(bench: StripeBench, paid: Checkout) -> None:
    """The library declares what each kind has: a member of another name would be read by nobody in earnest."""
    refund = bench.refund(paid, 910)
    bench.server.act("finish_refund", {"refund_id": refund.provider_refund_reference, "status": "failed"})
    transfer = bench.gateway.transfer(a_transfer(10_000))
    bench.server.act("reverse_transfer", {"transfer_id": transfer.provider_transfer_reference})
    bench.server.act("pay_out", {"currency": "egp"})
    bench.server.act("dispute", {"payment_intent": bench.read(paid).charge_reference})
    kinds = [
        stripe.checkout.Session, stripe.PaymentIntent, stripe.Charge, stripe.Refund, stripe.Dispute, stripe.Transfer,
        stripe.TransferReversal, stripe.Payout, stripe.BalanceTransaction, stripe.Event,
    ]  # fmt: skip
    for kind in kinds:
        found = bench.server.books.all(kind.OBJECT_NAME)
        assert found, kind
        members = {name for one in found for name in one if not name.startswith("_")}
        assert members - kind.__annotations__.keys() == set(), kind


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ("amount=100", "currency"),
        ("amount=1.5&currency=egp", "amount"),
        ("amount=100&currency=egp&customer_name=Mona", "customer_name"),
        ("amount=100&currency=egp&metadata=x", "metadata"),
        ("amount=100&currency=egp&currency=usd", "currency"),
        ("amount=100&currency=egp&expand[1]=x", "expand"),
        ("amount=0&currency=egp", "amount"),
        ("amount=5124&currency=kwd", "amount"),
    ],
)
def test_the_server_is_as_strict_as_stripe(bench: StripeBench, body: str, param: str) -> None:
    headers = {
        "Authorization": f"Bearer {bench.server.api_key}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": "k",
    }
    url = f"{bench.server.address}/v1/payment_intents"
    answer = requests.post(url, data=body, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    again = requests.post(url, data="amount=100&currency=egp", headers=headers, timeout=5)
    assert again.status_code == 200, "a request that never began leaves its key free"
