"""The parameters that the served calls take, of API version 2026-10-28, as far as anybody here sends them."""

from __future__ import annotations

from fake_providers.stripe.forms import Many, Metadata, Needed, address, flag, one_of, text, whole

API_VERSION = "2026-10-28.endive"

LOCALES = (
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "vi", "zh", "zh-HK", "zh-TW",
)  # fmt: skip
"""Arabic is not among them."""

EXPAND = {"expand": Many(text)}
CREATED = {"gt": whole, "gte": whole, "lt": whole, "lte": whole}
LIST = {"limit": whole, "starting_after": text, "created": CREATED, **EXPAND}

SESSION = {
    "mode": Needed(one_of("payment")),
    "line_items": Needed(
        Many(
            {
                "quantity": Needed(whole),
                "price_data": Needed(
                    {
                        "currency": Needed(text),
                        "unit_amount": Needed(whole),
                        "product_data": Needed({"name": Needed(text), "description": text}),
                    }
                ),
            }
        )
    ),
    "success_url": Needed(address),
    "cancel_url": address,
    "client_reference_id": text,
    "metadata": Metadata(),
    "payment_intent_data": {"metadata": Metadata(), "description": text, "transfer_group": text},
    "allowed_payment_method_types": Many(one_of("card", "sepa_debit")),
    "expires_at": whole,
    "locale": one_of(*LOCALES),
    "adaptive_pricing": {"enabled": flag},
    **EXPAND,
}
SESSIONS = {**LIST, "payment_intent": text, "status": one_of("open", "complete", "expired")}

INTENT = {
    "amount": Needed(whole),
    "currency": Needed(text),
    "metadata": Metadata(),
    "description": text,
    "transfer_group": text,
    "automatic_payment_methods": {"enabled": flag, "allow_redirects": one_of("always", "never")},
    "payment_method": text,
    "confirm": flag,
    **EXPAND,
}
CONFIRM = {"payment_method": text, "return_url": address, **EXPAND}
CANCEL = {
    "cancellation_reason": one_of("duplicate", "fraudulent", "requested_by_customer", "abandoned"),
    **EXPAND,
}

REFUND = {
    "payment_intent": text,
    "charge": text,
    "amount": whole,
    "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": Metadata(),
    **EXPAND,
}
OF_CHARGE = {**LIST, "payment_intent": text, "charge": text}

TRANSFER = {
    "amount": Needed(whole),
    "currency": Needed(text),
    "destination": Needed(text),
    "description": text,
    "transfer_group": text,
    "metadata": Metadata(),
    **EXPAND,
}
TRANSFERS = {**LIST, "transfer_group": text, "destination": text}
REVERSAL = {"amount": whole, "metadata": Metadata(), **EXPAND}
BOOKED = {**LIST, "type": text, "currency": text, "source": text}
EVENTS = {**LIST, "type": text}
