"""Examples of every shape in the OpenAPI document, made from the shape itself and from what fields are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
AN_ID: Final = "019ab8f4-5c00-7b3e-9d41-2f6a8c0e1b57"

# What a field of this name holds, wherever it stands; where the type says enough, nothing is needed here.
BY_NAME: Final[Mapping[str, object]] = {
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.e30.c2lnbmF0dXJl",
    "amount": "1499.00",
    "balance": 1499,
    "base_price": {"amount": "1499.00", "currency": "EGP"},
    "booking_number": "BK-2026-000042",
    "cancel_url": "https://app.altayar.test/payments/cancelled",
    "capacity": 20,
    "cashback_rate": "5.00",
    "change_reason": "paid",
    "code": "validation_failed",
    "color_hex": "#C0A062",
    "currency": "EGP",
    "description": "Four days between Luxor and Aswan",
    "description_ar": "أربعة أيام بين الأقصر وأسوان",
    "description_en": "Four days between Luxor and Aswan",
    "destinations": ["Luxor", "Aswan"],
    "detail": "Look at `errors`: each names a field and what is wrong with it.",
    "discount_value": "10.00",
    "document_number": "A12345678",
    "duration_days": 4,
    "duration_nights": 3,
    "email": "customer@altayar.test",
    "featured_image": "https://cdn.altayar.test/offers/winter.webp",
    "first_name": "Mona",
    "instance": "/api/v1/bookings",
    "invoice_number": "INV-2026-000042",
    "last_name": "Adel",
    "locale": "ar",
    "max_travelers": 20,
    "membership_number": "ALT-2026-000042",
    "message_ar": "تم تأكيد حجزك",
    "method": "CREDIT_CARD",
    "min_travelers": 1,
    "name": "Nile cruise",
    "name_ar": "رحلة نيلية",
    "name_en": "Nile cruise",
    "next_cursor": None,
    "override_reason": "The group left a day early.",
    "password": "a long sentence of your own",
    "payment_number": "PAY-2026-000042",
    "phone": "+201000000000",
    "plan_code": "GOLD",
    "pointer": "/travelers_count",
    "points_multiplier": "1.50",
    "provider": "SANDBOX",
    "reason": "SUSPENSE_AMOUNT",
    "refresh_token": "a-long-random-text-that-is-shown-once",
    "request_id": "5f0c9f3e5b1f4f0f8a53e1f0c6c4b1aa",
    "roles": ["CUSTOMER"],
    "slug": "nile-cruise",
    "status": "ACTIVE",
    "success_url": "https://app.altayar.test/payments/done",
    "tax_rate": "14.00",
    "tier_code": "GOLD",
    "title": "The request is not valid",
    "title_ar": "اليوم الأول",
    "token": "a-token-from-a-mail",
    "token_type": "Bearer",
    "travelers_count": 2,
    "type": "/docs/problems#validation_failed",
}
_BY_FORMAT: Final[Mapping[str, object]] = {
    "uuid": AN_ID,
    "date": "2026-12-31",
    "date-time": "2026-11-25T08:00:00Z",
    "password": "a long sentence of your own",
}
_BY_TYPE: Final[Mapping[str, object]] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Json], name: str = "") -> Any:
    """A value of a JSON schema; `schemas` are those that references lead to."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, name)
    for way in ("anyOf", "oneOf", "allOf"):
        if way in schema:
            return example_of(schema[way][0], schemas, name)
    kind = _kind(schema)
    if kind == "object":
        return {field: example_of(inner, schemas, field) for field, inner in schema.get("properties", {}).items()}
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    named = BY_NAME.get(name)
    if name in BY_NAME and _fits(named, kind):
        return named
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas)]
    return _plain(schema, kind)


def _plain(schema: Mapping[str, Any], kind: str) -> Any:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    return _BY_TYPE[kind]


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    return str(kinds if isinstance(kinds, str) else kinds[0])


def _fits(value: object, kind: str) -> bool:
    kinds = {"string": str, "integer": int, "array": list, "object": dict, "boolean": bool}
    return value is None or isinstance(value, kinds.get(kind, object))
