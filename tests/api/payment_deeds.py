"""What staff do about payments, refunds and money in suspense, as one request of the administrator's for each route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from application.billing.ports import CheckoutRequest, OutcomeUnknown
from domain.shared.clock import business_date
from infrastructure.payment.sandbox import SandboxGateway
from tests.api.shop import Json, Shop, SignUp

AGENT: Final = "a browser of the tests"
Scenario = Callable[[Shop, SignUp], TestResponse]
_QUEUE: Final = "/admin/payments/attention"
_RECEIPTS: Final = "/admin/manual-receipts"
_WHY: Final = {"reason": "the customer called"}


def as_staff(shop: Shop, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
    """A request of the administrator's, from a browser with a name."""
    sent = {**shop.admin.headers, "User-Agent": AGENT, **headers}
    return shop.client.open(f"/api/v1{path}", method=method, json=body, headers=sent)


def keyed() -> dict[str, str]:
    """A key that no other request has."""
    return {"Idempotency-Key": uuid4().hex}


def _posted(shop: Shop, path: str, body: Any = None) -> TestResponse:
    return as_staff(shop, "POST", path, body, **keyed())


def _egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


def _today(shop: Shop) -> str:
    return business_date(shop.running.dependencies.clock.now()).isoformat()


# By hand --------------------------------------------------------------------------------------------------


def _transfer(shop: Shop, sign_up: SignUp, *, travelers: int = 2) -> Json:
    """A payment of EGP 1,000.00 a head by bank transfer, which staff confirm."""
    customer = sign_up()
    booking = shop.book(customer, shop.offer(seats=20), travelers)
    return shop.pay(customer, booking, provider="MANUAL", method="BANK_TRANSFER")


def _of_the_bank(shop: Shop, **said: Any) -> Json:
    return {"reference": f"FT-{uuid4().hex[:12]}", "received_on": _today(shop), **said}


def _confirmed(shop: Shop, payment: Json, **said: Any) -> Json:
    return shop.done(_posted(shop, f"/payments/{payment['id']}/confirm", _of_the_bank(shop, **said)))


def _receipt_of_a_colleague(shop: Shop, sign_up: SignUp) -> str:
    """The address of EGP 12,000.00 that another administrator confirmed: more than one person may."""
    path = f"/api/v1/payments/{_transfer(shop, sign_up, travelers=12)['id']}/confirm"
    waiting = shop.done(shop.post(path, sign_up("ADMIN"), _of_the_bank(shop)), 202)
    return f"{_RECEIPTS}/{waiting['receipt']['id']}"


def confirms_a_transfer(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"/payments/{_transfer(shop, sign_up)['id']}/confirm", _of_the_bank(shop))


def approves_a_receipt(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_receipt_of_a_colleague(shop, sign_up)}/approve")


def rejects_a_receipt(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_receipt_of_a_colleague(shop, sign_up)}/reject")


# Refunds --------------------------------------------------------------------------------------------------


def _by_card(shop: Shop, sign_up: SignUp, outcome: str = "paid") -> Json:
    """A payment of EGP 2,000.00 at the sandbox, of which this became."""
    customer = sign_up()
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    shop.take_payment(payment, outcome)
    return payment


def _refund(shop: Shop, payment: Json, amount: str) -> Json:
    body = {"amount": _egp(amount), "reason": "a shorter trip"}
    return shop.done(_posted(shop, f"/payments/{payment['id']}/refunds", body), 202)


def _waits_for_an_operator(shop: Shop, sign_up: SignUp) -> tuple[str, str]:
    """The address of a refund of a transfer, which people make, and its part."""
    payment = _transfer(shop, sign_up)
    _confirmed(shop, payment)
    refund = _refund(shop, payment, "500.00")
    assert refund["status"] == "AWAITING_OPERATOR"
    return f"/admin/refunds/{refund['id']}", refund["parts"][0]["id"]


def _came_to_nothing(shop: Shop, sign_up: SignUp) -> tuple[str, str]:
    """The address of a refund that the sandbox refused for its amount's sake, and its part."""
    refund = _refund(shop, _by_card(shop, sign_up), "500.02")
    shop.deliver_events()
    shown = shop.done(shop.get(f"/api/v1/refunds/{refund['id']}", shop.admin))
    assert shown["status"] == "FAILED"
    return f"/admin/refunds/{refund['id']}", shown["parts"][0]["id"]


def asks_for_a_refund(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {"amount": _egp("500.00"), "reason": "a shorter trip"}
    return _posted(shop, f"/payments/{_by_card(shop, sign_up)['id']}/refunds", body)


def confirms_a_refund(shop: Shop, sign_up: SignUp) -> TestResponse:
    path, part = _waits_for_an_operator(shop, sign_up)
    body = {"part_id": part, "provider_reference": f"DASH-{uuid4().hex[:12]}", "refunded_on": _today(shop)}
    return _posted(shop, f"{path}/confirm", body)


def resubmits_a_refund(shop: Shop, sign_up: SignUp) -> TestResponse:
    path, part = _came_to_nothing(shop, sign_up)
    return _posted(shop, f"{path}/resubmit", {**_WHY, "part_id": part})


def refunds_to_the_wallet_instead(shop: Shop, sign_up: SignUp) -> TestResponse:
    path, part = _waits_for_an_operator(shop, sign_up)
    return _posted(shop, f"{path}/to-wallet", {**_WHY, "part_id": part})


def gives_up_a_refund(shop: Shop, sign_up: SignUp) -> TestResponse:
    path, part = _waits_for_an_operator(shop, sign_up)
    return _posted(shop, f"{path}/give-up", {**_WHY, "part_id": part})


# Money in suspense ----------------------------------------------------------------------------------------


def _suspended(shop: Shop, payment: Json) -> str:
    """The address of a payment's money in suspense."""
    rows = shop.done(shop.get(f"/api/v1{_QUEUE}", shop.admin))["items"]
    [item] = [row["id"] for row in rows if row["kind"] == "SUSPENSE" and row["payment_id"] == payment["id"]]
    return f"{_QUEUE}/suspense/{item}"


def _came_twice(shop: Shop, sign_up: SignUp) -> str:
    return _suspended(shop, _by_card(shop, sign_up, "twice"))


def puts_suspense_into_the_wallet(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_came_twice(shop, sign_up)}/wallet", _WHY)


def applies_suspense(shop: Shop, sign_up: SignUp) -> TestResponse:
    """What came twice pays another booking of the same customer's."""
    customer = sign_up()
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    shop.take_payment(payment, "twice")
    another = {"type": "BOOKING", "id": shop.book(customer, shop.offer())["id"]}
    return _posted(shop, f"{_suspended(shop, payment)}/apply", {**_WHY, "payable": another})


def refunds_suspense(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_came_twice(shop, sign_up)}/refund", _WHY)


def writes_suspense_off(shop: Shop, sign_up: SignUp) -> TestResponse:
    """Fifty piastres came for a payment: too little for it, and less than the limit."""
    payment = _transfer(shop, sign_up)
    _confirmed(shop, payment, amount=_egp("0.50"))
    return _posted(shop, f"{_suspended(shop, payment)}/write-off", _WHY)


# Attempts, webhooks and invoices --------------------------------------------------------------------------


def _paid_unheard(shop: Shop, sign_up: SignUp) -> Json:
    """A payment that its customer made at the sandbox's page, of which no webhook has told yet."""
    customer = sign_up()
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    page = "/" + payment["checkout"]["url"].split("/", 3)[3]
    assert shop.client.post(page, data={"outcome": "paid"}).status_code == 303
    return payment


def _attempt(shop: Shop, payment: Json) -> str:
    """The address of a payment's only attempt."""
    [row] = shop.database.rows("SELECT id FROM payment_attempts WHERE payment_id = %s", (payment["id"],))
    return f"{_QUEUE}/attempts/{row['id']}"


def _unanswered(shop: Shop, sign_up: SignUp) -> Json:
    """A payment for which the provider was asked, and did not answer."""

    def is_silent(_: SandboxGateway, __: CheckoutRequest) -> None:
        raise OutcomeUnknown(provider=SandboxGateway.name)

    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    with pytest.MonkeyPatch.context() as cut:
        cut.setattr(SandboxGateway, "create_checkout", is_silent)
        return shop.pay(customer, booking)


def _unknown_webhook(shop: Shop, reference: str = "") -> str:
    """The address of a webhook that named nothing of ours, for long enough that staff see it."""
    [row] = shop.database.rows(
        """INSERT INTO payment_webhook_logs (id, provider, webhook_event_id, event_type, provider_reference,
               provider_key, merchant_reference, reference_number, body, content_type, status, ip_address,
               received_at, processed_at, error_message)
           VALUES (gen_random_uuid(), 'SANDBOX', %s, 'checkout.paid', %s, '', '', '', '{}', 'application/json',
                   'FAILED', '192.0.2.1', now(), now(), 'unknown_reference') RETURNING id""",
        (f"evt_{uuid4().hex}", reference or str(uuid4())),
    )
    return f"{_QUEUE}/webhooks/{row['id']}"


def checks_an_attempt(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_attempt(shop, _paid_unheard(shop, sign_up))}/check", _WHY)


def gives_an_attempt_up(shop: Shop, sign_up: SignUp) -> TestResponse:
    return _posted(shop, f"{_attempt(shop, _unanswered(shop, sign_up))}/give-up", _WHY)


def retries_a_webhook(shop: Shop, _: SignUp) -> TestResponse:
    return _posted(shop, f"{_unknown_webhook(shop)}/retry", _WHY)


def dismisses_a_webhook(shop: Shop, _: SignUp) -> TestResponse:
    return _posted(shop, f"{_unknown_webhook(shop)}/dismiss", _WHY)


def assigns_a_webhook(shop: Shop, sign_up: SignUp) -> TestResponse:
    payment = _paid_unheard(shop, sign_up)
    webhook = _unknown_webhook(shop, payment["provider_reference"])
    return _posted(shop, f"{webhook}/assign", {**_WHY, "payment_id": payment["id"]})


def invoices_a_payment(shop: Shop, sign_up: SignUp) -> TestResponse:
    """It is paid, and the event that would have had the invoice issued has not been delivered."""
    payment = _transfer(shop, sign_up)
    _confirmed(shop, payment)
    assert shop.database.rows("SELECT 1 FROM invoices WHERE payment_id = %s", (payment["id"],)) == []
    return _posted(shop, f"{_QUEUE}/payments/{payment['id']}/invoice", _WHY)


PAYMENT_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/payments/<uuid:payment_id>/confirm"): confirms_a_transfer,
    ("POST", "/api/v1/payments/<uuid:payment_id>/refunds"): asks_for_a_refund,
    ("POST", f"/api/v1{_RECEIPTS}/<uuid:receipt_id>/approve"): approves_a_receipt,
    ("POST", f"/api/v1{_RECEIPTS}/<uuid:receipt_id>/reject"): rejects_a_receipt,
    ("POST", "/api/v1/admin/refunds/<uuid:refund_id>/confirm"): confirms_a_refund,
    ("POST", "/api/v1/admin/refunds/<uuid:refund_id>/resubmit"): resubmits_a_refund,
    ("POST", "/api/v1/admin/refunds/<uuid:refund_id>/to-wallet"): refunds_to_the_wallet_instead,
    ("POST", "/api/v1/admin/refunds/<uuid:refund_id>/give-up"): gives_up_a_refund,
    ("POST", f"/api/v1{_QUEUE}/suspense/<uuid:receipt_id>/wallet"): puts_suspense_into_the_wallet,
    ("POST", f"/api/v1{_QUEUE}/suspense/<uuid:receipt_id>/apply"): applies_suspense,
    ("POST", f"/api/v1{_QUEUE}/suspense/<uuid:receipt_id>/refund"): refunds_suspense,
    ("POST", f"/api/v1{_QUEUE}/suspense/<uuid:receipt_id>/write-off"): writes_suspense_off,
    ("POST", f"/api/v1{_QUEUE}/attempts/<uuid:attempt_id>/check"): checks_an_attempt,
    ("POST", f"/api/v1{_QUEUE}/attempts/<uuid:attempt_id>/give-up"): gives_an_attempt_up,
    ("POST", f"/api/v1{_QUEUE}/webhooks/<uuid:webhook_id>/retry"): retries_a_webhook,
    ("POST", f"/api/v1{_QUEUE}/webhooks/<uuid:webhook_id>/dismiss"): dismisses_a_webhook,
    ("POST", f"/api/v1{_QUEUE}/webhooks/<uuid:webhook_id>/assign"): assigns_a_webhook,
    ("POST", f"/api/v1{_QUEUE}/payments/<uuid:payment_id>/invoice"): invoices_a_payment,
}
