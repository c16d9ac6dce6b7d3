"""What staff do about vouchers and offers, one line for each route, as the audit log sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.api.payment_deeds import Scenario, as_staff, keyed
from tests.api.shop import Json, Shop, SignUp

_VOUCHERS: Final = "/vouchers"
_OFFERS: Final = "/offers"
_OFFER: Final[Json] = {
    "offer_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00", "title_ar": "عرض", "title_en": "Deal",
}  # fmt: skip


def _voucher_body() -> Json:
    return {"code": f"v-{uuid4().hex}", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}


def _asked(shop: Shop, method: str, path: str, body: Any = None) -> TestResponse:
    return as_staff(shop, method, path, body, **keyed())


def _a_voucher(shop: Shop) -> str:
    return f"{_VOUCHERS}/{shop.done(_asked(shop, 'POST', _VOUCHERS, _voucher_body()), 201)['id']}"


def _a_stopped_voucher(shop: Shop) -> str:
    path = _a_voucher(shop)
    shop.done(_asked(shop, "POST", f"{path}/deactivate"))
    return path


def _an_offer(shop: Shop) -> str:
    return f"{_OFFERS}/{shop.done(_asked(shop, 'POST', _OFFERS, _OFFER), 201)['id']}"


def _a_running_offer(shop: Shop) -> str:
    path = _an_offer(shop)
    shop.done(_asked(shop, "POST", f"{path}/activate"))
    return path


def makes_a_voucher(shop: Shop, _: SignUp) -> TestResponse:
    return _asked(shop, "POST", _VOUCHERS, _voucher_body())


def imports_vouchers(shop: Shop, _: SignUp) -> TestResponse:
    text = f"code,voucher_type,discount_value,currency\r\nv-{uuid4().hex},DISCOUNT_FIXED,10.00,EGP\r\n"
    return _asked(shop, "POST", f"{_VOUCHERS}/imports", {"vouchers": text})


def assigns_a_voucher(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _asked(shop, "POST", f"{_a_voucher(shop)}/assignments", {"user_ids": [str(sign_up().user_id)]})


def takes_a_voucher_away(shop: Shop, sign_up: SignUp) -> TestResponse:
    path, person = f"{_a_voucher(shop)}/assignments", str(sign_up().user_id)
    shop.done(_asked(shop, "POST", path, {"user_ids": [person]}))
    return _asked(shop, "DELETE", f"{path}/{person}")


def makes_an_offer(shop: Shop, _: SignUp) -> TestResponse:
    return _asked(shop, "POST", _OFFERS, _OFFER)


def _doing(method: str, path: Callable[[Shop], str], verb: str = "", body: Any = None) -> Scenario:
    return lambda shop, _: _asked(shop, method, f"{path(shop)}{verb}", body)


PRICING_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/vouchers"): makes_a_voucher,
    ("POST", "/api/v1/vouchers/imports"): imports_vouchers,
    ("PATCH", "/api/v1/vouchers/<uuid:voucher_id>"): _doing("PATCH", _a_voucher, body={"discount_value": "20.00"}),
    ("POST", "/api/v1/vouchers/<uuid:voucher_id>/activate"): _doing("POST", _a_stopped_voucher, "/activate"),
    ("POST", "/api/v1/vouchers/<uuid:voucher_id>/deactivate"): _doing("POST", _a_voucher, "/deactivate"),
    ("POST", "/api/v1/vouchers/<uuid:voucher_id>/assignments"): assigns_a_voucher,
    ("DELETE", "/api/v1/vouchers/<uuid:voucher_id>/assignments/<uuid:user_id>"): takes_a_voucher_away,
    ("POST", "/api/v1/offers"): makes_an_offer,
    ("PATCH", "/api/v1/offers/<uuid:offer_id>"): _doing("PATCH", _an_offer, body={"priority": 5}),
    ("POST", "/api/v1/offers/<uuid:offer_id>/activate"): _doing("POST", _an_offer, "/activate"),
    ("POST", "/api/v1/offers/<uuid:offer_id>/disable"): _doing("POST", _a_running_offer, "/disable"),
}
