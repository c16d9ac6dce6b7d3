"""Gateways as plug-ins: found by name among the installed entry points, enabled by the settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final

from application.billing.ports import PaymentGateway, UnknownGateway
from config.settings import Settings, SettingsError
from domain.shared.clock import Clock

if TYPE_CHECKING:
    from infrastructure.database.transaction import Database

ENTRY_POINT_GROUP: Final = "altayar.payment_gateways"


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a gateway may use. An entry point of the group is a factory: GatewayContext → PaymentGateway."""

    settings: Settings
    clock: Clock
    database: Database

    def own_setting(self, name: str) -> str:
        """A setting that only this gateway knows, trimmed, empty where it is not given; named GATEWAY_SOMETHING."""
        return self.settings.of_gateways.get(name, "")


CreateGateway = Callable[[GatewayContext], PaymentGateway]


class EntryPointGateways:
    """The gateways that PAYMENT_GATEWAYS names, made once at start; a third party's are not told apart."""

    def __init__(self, context: GatewayContext) -> None:
        """Make every enabled gateway. Raises SettingsError for a name that is not installed or not usable."""
        installed = _installed(tuple(sys.path))
        names = dict.fromkeys(context.settings.payment_gateways)
        self._by_name = {name.upper(): _make(name, installed, context) for name in names}

    def get(self, name: str) -> PaymentGateway:
        """The gateway of that name, any case. Raises UnknownGateway."""
        try:
            return self._by_name[name.upper()]
        except KeyError:
            raise UnknownGateway(provider=name) from None

    def names(self) -> tuple[str, ...]:
        """Upper case, in the order of the settings."""
        return tuple(self._by_name)


@lru_cache(maxsize=2)
def _installed(_path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """Entry points of all packages on the path, by name: every package is looked into, once.

    Raises SettingsError where two packages claim one name for different things.
    """
    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        known = found.setdefault(entry_point.name.lower(), entry_point)
        if known.value != entry_point.value:
            raise SettingsError(f"PAYMENT_GATEWAYS: {entry_point.name} is both {known.value} and {entry_point.value}")
    return found


def _make(name: str, installed: Mapping[str, EntryPoint], context: GatewayContext) -> PaymentGateway:
    entry_point = installed.get(name.lower())
    if entry_point is None:
        known = ", ".join(sorted(installed)) or "none"
        raise SettingsError(f"PAYMENT_GATEWAYS: {name} is not installed; installed are: {known}")
    gateway = _factory(entry_point)(context)
    if gateway.name != name.upper():
        raise SettingsError(f"PAYMENT_GATEWAYS: {name} makes a gateway that calls itself {gateway.name}")
    return gateway


def _factory(entry_point: EntryPoint) -> CreateGateway:
    try:
        factory: CreateGateway = entry_point.load()
    except (ImportError, AttributeError) as trouble:
        raise SettingsError(f"PAYMENT_GATEWAYS: {entry_point.name} cannot be loaded: {trouble}") from trouble
    return factory
