"""Which settings Stripe's gateway starts with, what it refuses by name, and its provider as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import requests

from config.settings import Settings, SettingsError, load_settings
from infrastructure.payment.registry import ENTRY_POINT_GROUP
from infrastructure.payment.stripe import StripeGateway
from tests.contract.gateway_contract import a_request
from tests.contract.test_registry import a_context

TEST_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
LIVE_KEY = "rk_live_4eC39HqLyjWDarjtT1zdp7dc"
SECRET = "whsec_" + "s" * 32
GIVEN = {"PAYMENT_GATEWAYS": "stripe", "STRIPE_API_KEY": TEST_KEY, "STRIPE_WEBHOOK_SECRET": SECRET}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://owner:secret@db/altayar",
    "REDIS_URL": "redis://redis",
    "BACKEND_URL": "https://api.altayar.example",
    "JWT_SIGNING_KEYS": "1:" + "k" * 48,
    "FIELD_ENCRYPTION_KEYS": "f" * 48,
    "SMTP_URL": "smtps://mail.altayar.example",
    **GIVEN,
    "STRIPE_API_KEY": LIVE_KEY,
}


def load(root: Path, base: dict[str, str], **changed: str) -> Settings:
    return load_settings({"ENVIRONMENT": "test", **base, **changed}, root=root)


def test_an_account_is_used_where_it_is_enabled(tmp_path: Path) -> None:
    account = load(tmp_path, GIVEN).stripe
    assert account is not None
    assert (account.api_base, account.webhook_secrets, account.is_live) == ("https://api.stripe.com", (SECRET,), False)
    for secret in (TEST_KEY, SECRET):
        assert secret not in repr(load(tmp_path, GIVEN))
    live = load(tmp_path, PRODUCTION).stripe
    assert live is not None
    assert live.is_live


def test_nothing_of_it_is_looked_at_where_it_is_not(tmp_path: Path) -> None:
    wrong = {
        **GIVEN,
        "PAYMENT_GATEWAYS": "",
        "STRIPE_API_KEY": "x",
        "STRIPE_API_BASE": "ftp://x",
        "STRIPE_LOG": "debug",
    }
    assert load(tmp_path, wrong).stripe is None


def test_two_secrets_while_one_is_rotated(tmp_path: Path) -> None:
    account = load(tmp_path, GIVEN, STRIPE_WEBHOOK_SECRET=f"{SECRET}, {SECRET}2").stripe
    assert account is not None
    assert account.webhook_secrets == (SECRET, f"{SECRET}2")


@pytest.mark.parametrize("base", [GIVEN, PRODUCTION], ids=["test", "production"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", ""),
        ("STRIPE_API_KEY", "sk_test_short"),
        ("STRIPE_API_KEY", "pk_test_4eC39HqLyjWDarjtT1zdp7dc"),
        ("STRIPE_API_KEY", "sk_test_4eC39HqLyjWDarjt T1zdp7dc"),
        ("STRIPE_WEBHOOK_SECRET", ""),
        ("STRIPE_WEBHOOK_SECRET", ","),
        ("STRIPE_WEBHOOK_SECRET", "whsec_short"),
        ("STRIPE_WEBHOOK_SECRET", f"{SECRET},short"),
        ("STRIPE_WEBHOOK_SECRET", f"{SECRET},{SECRET}2,{SECRET}3"),
        ("STRIPE_API_BASE", "http://stripe.example"),
        ("STRIPE_API_BASE", "http://127.0.0.1.example"),
        ("STRIPE_API_BASE", "ftp://127.0.0.1"),
        ("STRIPE_API_BASE", "https://api.stripe.com/v1"),
        ("STRIPE_LOG", "debug"),
    ],
)
def test_what_cannot_work_is_named(tmp_path: Path, base: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(tmp_path, base, **{name: value})


def test_the_keys_mode_is_the_installations(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STRIPE_API_KEY is a test key, which production refuses"):
        load(tmp_path, PRODUCTION, STRIPE_API_KEY=TEST_KEY)
    with pytest.raises(SettingsError, match="STRIPE_API_KEY takes real money"):
        load(tmp_path, GIVEN, STRIPE_API_KEY=LIVE_KEY)


def test_plain_http_is_for_loopback_outside_production(tmp_path: Path) -> None:
    account = load(tmp_path, GIVEN, STRIPE_API_BASE="http://127.0.0.1:9020/").stripe
    assert account is not None
    assert account.api_base == "http://127.0.0.1:9020"
    with pytest.raises(SettingsError, match="STRIPE_API_BASE"):
        load(tmp_path, PRODUCTION, STRIPE_API_BASE="http://127.0.0.1:9020")


def test_the_project_declares_its_own_stripe() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    value = project["entry-points"][ENTRY_POINT_GROUP]["stripe"]
    factory = EntryPoint("stripe", value, ENTRY_POINT_GROUP).load()
    assert factory.__annotations__["return"] is StripeGateway


def test_without_an_account_there_is_no_gateway(tmp_path: Path) -> None:
    value = "infrastructure.payment.stripe:create_gateway"
    factory = EntryPoint("stripe", value, ENTRY_POINT_GROUP).load()
    with pytest.raises(SettingsError, match="STRIPE_API_KEY"):
        factory(a_context(tmp_path, "sandbox"))


# The provider as a process


def run_provider(books: Path, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fake_providers.stripe", "--port", "0", "--books", str(books)]
    command += ["--api-key", TEST_KEY, "--webhook-secret", SECRET]
    return subprocess.Popen(
        command, env={**os.environ, **environ}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_provider_runs_by_itself_and_is_told_what_happens(tmp_path: Path) -> None:
    process = run_provider(tmp_path / "books.sqlite")
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("listening on ").strip()
        context = a_context(tmp_path, "stripe", **(GIVEN | {"STRIPE_API_BASE": address}))
        gateway = EntryPoint("stripe", "infrastructure.payment.stripe:create_gateway", ENTRY_POINT_GROUP).load()(
            context
        )
        checkout = gateway.create_checkout(a_request())
        told = {"session_id": checkout.provider_reference}
        paid = requests.post(f"{address}/_control/pay", json=told, timeout=5)
        assert paid.json()["result"]["payment_status"] == "paid"
        assert gateway.read(checkout.identity).paid
        assert requests.get(f"{address}/_control/calls", timeout=5).json()["checkout/sessions/create"] == 1
        assert len(requests.get(f"{address}/_control/payment_intent", timeout=5).json()) == 1
        for act, wrong in (("fly", {}), ("pay", {}), ("script", {"operation": "*", "fault": "flood"})):
            refused = requests.post(f"{address}/_control/{act}", data=json.dumps(wrong), timeout=5)
            assert refused.status_code == 400
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_the_provider_is_refused_in_production(tmp_path: Path) -> None:
    process = run_provider(tmp_path / "books.sqlite", ENVIRONMENT="production")
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "refused in production" in told
    assert not (tmp_path / "books.sqlite").exists()
