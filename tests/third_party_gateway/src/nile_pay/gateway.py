"""Nile Pay behind altayar's payment port."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar
from urllib.parse import quote, urlsplit

import orjson

from application.billing.ports import (
    Capabilities,
    Checkout,
    CheckoutRequest,
    ProviderIdentity,
    ProviderRefused,
    Reading,
    ReadingStatus,
    RefundAnswer,
    RefundRequest,
    TransferReading,
    TransferRequest,
    WebhookNotice,
)
from config.settings import SettingsError
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from domain.shared.money import Money
from infrastructure.payment.http import ProviderClient, RefusedWithAnswer
from infrastructure.payment.registry import GatewayContext
from nile_pay import documents, webhooks

SHORTEST_SECRET = 32


def create_gateway(context: GatewayContext) -> NilePayGateway:
    """Made once for each process that starts. Raises SettingsError."""
    base_url = context.own_setting("NILE_PAY_BASE_URL").rstrip("/")
    address = urlsplit(base_url)
    if address.scheme != "https" and address.hostname != "127.0.0.1":
        raise SettingsError("NILE_PAY_BASE_URL is https, except on loopback")
    secrets = {name: context.own_setting(name) for name in ("NILE_PAY_API_KEY", "NILE_PAY_WEBHOOK_SECRET")}
    for name, secret in secrets.items():
        if len(secret.encode()) < SHORTEST_SECRET:
            raise SettingsError(f"{name} is missing or shorter than {SHORTEST_SECRET} bytes")
    return NilePayGateway(base_url, *secrets.values(), client=ProviderClient("NILE_PAY"), clock=context.clock)


class NilePayGateway:
    """The PaymentGateway of one Nile Pay account. Everything it asks for carries our reference and happens once."""

    name: ClassVar[str] = documents.PROVIDER
    methods: ClassVar[frozenset[str]] = frozenset({"CREDIT_CARD", "DEBIT_CARD"})
    capabilities = Capabilities(refunds=True, tells_refunds=True, repeats_creation=True, pays_out=True, states=True)

    def __init__(
        self, base_url: str, api_key: str, webhook_secret: str, *, client: ProviderClient, clock: Clock
    ) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._webhook_secret = webhook_secret
        self._client = client
        self._clock = clock

    def offered(self) -> frozenset[str]:
        return self.methods

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        asked = {
            "reference": request.merchant_reference,
            "description": request.description,
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "webhook_url": request.webhook_url,
            "expires_at": request.expires_at.isoformat(),
            **_written(request.amount),
        }
        opened = self._post("create_checkout", "/v1/checkouts", asked)
        return Checkout(
            provider_reference=documents.text(opened, "id"),
            provider_key="",
            url=documents.text(opened, "url"),
            reference_number=None,
            qr_code=None,
            expires_at=request.expires_at,
        )

    def read(self, identity: ProviderIdentity) -> Reading:
        kind, reference = ("checkouts", identity.reference) if identity.reference else ("charges", identity.charge)
        found = self._find("read", f"/v1/{kind}/{quote(reference, safe='')}")
        if found is None:
            return Reading(ReadingStatus.NOT_FOUND, identity.reference, "", (), live=False)
        return documents.reading(found)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        return webhooks.notice(body, headers, secret=self._webhook_secret, at=self._clock.now())

    def refund(self, request: RefundRequest) -> RefundAnswer:
        asked = {
            "reference": request.merchant_reference,
            "checkout": request.identity.reference,
            "note": request.reason,
            **_written(request.amount),
        }
        made = documents.refund(self._post("refund", "/v1/refunds", asked))
        return RefundAnswer(made.provider_refund_reference, made.state, made.reason)

    def transfer(self, request: TransferRequest) -> TransferReading:
        asked = {
            "reference": request.merchant_reference,
            "account": request.destination,
            "note": request.description,
            **_written(request.amount),
        }
        return documents.transfer(self._post("transfer", "/v1/transfers", asked))

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        found = self._find("read_transfer", f"/v1/transfers/{quote(merchant_reference, safe='')}")
        return None if found is None else documents.transfer(found)

    def statement(self, day: date) -> ProviderStatement:
        return documents.statement(self._get("statement", f"/v1/statements/{day.isoformat()}"), day)

    def _post(self, operation: str, path: str, asked: Mapping[str, str]) -> documents.Document:
        url = f"{self._base_url}{path}"
        return self._client.call(operation, "POST", url, headers=self._headers, body=orjson.dumps(asked)).document

    def _get(self, operation: str, path: str) -> documents.Document:
        return self._client.call(operation, "GET", f"{self._base_url}{path}", headers=self._headers).document

    def _find(self, operation: str, path: str) -> documents.Document | None:
        """None where the provider says that there is no such thing, which is an answer."""
        try:
            return self._get(operation, path)
        except RefusedWithAnswer as refusal:
            if refusal.answer.status == 404:
                return None
            raise


def _written(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal(), "currency": amount.currency.code}
