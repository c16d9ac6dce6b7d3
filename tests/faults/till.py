"""Deposits by card at the fake Fawaterk, in the words of a test: what is asked, what was charged, what was booked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.billing.handlers import look_into_webhook
from application.billing.reconciliation import ReconcilePayments, reconcile_payments
from fake_providers.fawaterk import FawaterkServer
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import Person
from tests.e2e.invariants import unlike_books
from tests.integration.shop import broken_promises

DEPOSITS = "/api/v1/wallet/deposits"
WEBHOOKS = "/api/v1/payments/webhooks/fawaterk_json"
AMOUNT_MINOR = 75_000

SignUp = Callable[..., Person]
Json = dict[str, Any]


class Till:
    """One customer who fills a wallet."""

    def __init__(
        self,
        running: Running,
        client: FlaskClient,
        fawaterk: FawaterkServer,
        addresses: DatabaseAddresses,
        customer: Person,
    ) -> None:
        self.running, self.client, self.fawaterk, self.addresses = running, client, fawaterk, addresses
        self.customer = customer

    def asking(self, key: str = "") -> tuple[bytes, dict[str, str]]:
        """A request for a deposit: body and headers."""
        body = {"amount": {"amount": "750.00", "currency": "EGP"}, "method": "CREDIT_CARD", "provider": "FAWATERK"}
        headers = {
            **self.customer.headers,
            "Idempotency-Key": key or uuid4().hex,
            "Content-Type": "application/json",
        }
        return orjson.dumps(body), headers

    def ask(self, key: str = "") -> TestResponse:
        body, headers = self.asking(key)
        return self.client.post(DEPOSITS, data=body, headers=headers)

    def invoices(self) -> list[str]:
        """What the provider opened, by its references."""
        return [invoice["invoice_id"] for invoice in self.fawaterk.books.all()]

    def attempts(self) -> list[tuple[str, bool]]:
        """Our attempts: status, and whether we know the provider's reference."""
        rows = self.running.database.rows("SELECT status, provider_reference FROM payment_attempts ORDER BY id")
        return [(row["status"], row["provider_reference"] is not None) for row in rows]

    def webhook(self, invoice_id: str) -> bytes:
        return orjson.dumps(self.fawaterk.webhook("paid", invoice_id))

    def tell(self, invoice_id: str) -> str:
        """The provider's webhook about a paid invoice arrives; how it is answered."""
        answer = self.client.post(WEBHOOKS, data=self.webhook(invoice_id), content_type="application/json")
        assert answer.status_code == 200, answer.text
        status: str = answer.json["status"]
        return status

    def events(self) -> list[Json]:
        """What was published about webhooks."""
        rows = self.running.database.rows(
            "SELECT payload FROM outbox_events WHERE name = 'billing.webhook_received' ORDER BY id"
        )
        return [row["payload"] for row in rows]

    def look_into_webhooks(self) -> None:
        for event in self.events():
            look_into_webhook(event, self.running.dependencies)

    def reconcile(self, times: int = 2) -> None:
        """The reconciler comes, some minutes later."""
        self.running.dependencies.clock.offset += timedelta(minutes=5)  # type: ignore[attr-defined]
        use = self.running.dependencies
        for _ in range(times):
            reconcile_payments(
                ReconcilePayments(live=use.live, public_url=use.public_url),
                new_uow=use.new_uow,
                gateways=use.gateways,
                returns=use.returns,
                clock=use.clock,
                new_id=use.new_id,
                draw=lambda longest: longest / 2,
            )

    def in_wallet(self) -> int:
        row = self.running.database.row(
            "SELECT coalesce(sum(e.amount_minor), 0) AS minor FROM ledger_entries e"
            " JOIN ledger_accounts a ON a.id = e.account_id WHERE a.user_id = %s",
            (self.customer.user_id,),
        )
        return int(row["minor"]) if row else 0

    def assert_books_agree(self) -> None:
        """The provider's books are ours, every charge is in the wallet once, and every promise holds."""
        assert unlike_books(self.fawaterk, self.addresses) == {}
        charges = [one for invoice in self.fawaterk.books.all() for one in invoice["transactions"] if one["paying"]]
        assert self.in_wallet() == len(charges) * AMOUNT_MINOR
        assert broken_promises(self.addresses) == []
