"""What staff do about vendors and agents, as one request of the administrator's for each route of either desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from werkzeug.test import TestResponse

from tests.api.partners import PARTNERS, apply
from tests.api.payment_deeds import Scenario, as_staff
from tests.api.shop import Json, Shop, SignUp
from tests.api.test_manual_payments import picture

_WHY: Final = {"reason": "the customers complained"}
Deed = Callable[[Shop, SignUp, str], TestResponse]


def _applied(shop: Shop, sign_up: SignUp, trade: str) -> Json:
    """A profile that waits, of somebody who is paid in the wallet."""
    return apply(shop, sign_up(trade), trade, payout_method="WALLET")


def _at(shop: Shop, profile: Json, path: str, body: Any = None, method: str = "POST") -> TestResponse:
    return as_staff(shop, method, f"/admin/{profile['payee_type'].lower()}s/{profile['id']}/{path}", body)


def approves(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, _applied(shop, sign_up, trade), "approve")


def refuses(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, _applied(shop, sign_up, trade), "refuse", _WHY)


def suspends(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, shop.done(approves(shop, sign_up, trade)), "suspend", _WHY)


def reinstates(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, shop.done(suspends(shop, sign_up, trade)), "reinstate")


def agrees_on_a_rate(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, _applied(shop, sign_up, trade), "rates", {"rate": "12.50", "reason": "renewed"})


def enters_an_account_at_stripe(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    return _at(shop, _applied(shop, sign_up, trade), "stripe-account", {"stripe_account": "acct_1NvQ2e"}, "PUT")


def verifies_a_paper(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    partner = sign_up(trade)
    profile = apply(shop, partner, trade)
    sent = shop.client.post(
        f"{PARTNERS}/{profile['id']}/documents?kind=LICENSE",
        data=picture(),
        content_type="image/png",
        headers=partner.headers,
    )
    return _at(shop, profile, f"documents/{shop.done(sent, 201)['id']}/verify")


def grants_credit(shop: Shop, sign_up: SignUp, trade: str) -> TestResponse:
    body = {"limit": {"amount": "1000.00", "currency": "EGP"}, "reason": "three years of business"}
    return _at(shop, _applied(shop, sign_up, trade), "credit-limits", body)


_DEEDS: Final[dict[tuple[str, str], Deed]] = {
    ("POST", "approve"): approves,
    ("POST", "refuse"): refuses,
    ("POST", "suspend"): suspends,
    ("POST", "reinstate"): reinstates,
    ("POST", "rates"): agrees_on_a_rate,
    ("PUT", "stripe-account"): enters_an_account_at_stripe,
    ("POST", "documents/<uuid:document_id>/verify"): verifies_a_paper,
}


def _of(trade: str, deed: Deed) -> Scenario:
    return lambda shop, sign_up: deed(shop, sign_up, trade)


PARTNER_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    (method, f"/api/v1/admin/{trade.lower()}s/<uuid:partner_id>/{path}"): _of(trade, deed)
    for trade in ("VENDOR", "AGENT")
    for (method, path), deed in _DEEDS.items()
} | {("POST", "/api/v1/admin/agents/<uuid:partner_id>/credit-limits"): _of("AGENT", grants_credit)}
