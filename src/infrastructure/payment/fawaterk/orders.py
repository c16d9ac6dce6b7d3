"""The bodies of Fawaterk's create calls."""

from __future__ import annotations

from typing import Any

from application.billing.ports import CheckoutRequest, ProviderRefused
from domain.shared.clock import business_date
from infrastructure.payment.fawaterk import wire


def invoice_order(request: CheckoutRequest, *, sar_code: str) -> dict[str, Any]:
    """What both create calls of API v2 share (contract §3.2); amounts are exact JSON numbers."""
    return {**_order(request, sar_code), "payLoad": _pay_load(request), "redirectionUrls": _addresses(request)}


def transaction_order(request: CheckoutRequest, *, sar_code: str) -> dict[str, Any]:
    """The create call of API v3, which spells `pay_load` so and has a way back from its page (contract §4)."""
    addresses = {**_addresses(request), "backUrl": request.cancel_url}
    return {**_order(request, sar_code), "pay_load": _pay_load(request), "redirectionUrls": addresses}


def _order(request: CheckoutRequest, sar_code: str) -> dict[str, Any]:
    price = wire.written_number(request.amount)
    return {
        "cartTotal": price,
        "currency": wire.written_currency(request.amount.currency.code, sar_code=sar_code),
        "customer": _customer(request),
        "cartItems": [{"name": wire.written_title(request.description), "price": price, "quantity": 1}],
        "due_date": business_date(request.expires_at).isoformat(),
        # Said outright, since their defaults are not documented: we write to our customers ourselves.
        "sendEmail": False,
        "sendSMS": False,
        "lang": "ar" if request.locale.lower().startswith("ar") else "en",
    }


def _pay_load(request: CheckoutRequest) -> dict[str, str]:
    return {wire.MERCHANT_REFERENCE_MEMBER: request.merchant_reference}


def _addresses(request: CheckoutRequest) -> dict[str, str]:
    return {
        "successUrl": request.success_url,
        "failUrl": request.cancel_url,
        "pendingUrl": request.success_url,
        "webhookUrl": request.webhook_url,
    }


def _customer(request: CheckoutRequest) -> dict[str, str]:
    payer = request.payer
    first, last = wire.written_name(payer.first_name), wire.written_name(payer.last_name)
    given = {
        "first_name": first or last or "Customer",
        "last_name": last or first or "Customer",
        "email": wire.written_email(payer.email),
        "phone": wire.written_telephone(payer.phone),
    }
    return {name: value for name, value in given.items() if value}


def wallet_number(request: CheckoutRequest) -> str:
    """The mobile whose wallet is asked. Raises ProviderRefused without one: Fawaterk would answer 422."""
    number = wire.written_telephone(request.payer.phone)
    if not number:
        raise ProviderRefused(provider=wire.PROVIDER, reason="a mobile wallet needs an Egyptian mobile number")
    return number
