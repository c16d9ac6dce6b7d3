"""A gateway in a package of its own: installed as any package is, found by name, held to the contract, and used."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from app import create_app
from application.billing.payments import OpenPayment, open_payment
from application.billing.ports import Checkout
from application.billing.webhooks import process_webhook
from config.settings import Settings, SettingsError, load_settings
from domain.billing.payments import PaymentMethod, PaymentStatus, PaymentType
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.transaction import Database
from infrastructure.payment.registry import EntryPointGateways, GatewayContext
from tests.builders import egp
from tests.fakes.nile_pay_server import API_KEY, WEBHOOK_SECRET, NilePayServer, NilePayStaff
from tests.integration.shop import a_stored_user

pytestmark = pytest.mark.database

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tests" / "third_party_gateway"
DOES_NOT_CONCERN_IT = {
    "this gateway gives money back",
    "this gateway's readings list refunds",
    "this gateway pays out",
    "this gateway states",
    "this provider's references have no second half",
}
"""What the contract asks of gateways that can less; everything else is tried on it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package as pip installs it; without network, from a copy that may be built in."""
    scratch = tmp_path_factory.mktemp("nile_pay")
    source, target = scratch / "source", scratch / "site"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--target", target, source],
        check=True,
        timeout=100,
    )  # fmt: skip
    return target


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(site)
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "nile_pay"]:
        del sys.modules[name]


@pytest.fixture
def nile_pay() -> Iterator[NilePayServer]:
    with NilePayServer() as server:
        yield server


def with_nile_pay(settings: Settings, base_url: str, **given: str) -> Settings:
    told = {"NILE_PAY_BASE_URL": base_url, "NILE_PAY_API_KEY": API_KEY, "NILE_PAY_WEBHOOK_SECRET": WEBHOOK_SECRET}
    return dataclasses.replace(settings, payment_gateways=("nile_pay",), of_gateways={**told, **given})


@pytest.fixture
def running(settings: Settings, database: Database, installed: Path, nile_pay: NilePayServer) -> Iterator[Running]:
    started = bootstrap(with_nile_pay(settings, nile_pay.url), database=database)
    yield started
    started.close()


def test_the_contract_suite_passes_on_it_untouched(site: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--noconftest", "--quiet", "-p", "no:cacheprovider", "-p", "no:randomly",
         "-p", "no:xdist", "-rs", "suite"],
        cwd=PACKAGE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (site, ROOT, ROOT / "src"))),
             "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(site.parent / "hypothesis")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert set(re.findall(r"^SKIPPED .*?: (.*)$", ran.stdout, re.MULTILINE)) == DOES_NOT_CONCERN_IT


def test_it_is_found_by_its_name(running: Running) -> None:
    assert running.dependencies.gateways.names() == ("NILE_PAY",)
    assert type(running.dependencies.gateways.get("nile_pay")).__module__ == "nile_pay.gateway"


def test_its_own_settings_reach_it_from_the_environment(
    installed: Path, nile_pay: NilePayServer, database: Database, tmp_path: Path
) -> None:
    environ = {
        "ENVIRONMENT": "test",
        "PAYMENT_GATEWAYS": "nile_pay",
        "NILE_PAY_BASE_URL": f"{nile_pay.url}/",
        "NILE_PAY_API_KEY": f"{API_KEY}\n",
        "NILE_PAY_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    settings = load_settings(environ, root=tmp_path)
    gateways = EntryPointGateways(GatewayContext(settings, SystemClock(), database))
    assert gateways.get("nile_pay").read_transfer("tr_none", "") is None
    assert API_KEY not in repr(settings)


def test_a_weak_secret_of_its_own_stops_the_start(
    settings: Settings, installed: Path, nile_pay: NilePayServer, database: Database
) -> None:
    weak = with_nile_pay(settings, nile_pay.url, NILE_PAY_WEBHOOK_SECRET="short")
    with pytest.raises(SettingsError, match="NILE_PAY_WEBHOOK_SECRET"):
        EntryPointGateways(GatewayContext(weak, SystemClock(), database))


def test_a_payment_through_it_settles_like_any_other(running: Running, nile_pay: NilePayServer) -> None:
    use, customer = running.dependencies, a_stored_user(running.dependencies.new_uow)
    payment_id = deposit(running, customer)
    checkout = opened(running, payment_id)
    staff, client = NilePayStaff(nile_pay), create_app(running=running).test_client()
    staff.pay(checkout)
    body, headers = staff.webhook(checkout)
    forged = client.post("/api/v1/payments/webhooks/nile_pay_json", data=body + b" ", headers=headers)
    answers = [client.post("/api/v1/payments/webhooks/nile_pay_json", data=body, headers=headers) for _ in range(2)]
    assert forged.status_code == 401
    assert [answer.json for answer in answers] == [{"status": "accepted"}, {"status": "duplicate"}]

    (webhook,) = running.database.rows("SELECT id FROM payment_webhook_logs")
    process_webhook(webhook["id"], new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id,
                    live=use.live)  # fmt: skip
    with use.new_uow() as uow:
        assert uow.payments.get(payment_id).status is PaymentStatus.PAID
    (wallet,) = running.database.rows(
        "SELECT sum(amount_minor) AS minor FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.user_id = %s",
        (customer,),
    )
    assert wallet["minor"] == 75_000


def deposit(running: Running, customer: UUID) -> UUID:
    command = OpenPayment(
        user_id=customer,
        payment_type=PaymentType.WALLET_DEPOSIT,
        payable_id=None,
        method=PaymentMethod.CREDIT_CARD,
        provider="nile_pay",
        amount=egp("750.00"),
        success_url=None,
        cancel_url=None,
        idempotency_key=new_id().hex,
        locale="en",
        public_url="https://shop.example",
    )
    use = running.dependencies
    return open_payment(
        command,
        new_uow=use.new_uow,
        gateways=use.gateways,
        returns=use.returns,
        clock=use.clock,
        new_id=use.new_id,
    )


def opened(running: Running, payment_id: UUID) -> Checkout:
    """The checkout as our own rows know it."""
    row = running.database.row("SELECT * FROM payment_attempts WHERE payment_id = %s", (payment_id,))
    assert row is not None
    assert row["status"] == "OPEN"
    return Checkout(row["provider_reference"], row["provider_key"], row["checkout_url"], None, None, None)
