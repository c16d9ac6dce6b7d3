"""Fawaterk: hosted card pages, cash codes and mobile wallets in Egypt, by API v2 (invoices) or v3 (transactions)."""

from typing import Final

import structlog

from config.settings import SettingsError
from infrastructure.payment.fawaterk.gateway import FawaterkGateway
from infrastructure.payment.fawaterk.gateway_v3 import FawaterkV3Gateway
from infrastructure.payment.http import ProviderClient
from infrastructure.payment.registry import GatewayContext

__all__ = ["FawaterkGateway", "FawaterkV3Gateway", "create_gateway"]

log = structlog.get_logger(__name__)

VERSIONS: Final[dict[str, type[FawaterkGateway] | type[FawaterkV3Gateway]]] = {
    "v2": FawaterkGateway,
    "v3": FawaterkV3Gateway,
}


def create_gateway(context: GatewayContext) -> FawaterkGateway | FawaterkV3Gateway:
    """The gateway of the configured merchant account and version. Raises SettingsError where none is configured."""
    account = context.settings.fawaterk
    if account is None:
        raise SettingsError("FAWATERK_BASE_URL and FAWATERK_API_KEY are required by the gateway fawaterk")
    make = VERSIONS[account.api_version]
    gateway = make(account, client=ProviderClient(make.name), clock=context.clock)
    if gateway.live != context.settings.is_production:
        # Not refused: staging before launch is a use. What it collects is booked to suspense (MODE).
        log.warning("payment_mode_differs", provider=gateway.name, live=gateway.live)
    return gateway
