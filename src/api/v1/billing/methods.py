"""The ways to pay that are offered now."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from marshmallow import fields, validate

from api.answers import json_answer
from api.blueprint import Blueprint
from api.context import use
from api.fields import Schema
from api.views import MethodView
from domain.billing.manual import PROVIDER
from domain.billing.payments import PaymentMethod
from domain.operations.settings import BANK_TRANSFER_INSTRUCTIONS_AR, BANK_TRANSFER_INSTRUCTIONS_EN
from domain.shared.money import EXPONENTS
from middlewares.auth_middleware import token_required

blueprint = Blueprint("payment_methods", __name__, description="Ways to pay")

NAMES: Final = {
    PaymentMethod.CREDIT_CARD: ("بطاقة ائتمان", "Credit card"),
    PaymentMethod.DEBIT_CARD: ("بطاقة خصم", "Debit card"),
    PaymentMethod.WALLET: ("المحفظة", "Wallet"),
    PaymentMethod.BANK_TRANSFER: ("تحويل بنكي", "Bank transfer"),
    PaymentMethod.CASH: ("نقدا", "Cash"),
    PaymentMethod.FAWRY: ("فوري", "Fawry"),
    PaymentMethod.MEEZA: ("محفظة ميزة", "Meeza wallet"),
    PaymentMethod.VODAFONE_CASH: ("فودافون كاش", "Vodafone Cash"),
    PaymentMethod.AMAN: ("أمان", "Aman"),
    PaymentMethod.MASARY: ("مصاري", "Masary"),
    PaymentMethod.AGENT_CREDIT: ("رصيد الوكيل", "Agent's credit"),
    PaymentMethod.MIXED: ("أكثر من وسيلة", "Several ways"),
    PaymentMethod.OTHER: ("وسيلة أخرى", "Another way"),
}
"""In Arabic and English."""


class MethodsQuery(Schema):
    currency = fields.String(load_default=None, validate=validate.OneOf(list(EXPONENTS)))


class MethodOffered(Schema):
    """`provider` and `method` are what `POST /payments` takes; instructions are there for bank transfers alone."""

    provider = fields.String()
    method = fields.String()
    name_ar = fields.String()
    name_en = fields.String()
    instructions_ar = fields.String(allow_none=True)
    instructions_en = fields.String(allow_none=True)


class MethodsOffered(Schema):
    items = fields.List(fields.Nested(MethodOffered))


@blueprint.route("/payments/methods")
class PaymentMethods(MethodView):
    @token_required
    @blueprint.arguments(MethodsQuery, location="query")
    @blueprint.response(200, MethodsOffered)
    def get(self, query: dict[str, Any]) -> Response:
        """The ways to pay now, by provider; one that cannot be reached is left out.

        Every provider takes every currency of ours, so that `currency` is checked and leaves none out.
        """
        offers = use().offered_methods.now()
        return json_answer({"items": [_shown(offer.provider, PaymentMethod(offer.method)) for offer in offers]})


def _shown(provider: str, method: PaymentMethod) -> dict[str, str | None]:
    arabic, english = NAMES[method]
    is_transfer = provider == PROVIDER and method is PaymentMethod.BANK_TRANSFER
    settings = use().system_settings
    return {
        "provider": provider,
        "method": method.value,
        "name_ar": arabic,
        "name_en": english,
        "instructions_ar": (settings.value(BANK_TRANSFER_INSTRUCTIONS_AR) or None) if is_transfer else None,
        "instructions_en": (settings.value(BANK_TRANSFER_INSTRUCTIONS_EN) or None) if is_transfer else None,
    }
