"""The manual gateway against a real database: what staff confirmed is what it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.engine import make_url

from application.billing.ports import (
    BadSignature,
    Checkout,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ReadingStatus,
    RefundRequest,
)
from config.settings import Environment, Settings
from domain.billing.manual import is_reference_number
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from infrastructure.payment.manual import ManualGateway, create_gateway
from infrastructure.payment.registry import GatewayContext
from tests.contract.gateway_contract import ATTEMPT_ID, GatewayBench, GatewayContract, a_request

pytestmark = pytest.mark.database

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
END = NOON + timedelta(minutes=30)
EGP_100 = Money.of(10_000, "EGP")

# Receipts as rows: how they come to be is the use cases' business (tests/api/test_manual_payments.py).
_PERSON = """
INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
VALUES (%s, %s, 'none', 'Mona', 'Adel', 'en', 'ACTIVE', '{CUSTOMER}', now())
"""
_PAYMENT = """
INSERT INTO payments (id, payment_number, user_id, payment_type, amount_minor, refund_amount_minor, currency,
                      payment_method, provider, status, idempotency_key, created_at, updated_at)
VALUES (%s, %s, %s, 'WALLET_DEPOSIT', 1, 0, 'EGP', 'CASH', 'MANUAL', 'PENDING', %s, now(), now())
"""
_RECEIPT = """
INSERT INTO manual_receipts (id, checkout_id, payment_id, payer_user_id, reference, received_on, amount_minor, currency,
                             status, needs_approval, made_by_user_id, idempotency_key, created_at, decided_at, position)
SELECT %(id)s, c.id, %(payment)s, %(payer)s, %(id)s::text, '2026-07-01', c.amount_minor, c.currency, %(status)s,
       %(waits)s, %(maker)s, %(id)s::text, now(), CASE WHEN %(waits)s THEN NULL ELSE now() END,
       CASE WHEN %(waits)s THEN NULL ELSE
            (SELECT count(*) FROM manual_receipts r WHERE r.checkout_id = c.id AND r.status = 'APPROVED') END
FROM manual_checkouts c WHERE c.id = %(checkout)s
"""


@dataclass
class SettableClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class ManualBench:
    """The gateway, and staff who confirm what they are told to."""

    database: Database
    addresses: DatabaseAddresses
    settings: Settings
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        context = GatewayContext(settings=self.settings, clock=self.clock, database=self.database)
        self.gateway: ManualGateway = create_gateway(context)

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        for _ in range(times):
            self.receipt(checkout)

    def receipt(self, checkout: Checkout, status: str = "APPROVED") -> None:
        payer, maker, payment = new_id(), new_id(), new_id()
        with connect(self.addresses.owner) as connection:
            for person in (payer, maker):
                connection.execute(_PERSON, (person, f"{person}@example.com"))
            connection.execute(_PAYMENT, (payment, str(payment), payer, str(payment)))
            connection.execute(
                _RECEIPT,
                {
                    "id": new_id(),
                    "checkout": UUID(checkout.provider_reference),
                    "payment": payment,
                    "payer": payer,
                    "maker": maker,
                    "status": status,
                    "waits": status == "PENDING",
                },
            )

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """What somebody might invent."""
        return f'{{"id": "evt_1", "checkout_id": "{checkout.provider_reference}"}}'.encode(), {}


@pytest.fixture
def bench(database: Database, addresses: DatabaseAddresses, settings: Settings) -> ManualBench:
    return ManualBench(database, addresses, settings)


class TestManualKeepsTheContract(GatewayContract):
    """The suite that every gateway passes; nobody signs webhooks for this one."""

    method = "BANK_TRANSFER"

    def test_a_signed_webhook_says_which_attempt_to_read(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(*bench.webhook(checkout))

    def test_a_redelivery_has_the_same_event_key(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        bench.pay(checkout)
        for _ in range(2):
            with pytest.raises(BadSignature):
                bench.gateway.parse_webhook(*bench.webhook(checkout))


def opened(bench: ManualBench, **asked: object) -> Checkout:
    request = a_request(EGP_100, method="CASH", expires_at=END, attempt_id=uuid4())
    return bench.gateway.create_checkout(dataclasses.replace(request, **asked))  # type: ignore[arg-type]


def status(bench: ManualBench, checkout: Checkout) -> ReadingStatus:
    return bench.gateway.read(checkout.identity).status


def test_a_checkout_is_a_number_and_no_page(bench: ManualBench) -> None:
    checkout = opened(bench)
    assert (checkout.url, checkout.qr_code, checkout.expires_at) == (None, None, END)
    assert is_reference_number(checkout.reference_number or "")


def test_the_same_request_answers_the_same_number_also_at_once(bench: ManualBench) -> None:
    request = a_request(EGP_100, method="CASH", expires_at=END)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: bench.gateway.create_checkout(request), range(6)))
    assert len({(checkout.provider_reference, checkout.reference_number) for checkout in made}) == 1


def test_every_checkout_has_a_number_of_its_own(bench: ManualBench) -> None:
    assert len({opened(bench).reference_number for _ in range(20)}) == 20


def test_a_merchant_reference_is_not_used_for_another_amount(bench: ManualBench) -> None:
    bench.gateway.create_checkout(a_request(EGP_100, method="CASH"))
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request(Money.of(10_001, "EGP"), method="CASH"))


def test_cards_are_not_served(bench: ManualBench) -> None:
    with pytest.raises(ProviderRefused):
        opened(bench, method="CREDIT_CARD")


def test_it_reads_our_own_reference(bench: ManualBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="CASH"))
    assert bench.gateway.read(checkout.identity).merchant_reference == f"pa_{ATTEMPT_ID.hex}"


def test_money_that_waits_for_a_second_person_is_none_yet(bench: ManualBench) -> None:
    checkout = opened(bench)
    bench.receipt(checkout, "PENDING")
    assert bench.gateway.read(checkout.identity).paid == ()
    bench.clock.at = END + timedelta(days=3)
    assert status(bench, checkout) is ReadingStatus.OPEN


def test_its_time_ends_and_what_comes_late_is_still_read(bench: ManualBench) -> None:
    checkout = opened(bench)
    bench.clock.at = END
    assert status(bench, checkout) is ReadingStatus.FAILED
    bench.pay(checkout)
    assert status(bench, checkout) is ReadingStatus.PAID


@pytest.mark.parametrize(("environment", "live"), [(Environment.PRODUCTION, True), (Environment.TEST, False)])
def test_its_money_is_real_in_production(bench: ManualBench, environment: Environment, live: bool) -> None:
    settings = dataclasses.replace(bench.settings, environment=environment)
    other = ManualBench(bench.database, bench.addresses, settings)
    assert other.gateway.read(opened(other).identity).live is live


def test_it_is_not_called_inside_a_transaction(bench: ManualBench) -> None:
    checkout = opened(bench)
    with bench.database.transaction(), pytest.raises(RuntimeError):
        bench.gateway.read(checkout.identity)
    with bench.database.transaction(), pytest.raises(RuntimeError):
        opened(bench)


def test_books_that_do_not_answer_leave_the_outcome_unknown(settings: Settings, addresses: DatabaseAddresses) -> None:
    away = Database(make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(OutcomeUnknown):
        ManualBench(away, addresses, settings).gateway.read(ProviderIdentity(str(uuid4())))


def test_people_give_money_back_by_hand(bench: ManualBench) -> None:
    checkout = opened(bench)
    assert not bench.gateway.capabilities.refunds
    with pytest.raises(ProviderRefused):
        bench.gateway.refund(
            RefundRequest(
                merchant_reference="rf_1", identity=checkout.identity, amount=EGP_100, charged=EGP_100, reason=""
            )
        )
