"""Fawaterk's settings: refused at start when they could not work, or would trust too much (P8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import FawaterkSettings, SettingsError, load_settings

KEY, OLD, SHORT = "demo-vendor-key-0001", "demo-vendor-key-0000", "k" * 15
V2 = {"FAWATERK_BASE_URL": "https://staging.fawaterk.com/api/v2", "FAWATERK_API_KEY": KEY}
V3 = {
    "FAWATERK_BASE_URL": "https://staging.fawaterk.com/api/v3",
    "FAWATERK_API_VERSION": "v3",
    "FAWATERK_API_KEY": KEY,
    "FAWATERK_CLIENT_ID": "7",
    "FAWATERK_CLIENT_SECRET": "demo-client-secret-0001",
}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://owner:owner@db.example/altayar",
    "REDIS_URL": "redis://redis.example/0",
    "BACKEND_URL": "https://api.example.com",
    "JWT_SIGNING_KEYS": f"1:{'j' * 32}",
    "FIELD_ENCRYPTION_KEYS": "f" * 32,
    "SMTP_URL": "smtp://mail.example:25",
}


def fawaterk(tmp_path: Path, told: dict[str, str], **changes: str) -> FawaterkSettings:
    environ = {"ENVIRONMENT": "test", "ALTAYAR_HOME": str(tmp_path), "PAYMENT_GATEWAYS": "fawaterk"}
    found = load_settings({**environ, **told, **changes}, root=tmp_path).fawaterk
    assert found is not None
    return found


def test_the_vendor_key_signs_webhooks_unless_another_is_told(tmp_path: Path) -> None:
    assert fawaterk(tmp_path, V2).webhook_secrets == (KEY,)
    assert fawaterk(tmp_path, V2, FAWATERK_WEBHOOK_SECRET="").webhook_secrets == (KEY,)
    assert fawaterk(tmp_path, V2, FAWATERK_WEBHOOK_SECRET=f" {OLD}\n").webhook_secrets == (OLD,)


def test_two_secrets_hold_while_one_is_changed(tmp_path: Path) -> None:
    assert fawaterk(tmp_path, V2, FAWATERK_WEBHOOK_SECRET=f"{KEY}, {OLD}").webhook_secrets == (KEY, OLD)


@pytest.mark.parametrize("environment", [{}, PRODUCTION])
@pytest.mark.parametrize("secret", [SHORT, ",", f"{KEY},", f",{KEY}", f"{KEY},{SHORT}", f"{KEY},{OLD},{OLD}"])
def test_short_empty_or_many_webhook_secrets_stop_the_start(
    tmp_path: Path, secret: str, environment: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"FAWATERK_WEBHOOK_SECRET .*16 characters"):
        fawaterk(tmp_path, V2, FAWATERK_WEBHOOK_SECRET=secret, **environment)


@pytest.mark.parametrize("environment", [{}, PRODUCTION])
@pytest.mark.parametrize("version", [V2, V3])
@pytest.mark.parametrize("key", ["", SHORT, " "])
def test_without_a_vendor_key_nothing_starts(
    tmp_path: Path, version: dict[str, str], key: str, environment: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match="FAWATERK_API_KEY is missing or shorter than 16 characters"):
        fawaterk(tmp_path, version, FAWATERK_API_KEY=key, **environment)


def test_production_starts_with_a_sound_account(tmp_path: Path) -> None:
    assert fawaterk(tmp_path, V3, **PRODUCTION).api_version == "v3"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"FAWATERK_CLIENT_ID": ""}, "FAWATERK_CLIENT_ID"),
        ({"FAWATERK_CLIENT_SECRET": ""}, "FAWATERK_CLIENT_SECRET"),
        ({"FAWATERK_CLIENT_SECRET": SHORT}, "FAWATERK_CLIENT_SECRET"),
        ({"FAWATERK_BASE_URL": "https://staging.fawaterk.com/api/v2"}, "FAWATERK_BASE_URL ends with /api/v3"),
        ({"FAWATERK_BASE_URL": "https://staging.fawaterk.com"}, "FAWATERK_BASE_URL ends with /api/v3"),
        ({"FAWATERK_BASE_URL": "http://staging.fawaterk.com/api/v3"}, "FAWATERK_BASE_URL is https"),
        ({"FAWATERK_BASE_URL": ""}, "FAWATERK_BASE_URL is required"),
        ({"FAWATERK_API_VERSION": "v4"}, "FAWATERK_API_VERSION is v2 or v3"),
        ({"FAWATERK_SAR_CODE": "SA"}, "FAWATERK_SAR_CODE is SR or SAR"),
    ],
)
def test_what_could_not_work_is_named(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        fawaterk(tmp_path, V3, **changes)


def test_v2_needs_both_credentials_or_none(tmp_path: Path) -> None:
    assert fawaterk(tmp_path, V2).client_id == ""
    with pytest.raises(SettingsError, match="FAWATERK_CLIENT_SECRET"):
        fawaterk(tmp_path, V2, FAWATERK_CLIENT_ID="7")
    with pytest.raises(SettingsError, match="FAWATERK_BASE_URL ends with /api/v2"):
        fawaterk(tmp_path, V2, FAWATERK_BASE_URL="https://staging.fawaterk.com/api/v3")


def test_one_host_serves_both_versions_and_the_tokens(tmp_path: Path) -> None:
    for told in (fawaterk(tmp_path, V3), fawaterk(tmp_path, {**V3, **V2, "FAWATERK_API_VERSION": "v2"})):
        assert told.root == "https://staging.fawaterk.com"
        assert told.address_of("v2") == "https://staging.fawaterk.com/api/v2"
        assert told.address_of("v3") == "https://staging.fawaterk.com/api/v3"


def test_no_secret_is_shown(tmp_path: Path) -> None:
    shown = repr(fawaterk(tmp_path, V3, FAWATERK_WEBHOOK_SECRET=f"{'n' * 20},{OLD}"))
    assert not any(secret in shown for secret in (KEY, OLD, "n" * 20, V3["FAWATERK_CLIENT_SECRET"]))
