"""Gateways found among entry points: what is enabled, what is refused at start, a third party's plug-in."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from application.billing.ports import UnknownGateway
from config.settings import SettingsError, load_settings
from infrastructure.clock import SystemClock
from infrastructure.database.transaction import Database
from infrastructure.payment.fawaterk import FawaterkGateway, FawaterkV3Gateway, create_gateway
from infrastructure.payment.registry import ENTRY_POINT_GROUP, EntryPointGateways, GatewayContext

FAWATERK = "fawaterk = infrastructure.payment.fawaterk:create_gateway"

PLUG_IN = """
class BarterGateway:
    name = "BARTER"
    methods = frozenset({"OTHER"})

    def __init__(self, context):
        self.context = context


def create_gateway(context):
    return BarterGateway(context)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, as an installation's packages are."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site: Path, *entries: str, package: str = "plug_in") -> None:
    """Lay a distribution that declares entry points into the folder."""
    described = site / f"{package}-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", "utf-8")
    (described / "entry_points.txt").write_text("\n".join([f"[{ENTRY_POINT_GROUP}]", *entries, ""]), "utf-8")


def a_context(tmp_path: Path, gateways: str, **environ: str) -> GatewayContext:
    given = {
        "ENVIRONMENT": "test",
        "ALTAYAR_HOME": str(tmp_path / "home"),
        "PAYMENT_GATEWAYS": gateways,
        **environ,
    }
    return GatewayContext(
        settings=load_settings(given, root=tmp_path),
        clock=SystemClock(),
        database=Database(make_url("postgresql+psycopg://nobody@127.0.0.1:1/none")),
    )


def test_an_enabled_gateway_is_found_by_name_in_any_case(site: Path, tmp_path: Path) -> None:
    install(site, FAWATERK)
    context = a_context(
        tmp_path,
        "fawaterk",
        FAWATERK_BASE_URL="https://staging.fawaterk.com/api/v2",
        FAWATERK_API_KEY="demo-vendor-key-0001",
    )
    gateways = EntryPointGateways(context)
    assert gateways.names() == ("FAWATERK",)
    assert isinstance(gateways.get("Fawaterk"), FawaterkGateway)


def test_fawaterks_gateway_is_of_the_configured_version(site: Path, tmp_path: Path) -> None:
    install(site, FAWATERK)
    context = a_context(
        tmp_path,
        "fawaterk",
        FAWATERK_BASE_URL="https://staging.fawaterk.com/api/v3",
        FAWATERK_API_VERSION="v3",
        FAWATERK_API_KEY="demo-vendor-key-0001",
        FAWATERK_CLIENT_ID="demo-client-0001",
        FAWATERK_CLIENT_SECRET="demo-client-secret-0001",
    )
    assert isinstance(EntryPointGateways(context).get("FAWATERK"), FawaterkV3Gateway)


def test_a_third_partys_gateway_is_used_like_our_own(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "barter_plug_in.py").write_text(PLUG_IN, "utf-8")
    install(site, "barter = barter_plug_in:create_gateway")
    context = a_context(tmp_path, "barter,barter")
    gateways = EntryPointGateways(context)
    monkeypatch.delitem(sys.modules, "barter_plug_in")
    assert gateways.names() == ("BARTER",)
    assert getattr(gateways.get("barter"), "context", None) is context


def test_a_gateway_that_is_not_enabled_is_unknown(site: Path, tmp_path: Path) -> None:
    (site / "barter_plug_in.py").write_text(PLUG_IN, "utf-8")
    install(site, FAWATERK, "barter = barter_plug_in:create_gateway")
    with pytest.raises(UnknownGateway):
        EntryPointGateways(a_context(tmp_path, "barter")).get("fawaterk")


def test_a_name_that_is_not_installed_stops_the_start_and_says_what_is(site: Path, tmp_path: Path) -> None:
    install(site, FAWATERK)
    with pytest.raises(SettingsError, match=r"PAYMENT_GATEWAYS: fawatrek is not installed.*fawaterk"):
        EntryPointGateways(a_context(tmp_path, "fawatrek"))


@pytest.mark.parametrize("value", ["no_such_module:create_gateway", "json:no_such_function"])
def test_an_entry_point_that_does_not_load_stops_the_start(site: Path, tmp_path: Path, value: str) -> None:
    install(site, f"barter = {value}")
    with pytest.raises(SettingsError, match="PAYMENT_GATEWAYS: barter cannot be loaded"):
        EntryPointGateways(a_context(tmp_path, "barter"))


def test_a_gateway_under_another_name_stops_the_start(site: Path, tmp_path: Path) -> None:
    (site / "barter_plug_in.py").write_text(PLUG_IN, "utf-8")
    install(site, "swap = barter_plug_in:create_gateway")
    with pytest.raises(SettingsError, match="calls itself BARTER"):
        EntryPointGateways(a_context(tmp_path, "swap"))


def test_no_package_takes_the_place_of_another_in_silence(site: Path, tmp_path: Path) -> None:
    install(site, FAWATERK, package="ours")
    install(site, "fawaterk = intruder:create_gateway", package="theirs")
    with pytest.raises(SettingsError, match="PAYMENT_GATEWAYS: fawaterk is both"):
        EntryPointGateways(a_context(tmp_path, ""))


def test_the_project_declares_its_own_fawaterk() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    value = project["entry-points"][ENTRY_POINT_GROUP]["fawaterk"]
    factory = EntryPoint("fawaterk", value, ENTRY_POINT_GROUP).load()
    assert factory is create_gateway
