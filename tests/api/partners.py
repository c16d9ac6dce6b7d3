"""What partners and staff do at the desks of vendors and agents, as requests that have to succeed."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.api.shop import Json, Shop
from tests.conftest import Person

PARTNERS = "/api/v1/partners"
IBAN = "EG380019000500000000263180002"
OTHER_IBAN = "SA0380000000608010167519"
PASSWORD = "correct horse 42"


def desk(trade: str) -> str:
    return f"/api/v1/admin/{trade.lower()}s"


def apply(shop: Shop, person: Person, trade: str = "VENDOR", **said: Any) -> Json:
    """A profile that waits for staff."""
    return shop.done(shop.post(PARTNERS, person, {"payee_type": trade, "company_name": "Nile Voyages", **said}), 201)


def put_account(shop: Shop, person: Person, profile: Json, **said: Any) -> TestResponse:
    """Where money goes from now on."""
    body = {
        "holder_name": "Nile Voyages",
        "account_number": IBAN,
        "bank_name": "Bank of the Delta",
        "current_password": PASSWORD,
        **said,
    }
    return shop.client.put(f"{PARTNERS}/{profile['id']}/bank-account", json=body, headers=person.headers)


def decide(shop: Shop, staff: Person, profile: Json, verb: str, **asked: Any) -> TestResponse:
    """What staff say of a profile; `reason` where one is needed."""
    headers = asked.pop("headers", {})
    return shop.client.post(
        f"{desk(profile['payee_type'])}/{profile['id']}/{verb}",
        json=asked,
        headers={**staff.headers, **headers},
    )


def a_partner(shop: Shop, person: Person, trade: str = "VENDOR") -> Json:
    """An approved profile with a bank account that is used."""
    profile = apply(shop, person, trade)
    shop.done(put_account(shop, person, profile))
    return shop.done(decide(shop, shop.admin, profile, "approve"))
