"""Fawaterk, API v2: hosted card pages, Fawry codes and mobile wallets in Egypt."""

import structlog

from config.settings import SettingsError
from infrastructure.payment.fawaterk.gateway import FawaterkGateway
from infrastructure.payment.http import ProviderClient
from infrastructure.payment.registry import GatewayContext

__all__ = ["FawaterkGateway", "create_gateway"]

log = structlog.get_logger(__name__)


def create_gateway(context: GatewayContext) -> FawaterkGateway:
    """The gateway of the configured merchant account. Raises SettingsError where none is configured."""
    account = context.settings.fawaterk
    if account is None:
        raise SettingsError("FAWATERK_BASE_URL and FAWATERK_API_KEY are required by the gateway fawaterk")
    gateway = FawaterkGateway(account, client=ProviderClient(FawaterkGateway.name), clock=context.clock)
    if gateway.live != context.settings.is_production:
        # Not refused: staging before launch is a use. What it collects is booked to suspense (MODE).
        log.warning("payment_mode_differs", provider=gateway.name, live=gateway.live)
    return gateway
