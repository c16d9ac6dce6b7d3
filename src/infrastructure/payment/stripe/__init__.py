"""Stripe: hosted card pages, refunds, disputes, transfers and statements, by the library's own client."""

from config.settings import SettingsError
from infrastructure.payment.http import ProviderClient
from infrastructure.payment.registry import GatewayContext
from infrastructure.payment.stripe.api import StripeApi
from infrastructure.payment.stripe.gateway import StripeGateway

__all__ = ["StripeGateway", "create_gateway"]


def create_gateway(context: GatewayContext) -> StripeGateway:
    """The gateway of the configured account. Raises SettingsError where none is configured."""
    account = context.settings.stripe
    if account is None:
        raise SettingsError("STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET are required by the gateway stripe")
    api = StripeApi(account, client=ProviderClient(StripeGateway.name))
    return StripeGateway(account, api=api, clock=context.clock)
