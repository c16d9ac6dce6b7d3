"""The sandbox: its gateway against a real database, its customers' outcomes, and its webhooks over real HTTP."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy.engine import make_url

from application.billing.ports import (
    BadSignature,
    Checkout,
    DisputeState,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ReadingStatus,
    RefundAnswer,
    RefundRequest,
    RefundState,
    TransferReading,
    TransferRequest,
    TransferState,
    UnreadableWebhook,
)
from application.billing.sandbox import (
    ChangeDispute,
    ChooseOutcome,
    SandboxNotice,
    SendWebhook,
    WebhookNotDelivered,
    change_dispute,
    choose_outcome,
    send_webhook,
    tell_late_payments,
)
from application.sales.expiry import GRACE
from config.settings import Environment, Settings, SettingsError
from domain.billing.sandbox import LATE_BY, CheckoutDecided, CheckoutExpired, CheckoutNotFound, Outcome
from domain.billing.sandbox_refunds import REFUND_TAKES, NothingToDispute, SandboxDisputeState
from domain.ledger.reconciliation import LineKind
from domain.shared.clock import business_date
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.transaction import Database
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.payment.registry import GatewayContext
from infrastructure.payment.sandbox import (
    SIGNATURE_HEADER,
    HttpSandboxWebhooks,
    create_gateway,
    create_provider,
    sign,
)
from security.field_encryption import FernetEncryption
from security.keyed_digests import HmacDigests
from tests.contract.gateway_contract import GatewayContract, a_request

pytestmark = pytest.mark.database

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
END = NOON + timedelta(minutes=30)
EGP_100 = Money.of(10_000, "EGP")


@dataclass
class SettableClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Received:
    """One request that the merchant's address got."""

    body: bytes
    headers: Mapping[str, str]


class MerchantAddress:
    """A real HTTP server that keeps what is posted to it and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200
        self.delay = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(Received(body, dict(self.headers.items())))
                time.sleep(outer.delay)
                self.send_response(outer.status)
                self.send_header("Location", outer.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/sandbox_json"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def merchant() -> Iterator[MerchantAddress]:
    address = MerchantAddress()
    yield address
    address.close()


@dataclass
class SandboxBench:
    """The gateway and the page's use cases over one set of books, with a clock that tests set."""

    database: Database
    settings: Settings
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        context = GatewayContext(settings=self.settings, clock=self.clock, database=self.database)
        self.gateway = create_gateway(context)
        self.provider = create_provider(context)
        self.encryption = FernetEncryption(self.settings.field_encryption_keys)

    def uow(self) -> SqlUnitOfWork:
        return SqlUnitOfWork(
            self.database, encryption=self.encryption, digests=HmacDigests(["a key of the tests"]), new_id=new_id
        )

    def choose(self, checkout: Checkout, outcome: Outcome) -> str:
        command = ChooseOutcome(token=token_of(checkout), outcome=outcome)
        return choose_outcome(command, uow=self.uow(), books=self.provider.books, clock=self.clock, new_id=new_id)

    def tell_late(self) -> int:
        return tell_late_payments(uow=self.uow(), books=self.provider.books, clock=self.clock)

    def events(self) -> list[dict[str, str]]:
        """The webhooks that are to be sent, oldest first."""
        rows = self.database.rows(
            "SELECT payload FROM outbox_events WHERE name = 'billing.sandbox_outcome_chosen' ORDER BY id"
        )
        return [row["payload"] for row in rows]

    def send(self, event: Mapping[str, str]) -> None:
        command = SendWebhook(
            checkout_id=UUID(event["checkout_id"]),
            notice_id=UUID(event["notice_id"]),
            notice_type=event["notice_type"],
        )
        send_webhook(command, books=self.provider.books, webhooks=self.provider.webhooks)

    def read(self, checkout: Checkout) -> tuple[ReadingStatus, tuple[Money, ...]]:
        reading = self.gateway.read(checkout.identity)
        return reading.status, reading.paid

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        self.choose(checkout, Outcome.PAID if times == 1 else Outcome.TWICE)

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """What the merchant's address gets for the newest event of a checkout, taken from the wire."""
        address = MerchantAddress()
        try:
            self.database.rows(
                "UPDATE sandbox_checkouts SET webhook_url = %s WHERE id = %s RETURNING id",
                (address.url, UUID(checkout.provider_reference)),
            )
            self.send([it for it in self.events() if it["checkout_id"] == checkout.provider_reference][-1])
            return address.received[0].body, address.received[0].headers
        finally:
            address.close()

    def payee(self) -> str:
        return "a payee of the tests"

    def sent_to(self, payee: str) -> Money:
        rows = self.database.rows(
            "SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM sandbox_transfers WHERE destination = %s",
            (payee,),
        )
        return Money.of(rows[0]["minor"], "EGP")

    def today(self) -> date:
        return business_date(self.clock.now())

    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        body, headers = self.webhook(checkout)
        return body, {**headers, SIGNATURE_HEADER: sign(body, secret="a guessed secret", at=self.clock.now())}


def token_of(checkout: Checkout) -> str:
    return (checkout.url or "").rpartition("/")[2]


@pytest.fixture
def bench(database: Database, settings: Settings) -> SandboxBench:
    return SandboxBench(database, dataclasses.replace(settings, backend_url="http://127.0.0.1:8000"))


class TestSandboxKeepsTheContract(GatewayContract):
    """The suite that every gateway passes."""


def opened(bench: SandboxBench, *, webhook_url: str = "http://127.0.0.1:9/none", **asked: object) -> Checkout:
    request = a_request(EGP_100, webhook_url=webhook_url, expires_at=END, attempt_id=uuid4())
    return bench.gateway.create_checkout(dataclasses.replace(request, **asked))  # type: ignore[arg-type]


# What may be opened


def test_the_same_request_answers_the_same_checkout(bench: SandboxBench) -> None:
    first = bench.gateway.create_checkout(a_request(EGP_100, expires_at=END))
    again = bench.gateway.create_checkout(a_request(EGP_100, expires_at=END + timedelta(hours=1)))
    assert again == first


def test_many_at_once_open_one_checkout(bench: SandboxBench) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: bench.gateway.create_checkout(a_request(EGP_100, expires_at=END)), range(8)))
    assert len(set(made)) == 1


def test_a_merchant_reference_is_not_used_for_another_amount(bench: SandboxBench) -> None:
    bench.gateway.create_checkout(a_request(EGP_100))
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request(Money.of(10_001, "EGP")))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "altayar://back", "data:text/html,x", "//evil", "", "http://"])
def test_customers_are_sent_back_to_web_addresses_only(bench: SandboxBench, url: str) -> None:
    with pytest.raises(ProviderRefused):
        opened(bench, success_url=url)
    with pytest.raises(ProviderRefused):
        opened(bench, cancel_url=url)


def test_a_method_that_is_not_served_is_refused(bench: SandboxBench) -> None:
    with pytest.raises(ProviderRefused):
        opened(bench, method="BANK_TRANSFER")


def test_a_cash_method_has_a_code_of_digits_and_a_wallet_a_qr_text(bench: SandboxBench) -> None:
    fawry, meeza, card = (opened(bench, method=method) for method in ("FAWRY", "MEEZA", "CREDIT_CARD"))
    assert fawry.reference_number is not None and fawry.reference_number.isdigit()
    assert meeza.qr_code == meeza.url is not None
    assert (card.reference_number, card.qr_code, card.expires_at) == (None, None, END)


def test_the_page_is_not_found_by_the_reference_nor_by_a_changed_address(bench: SandboxBench) -> None:
    checkout = opened(bench)
    token = token_of(checkout)
    assert str(bench.provider.books.by_token(token).id) == checkout.provider_reference
    swapped = "A" if token[-1] != "A" else "B"
    for guess in (
        checkout.provider_reference,
        token[:-1] + swapped,
        "A" * len(token),
        token[:22],
        "",
        "é",
        f"{token}=",
    ):
        with pytest.raises(CheckoutNotFound):
            bench.provider.books.by_token(guess)


def test_addresses_hold_only_under_the_secret_that_made_them(bench: SandboxBench) -> None:
    other = SandboxBench(bench.database, dataclasses.replace(bench.settings, sandbox_secret="x" * 40))
    with pytest.raises(CheckoutNotFound):
        other.provider.books.by_token(token_of(opened(bench)))


# What customers make happen


@pytest.mark.parametrize(
    ("outcome", "status", "paid", "notices", "back_to"),
    [
        (Outcome.PAID, ReadingStatus.PAID, (10_000,), ["checkout.paid"], "ok"),
        (Outcome.TWICE, ReadingStatus.PAID, (10_000, 10_000), ["checkout.paid", "checkout.paid"], "ok"),
        (Outcome.SHORT, ReadingStatus.PAID, (5_000,), ["checkout.paid"], "ok"),
        (Outcome.DECLINED, ReadingStatus.FAILED, (), ["checkout.declined"], "fail"),
        (Outcome.NEVER, ReadingStatus.OPEN, (), [], "fail"),
        (Outcome.LATE, ReadingStatus.OPEN, (), [], "ok"),
    ],
)
def test_each_outcome_has_its_charges_its_webhooks_and_its_way_back(
    bench: SandboxBench,
    outcome: Outcome,
    status: ReadingStatus,
    paid: tuple[int, ...],
    notices: list[str],
    back_to: str,
) -> None:
    checkout = opened(bench)
    assert bench.choose(checkout, outcome) == f"https://app.example.com/pay/{back_to}"
    assert bench.read(checkout) == (status, tuple(Money.of(minor, "EGP") for minor in paid))
    assert [event["notice_type"] for event in bench.events()] == notices
    assert len({event["notice_id"] for event in bench.events()}) == len(notices)


def test_a_reading_names_our_reference_and_is_never_live(bench: SandboxBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(EGP_100))
    reading = bench.gateway.read(ProviderIdentity(checkout.provider_reference))
    assert (reading.merchant_reference, reading.live) == (a_request().merchant_reference, False)


def test_the_same_choice_twice_changes_nothing(bench: SandboxBench) -> None:
    checkout = opened(bench)
    assert bench.choose(checkout, Outcome.PAID) == bench.choose(checkout, Outcome.PAID)
    assert (bench.read(checkout)[1], len(bench.events())) == ((EGP_100,), 1)


@pytest.mark.parametrize("first", [Outcome.PAID, Outcome.DECLINED, Outcome.LATE, Outcome.TWICE, Outcome.SHORT])
def test_what_was_decided_stays_decided(bench: SandboxBench, first: Outcome) -> None:
    checkout = opened(bench)
    bench.choose(checkout, first)
    before = (bench.read(checkout), bench.events())
    for other in set(Outcome) - {first}:
        with pytest.raises(CheckoutDecided):
            bench.choose(checkout, other)
    assert (bench.read(checkout), bench.events()) == before


def test_who_left_without_paying_may_come_back_and_pay(bench: SandboxBench) -> None:
    checkout = opened(bench)
    bench.choose(checkout, Outcome.NEVER)
    bench.choose(checkout, Outcome.PAID)
    assert bench.read(checkout) == (ReadingStatus.PAID, (EGP_100,))


def test_two_choices_at_once_are_one_choice(bench: SandboxBench) -> None:
    checkout = opened(bench)

    def choose(outcome: Outcome) -> bool:
        try:
            bench.choose(checkout, outcome)
        except CheckoutDecided:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(choose, [Outcome.PAID, Outcome.TWICE, Outcome.SHORT, Outcome.DECLINED] * 3))
    stored = bench.database.rows("SELECT outcome FROM sandbox_checkouts")[0]["outcome"]
    charges = bench.database.rows("SELECT 1 FROM sandbox_charges")
    assert made.count(True) == 3
    assert len(charges) == {"paid": 1, "twice": 2, "short": 1, "declined": 0}[stored]


def test_half_of_the_smallest_amount_is_refused_and_nothing_is_decided(bench: SandboxBench) -> None:
    checkout = opened(bench, amount=Money.of(1, "EGP"))
    with pytest.raises(InvalidValue):
        bench.choose(checkout, Outcome.SHORT)
    bench.choose(checkout, Outcome.PAID)
    assert bench.read(checkout) == (ReadingStatus.PAID, (Money.of(1, "EGP"),))


# Time


def test_an_expired_checkout_is_over_and_only_late_money_can_come(bench: SandboxBench) -> None:
    checkout = opened(bench)
    bench.clock.at = END
    assert bench.read(checkout) == (ReadingStatus.FAILED, ())
    for outcome in set(Outcome) - {Outcome.LATE}:
        with pytest.raises(CheckoutExpired):
            bench.choose(checkout, outcome)
    bench.clock.at = END + LATE_BY
    bench.choose(checkout, Outcome.LATE)
    assert bench.read(checkout) == (ReadingStatus.PAID, (EGP_100,))
    assert len(bench.events()) == 1


def test_late_money_comes_after_the_seats_are_given_back() -> None:
    assert LATE_BY > GRACE


def test_late_money_is_told_of_once_when_it_is_there(bench: SandboxBench) -> None:
    checkout = opened(bench)
    bench.choose(checkout, Outcome.LATE)
    bench.clock.at = END + LATE_BY - timedelta(microseconds=1)
    assert (bench.read(checkout), bench.tell_late()) == ((ReadingStatus.OPEN, ()), 0)
    bench.clock.at = END + LATE_BY
    assert bench.read(checkout) == (ReadingStatus.PAID, (EGP_100,))
    assert (bench.tell_late(), bench.tell_late()) == (1, 0)
    assert [event["notice_type"] for event in bench.events()] == ["checkout.paid"]


def test_any_number_of_processes_tell_of_late_money_once(bench: SandboxBench) -> None:
    for _ in range(5):
        bench.choose(opened(bench), Outcome.LATE)
    bench.clock.at = END + LATE_BY
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: bench.tell_late(), range(4)))
    assert (sum(told) + bench.tell_late(), len(bench.events())) == (5, 5)


# Money that goes back


def paid(bench: SandboxBench, amount: Money = EGP_100, outcome: Outcome = Outcome.PAID) -> Checkout:
    checkout = opened(bench, amount=amount)
    bench.choose(checkout, outcome)
    return checkout


def refund(bench: SandboxBench, checkout: Checkout, minor: int, *, reference: str = "rf_1") -> RefundAnswer:
    return bench.gateway.refund(
        RefundRequest(
            merchant_reference=reference,
            identity=checkout.identity,
            amount=Money.of(minor, "EGP"),
            charged=EGP_100,
            reason="changed plans",
        )
    )


def refunds(bench: SandboxBench, checkout: Checkout) -> list[tuple[str, int, RefundState]]:
    reading = bench.gateway.read(checkout.identity)
    return [(it.merchant_reference, it.amount.minor, it.state) for it in reading.refunds]


def notices(bench: SandboxBench, kind: str) -> list[str]:
    return [event["notice_id"] for event in bench.events() if event["notice_type"] == kind]


def test_a_refund_is_done_at_once_read_back_and_told_of(bench: SandboxBench) -> None:
    checkout = paid(bench)
    answer = refund(bench, checkout, 4_000)
    assert answer.state is RefundState.SUCCEEDED
    assert refunds(bench, checkout) == [("rf_1", 4_000, RefundState.SUCCEEDED)]
    assert bench.read(checkout) == (ReadingStatus.PAID, (EGP_100,))
    assert notices(bench, "refund.updated") == [answer.provider_refund_reference]


def test_its_webhook_says_that_it_is_about_a_refund(bench: SandboxBench, merchant: MerchantAddress) -> None:
    checkout = opened(bench, webhook_url=merchant.url)
    bench.choose(checkout, Outcome.PAID)
    refund(bench, checkout, 4_000)
    for event in bench.events():
        bench.send(event)
    told = [bench.gateway.parse_webhook(it.body, it.headers) for it in merchant.received]
    assert [(notice.event_type, notice.is_about_refund) for notice in told] == [
        ("checkout.paid", False),
        ("refund.updated", True),
    ]


def test_the_same_refund_again_gives_nothing_more_back(bench: SandboxBench) -> None:
    checkout = paid(bench)
    assert refund(bench, checkout, 4_000) == refund(bench, checkout, 4_000)
    assert refunds(bench, checkout) == [("rf_1", 4_000, RefundState.SUCCEEDED)]
    with pytest.raises(ProviderRefused):
        refund(bench, checkout, 4_001)
    with pytest.raises(ProviderRefused):
        refund(bench, paid(bench), 4_000)


def test_no_more_goes_back_than_was_charged(bench: SandboxBench) -> None:
    checkout = paid(bench)
    refund(bench, checkout, 6_000)
    with pytest.raises(ProviderRefused):
        refund(bench, checkout, 4_001, reference="rf_2")
    refund(bench, checkout, 4_000, reference="rf_3")
    with pytest.raises(ProviderRefused):
        refund(bench, paid(bench, outcome=Outcome.DECLINED), 100, reference="rf_4")


def test_many_refunds_at_once_are_no_more_than_the_charge(bench: SandboxBench) -> None:
    checkout = paid(bench)

    def ask(number: int) -> bool:
        try:
            refund(bench, checkout, 4_000, reference=f"rf_{number}")
        except ProviderRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(ask, range(6)))
    assert made.count(True) == 2
    assert sum(minor for _, minor, _ in refunds(bench, checkout)) == 8_000


@pytest.mark.parametrize(
    ("minor", "first", "last"),
    [
        (1_001, RefundState.PENDING, RefundState.SUCCEEDED),
        (1_002, RefundState.FAILED, RefundState.FAILED),
        (1_003, RefundState.PENDING, RefundState.FAILED),
        (1_004, RefundState.SUCCEEDED, RefundState.SUCCEEDED),
    ],
)
def test_the_amount_says_how_it_ends(bench: SandboxBench, minor: int, first: RefundState, last: RefundState) -> None:
    checkout = paid(bench)
    assert refund(bench, checkout, minor).state is first
    told_at_once = len(notices(bench, "refund.updated"))
    assert told_at_once == (0 if first is RefundState.PENDING else 1)
    bench.clock.at = NOON + REFUND_TAKES
    assert refunds(bench, checkout) == [("rf_1", minor, last)]
    assert (bench.tell_late(), bench.tell_late()) == (1 - told_at_once, 0)
    assert len(notices(bench, "refund.updated")) == 1


def test_what_failed_may_be_asked_for_again(bench: SandboxBench) -> None:
    checkout = paid(bench)
    assert refund(bench, checkout, 9_902).state is RefundState.FAILED
    assert refund(bench, checkout, 9_904, reference="rf_2").state is RefundState.SUCCEEDED


def test_a_charge_is_read_by_its_own_name(bench: SandboxBench) -> None:
    checkout = paid(bench)
    reading = bench.gateway.read(checkout.identity)
    assert reading.charge_reference
    assert bench.gateway.read(ProviderIdentity("", charge=reading.charge_reference)) == reading
    lost = bench.gateway.read(ProviderIdentity("", charge=str(uuid4())))
    assert lost.status is ReadingStatus.NOT_FOUND


# Disputes


def question(bench: SandboxBench, checkout: Checkout, state: SandboxDisputeState) -> None:
    command = ChangeDispute(token=token_of(checkout), state=state)
    change_dispute(command, uow=bench.uow(), books=bench.provider.books, clock=bench.clock, new_id=new_id)


@pytest.mark.parametrize("end", [SandboxDisputeState.WON, SandboxDisputeState.LOST])
def test_a_dispute_is_opened_and_ends_once(bench: SandboxBench, end: SandboxDisputeState) -> None:
    checkout = paid(bench)
    with pytest.raises(NothingToDispute):
        question(bench, checkout, end)
    question(bench, checkout, SandboxDisputeState.OPEN)
    (begun,) = bench.gateway.read(checkout.identity).disputes
    assert (begun.amount, begun.state) == (EGP_100, DisputeState.OPEN)
    question(bench, checkout, end)
    (ended,) = bench.gateway.read(checkout.identity).disputes
    assert (ended.provider_dispute_reference, ended.state) == (begun.provider_dispute_reference, end.value)
    for other in SandboxDisputeState:
        with pytest.raises(NothingToDispute):
            question(bench, checkout, other)
    assert len(notices(bench, "dispute.updated")) == 2


def test_nothing_is_disputed_that_was_not_charged(bench: SandboxBench) -> None:
    for checkout in (opened(bench), paid(bench, outcome=Outcome.DECLINED)):
        with pytest.raises(NothingToDispute):
            question(bench, checkout, SandboxDisputeState.OPEN)


# Money that goes on, and what is stated of a day


def transfer(bench: SandboxBench, minor: int = 7_000, *, to: str = "payee-1") -> TransferReading:
    request = TransferRequest(
        merchant_reference="tr_1", destination=to, amount=Money.of(minor, "EGP"), description="Payout"
    )
    return bench.gateway.transfer(request)


def test_a_transfer_is_done_once_and_read_back(bench: SandboxBench) -> None:
    assert bench.gateway.read_transfer("tr_1", "") is None
    made = transfer(bench)
    assert made.state is TransferState.SUCCEEDED
    assert transfer(bench) == made == bench.gateway.read_transfer("tr_1", made.provider_transfer_reference)
    for other in ({"minor": 7_001}, {"to": "payee-2"}):
        with pytest.raises(ProviderRefused):
            transfer(bench, **other)  # type: ignore[arg-type]


def test_a_days_statement_has_what_happened_on_it(bench: SandboxBench) -> None:
    checkout = paid(bench, outcome=Outcome.TWICE)
    done = refund(bench, checkout, 4_000)
    refund(bench, checkout, 1_002, reference="rf_2")
    refund(bench, checkout, 1_001, reference="rf_3")
    sent = transfer(bench)
    lines = bench.gateway.statement(business_date(NOON)).lines
    assert sorted((line.kind, line.provider_reference, line.amount.minor) for line in lines) == sorted(
        [
            (LineKind.PAYMENT, checkout.provider_reference, 10_000),
            (LineKind.PAYMENT, checkout.provider_reference, 10_000),
            (LineKind.REFUND, done.provider_refund_reference, -4_000),
            (LineKind.PAYOUT, sent.provider_transfer_reference, -7_000),
        ]
    )
    assert bench.gateway.statement(business_date(NOON) - timedelta(days=1)).lines == ()


# Manners of a provider


def test_it_is_not_called_inside_a_transaction(bench: SandboxBench) -> None:
    checkout = opened(bench)
    with bench.uow(), pytest.raises(RuntimeError):
        bench.gateway.read(ProviderIdentity(checkout.provider_reference))
    with bench.uow(), pytest.raises(RuntimeError):
        opened(bench)


def test_its_books_are_not_written_outside_a_unit_of_work(bench: SandboxBench) -> None:
    token = token_of(opened(bench))
    with pytest.raises(RuntimeError):
        bench.provider.books.lock(token)


def test_what_is_not_committed_is_neither_charged_nor_told(bench: SandboxBench) -> None:
    checkout = opened(bench)
    with bench.uow():
        sandbox_checkout = bench.provider.books.lock(token_of(checkout))
        sandbox_checkout.choose(Outcome.PAID, at=NOON, new_id=new_id)
        bench.provider.books.keep(sandbox_checkout)
    assert (bench.read(checkout), bench.events()) == ((ReadingStatus.OPEN, ()), [])


def test_books_that_do_not_answer_leave_the_outcome_unknown(settings: Settings) -> None:
    away = Database(make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(OutcomeUnknown):
        SandboxBench(away, settings).gateway.read(ProviderIdentity(str(uuid4())))


@pytest.mark.parametrize(
    "changed", [{"environment": Environment.PRODUCTION}, {"sandbox_secret": ""}, {"sandbox_secret": "x" * 31}]
)
def test_production_and_weak_secrets_stop_the_start(
    database: Database, settings: Settings, changed: dict[str, object]
) -> None:
    unusable = dataclasses.replace(settings, **changed)  # type: ignore[arg-type]
    context = GatewayContext(settings=unusable, clock=SettableClock(), database=database)
    for create in (create_gateway, create_provider):
        with pytest.raises(SettingsError):
            create(context)


# Webhooks


def signed(bench: SandboxBench, body: bytes, *, at: datetime = NOON, secret: str = "") -> dict[str, str]:
    return {SIGNATURE_HEADER: sign(body, secret=secret or bench.settings.sandbox_secret, at=at)}


def a_body(**changed: object) -> bytes:
    members = {"id": "evt_1", "type": "checkout.paid", "checkout_id": "c1", "merchant_reference": "pa_1"}
    return orjson.dumps({**members, **changed})


def test_a_signature_is_good_for_five_minutes_both_ways(bench: SandboxBench) -> None:
    body = a_body()
    for seconds in (-300, 0, 300):
        headers = signed(bench, body, at=NOON + timedelta(seconds=seconds))
        assert bench.gateway.parse_webhook(body, headers).event_key == "evt_1"
    for seconds in (-301, 301):
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(body, signed(bench, body, at=NOON + timedelta(seconds=seconds)))


def test_headers_are_found_in_any_case(bench: SandboxBench) -> None:
    body = a_body()
    headers = {name.lower(): value for name, value in signed(bench, body).items()}
    assert bench.gateway.parse_webhook(body, headers).merchant_reference == "pa_1"


def test_a_changed_body_time_or_secret_is_a_bad_signature(bench: SandboxBench) -> None:
    body = a_body()
    good = signed(bench, body)[SIGNATURE_HEADER]
    seconds, _, mac = good.removeprefix("t=").partition(",v1=")
    forged = [
        (body + b" ", good),
        (body, f"t={int(seconds) + 1},v1={mac}"),
        (body, good[:-1] + ("0" if good[-1] != "0" else "1")),
        (body, signed(bench, body, secret="another secret of forty characters, yes")[SIGNATURE_HEADER]),
        (body, ""),
        (body, f"v1={mac}"),
        (body, f"t=,v1={mac}"),
        (body, f"t={seconds},v1="),
        (body, f"t={seconds},v1={mac.upper()}"),
        (body, f"{good},v1={mac}"),
        (body, f"t=١٢,v1={mac}"),
    ]
    for sent, signature in forged:
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(sent, {SIGNATURE_HEADER: signature})
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(body, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"outcome=paid",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        a_body(id=""),
        a_body(id=7),
        a_body(checkout_id=None),
        a_body(merchant_reference="x" * 201),
        a_body(type="a\x00b"),
        orjson.dumps({"id": "evt_1"}),
        b" " * (256 * 1024 + 1),
    ],
)
def test_signed_nonsense_is_unreadable(bench: SandboxBench, body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        bench.gateway.parse_webhook(body, signed(bench, body))


def test_twice_sends_two_webhooks_that_are_told_apart(bench: SandboxBench, merchant: MerchantAddress) -> None:
    checkout = opened(bench, webhook_url=merchant.url)
    bench.choose(checkout, Outcome.TWICE)
    for event in [*bench.events(), *bench.events()]:
        bench.send(event)
    notices = [bench.gateway.parse_webhook(it.body, it.headers) for it in merchant.received]
    assert len(notices) == 4
    assert len({notice.event_key for notice in notices}) == 2
    assert {notice.provider_reference for notice in notices} == {checkout.provider_reference}


@pytest.mark.parametrize("status", [301, 303, 400, 404, 500, 503])
def test_an_answer_other_than_2xx_is_no_delivery(bench: SandboxBench, merchant: MerchantAddress, status: int) -> None:
    merchant.status = status
    bench.choose(opened(bench, webhook_url=merchant.url), Outcome.DECLINED)
    with pytest.raises(WebhookNotDelivered):
        bench.send(bench.events()[0])
    assert len(merchant.received) == 1


def test_a_closed_port_is_no_delivery(bench: SandboxBench) -> None:
    bench.choose(opened(bench, webhook_url="http://127.0.0.1:9/none"), Outcome.PAID)
    with pytest.raises(WebhookNotDelivered):
        bench.send(bench.events()[0])


def test_a_slow_merchant_is_not_waited_for(bench: SandboxBench, merchant: MerchantAddress) -> None:
    merchant.delay = 2.0
    webhooks = HttpSandboxWebhooks("x" * 32, clock=bench.clock, total_seconds=0.3)
    notice = SandboxNotice(id=uuid4(), type="checkout.paid", checkout_id=uuid4(), merchant_reference="pa_1")
    began = time.monotonic()
    with pytest.raises(WebhookNotDelivered):
        webhooks.send(notice, to=merchant.url)
    assert time.monotonic() - began < 1.5
