"""Providers with books of their own, as tests move them: the fakes over HTTP, behind the real gateways.

Each says what is in its books of a payment and what it tells of by webhook; `known_of` says the same of our books.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol
from uuid import UUID

from application.billing.ports import Reading
from config.settings import FawaterkSettings, Settings, StripeSettings
from domain.ledger import accounts
from domain.shared.money import Money
from fake_providers.fawaterk import FawaterkServer
from fake_providers.stripe import StripeServer
from fake_providers.stripe.sending import encode, sign
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from tests.integration.permutations import FIRST_REFUND, SECOND_REFUND, Happening
from tests.integration.shop import Shop

H = Happening
DISPUTED: Final = 50_000
"""What is left of the charge when both refunds are out: every dispute can take all that it asks for."""
STRIPE_REFUNDS: Final = {"succeeded": "SUCCEEDED", "failed": "FAILED", "canceled": "FAILED", "pending": "SUBMITTED"}
STRIPE_DISPUTES: Final = {"needs_response": "OPEN", "won": "WON", "lost": "LOST"}
FAWATERK_REFUNDS: Final = {"approved": "SUCCEEDED", "refused": "FAILED", "pending": "SUBMITTED"}

Named = frozenset[tuple[str, int, str]]
"""The provider's name for it, minor units, how it ended."""


@dataclass(frozen=True)
class Known:
    """What a set of books says of one payment."""

    charges: tuple[int, ...]
    refunds: Named
    disputes: Named


@dataclass(frozen=True)
class Letter:
    """A webhook; its signature is made when it is sent."""

    body: bytes
    content_type: str = "application/json"


class RealProvider(Protocol):
    """Beside `permutations.Provider`: its webhooks and its books."""

    name: ClassVar[str]
    refunding: ClassVar[tuple[str, bytes]]
    """The call by which a refund is asked for: its operation, and how its request begins."""
    tells: tuple[Happening, ...]
    """What it knows of."""

    def configured(self, settings: Settings, address: str = "") -> Settings:
        """With this provider alone, at its own address or another that leads there."""
        ...

    def is_possible(self, order: Sequence[Happening]) -> bool:
        """Whether the last of these can happen after the others."""
        ...

    def happens(self, payment_id: UUID, happening: Happening, charge: Money) -> None: ...

    def reading(self, payment_id: UUID) -> Reading: ...

    def letters(self) -> list[Letter]:
        """The webhooks of what happened since it was asked last, in the provider's order."""
        ...

    def headers(self, letter: Letter) -> Mapping[str, str]: ...

    def known(self, payment_id: UUID) -> Known: ...

    def held(self) -> int:
        """Minor units that it took and did not give back, before its fees."""
        ...

    def decide(self) -> None:
        """Refunds that people there decide are approved."""
        ...


@dataclass
class StripeHouse:
    """Implements `RealProvider` by the fake Stripe."""

    server: StripeServer
    shop: Shop = field(init=False)
    name: ClassVar[str] = "STRIPE"
    refunding: ClassVar[tuple[str, bytes]] = ("refunds/create", b"POST /v1/refunds ")
    tells: tuple[Happening, ...] = tuple(it for it in H if it not in (H.PAID_AGAIN, H.DISPUTE_WON))
    _told: int = 0

    def configured(self, settings: Settings, address: str = "") -> Settings:
        account = StripeSettings(address or self.server.address, TEST_KEY, (WEBHOOK_SECRET,))
        return dataclasses.replace(settings, payment_gateways=("stripe",), stripe=account)

    def is_possible(self, order: Sequence[Happening]) -> bool:
        """A paid page is closed; while a bank decides, nothing is refunded."""
        *before, last = order
        if last is H.FAILED:
            return H.PAID not in before
        in_dispute = H.DISPUTE_OPENED in before and not {H.DISPUTE_LOST, H.DISPUTE_WON} & set(before)
        return not (in_dispute and last in (H.REFUNDED, H.REFUNDED_AGAIN))

    def happens(self, payment_id: UUID, happening: Happening, charge: Money) -> None:
        session, provider, afterwards = self._session(payment_id), self.server.provider, self.server.afterwards
        match happening:
            case H.FAILED:
                provider.decline(session)
            case H.PAID:
                provider.pay(session)
            case H.REFUNDED:
                afterwards.refund_on_dashboard(self._intent(payment_id), FIRST_REFUND)
            case H.REFUNDED_AGAIN:
                provider.refunds_begin = "pending"
                afterwards.refund_on_dashboard(self._intent(payment_id), SECOND_REFUND)
                provider.refunds_begin = "succeeded"
            case H.REFUND_FAILED:
                (waiting,) = [it for it in self._of(payment_id, "refund") if it["status"] == "pending"]
                afterwards.finish_refund(waiting["id"], "failed", "expired_or_canceled_card")
            case H.DISPUTE_OPENED:
                afterwards.dispute(self._intent(payment_id), DISPUTED)
            case H.DISPUTE_LOST | H.DISPUTE_WON:
                (dispute,) = self._of(payment_id, "dispute")
                afterwards.close_dispute(dispute["id"], "lost" if happening is H.DISPUTE_LOST else "won")

    def reading(self, payment_id: UUID) -> Reading:
        return self.shop.use.gateways.get(self.name).read(self.shop.attempt_of(payment_id).identity)

    def letters(self) -> list[Letter]:
        events = self.server.books.all("event")
        new, self._told = events[: len(events) - self._told], len(events)
        return [Letter(encode(event)) for event in reversed(new)]

    def headers(self, letter: Letter) -> Mapping[str, str]:
        at = int(self.shop.use.clock.now().timestamp())
        return {"Content-Type": letter.content_type, "Stripe-Signature": sign(letter.body, [WEBHOOK_SECRET], at=at)}

    def known(self, payment_id: UUID) -> Known:
        charges = [it["amount"] for it in self._of(payment_id, "charge") if it["status"] == "succeeded"]
        refunds = [(it["id"], it["amount"], STRIPE_REFUNDS[it["status"]]) for it in self._of(payment_id, "refund")]
        disputes = [(it["id"], it["amount"], STRIPE_DISPUTES[it["status"]]) for it in self._of(payment_id, "dispute")]
        return Known(tuple(charges), frozenset(refunds), frozenset(disputes))

    def held(self) -> int:
        return sum(entry["amount"] for entry in self.server.books.all("balance_transaction"))

    def decide(self) -> None:
        for refund in self.server.books.all("refund"):
            if refund["status"] == "pending":
                self.server.afterwards.finish_refund(refund["id"])

    def _session(self, payment_id: UUID) -> str:
        return self.shop.attempt_of(payment_id).provider_reference

    def _intent(self, payment_id: UUID) -> str:
        return str(self.server.provider.session(self._session(payment_id))["payment_intent"])

    def _of(self, payment_id: UUID, kind: str) -> list[Any]:
        intent = self._intent(payment_id)
        return [it for it in self.server.books.all(kind) if it["payment_intent"] == intent]


@dataclass
class FawaterkHouse:
    """Implements `RealProvider` by the fake Fawaterk, of one version, with credentials; it tells of no disputes."""

    server: FawaterkServer
    version: str
    shop: Shop = field(init=False)
    name: ClassVar[str] = "FAWATERK"
    refunding: ClassVar[tuple[str, bytes]] = ("refund/create", b"POST /api/v3/refund/create ")
    tells: tuple[Happening, ...] = tuple(it for it in H if "DISPUTE" not in it)

    def __post_init__(self) -> None:
        # Kept here, so that the test says what arrives when.
        self.server.script_webhooks("held", 100_000)

    def configured(self, settings: Settings, address: str = "") -> Settings:
        account = FawaterkSettings(
            f"{address or self.server.address}/api/{self.version}",
            self.server.api_key,
            self.server.api_key,
            self.version,
            self.server.client_id,
            self.server.client_secret,
        )
        return dataclasses.replace(settings, payment_gateways=("fawaterk",), fawaterk=account)

    def is_possible(self, order: Sequence[Happening]) -> bool:
        return bool(order)

    def happens(self, payment_id: UUID, happening: Happening, charge: Money) -> None:
        reference = self.shop.attempt_of(payment_id).provider_reference
        match happening:
            case H.FAILED:
                self.server.fail(reference)
            case H.PAID | H.PAID_AGAIN:
                self.server.pay(reference)
            case H.REFUNDED:
                asked = self.server.refund_on_dashboard(reference, _decimal(FIRST_REFUND))
                self.server.approve_refund(asked["id"])
            case H.REFUNDED_AGAIN:
                self.server.refund_on_dashboard(reference, _decimal(SECOND_REFUND))
            case H.REFUND_FAILED:
                (waiting,) = [it for it in self._refunds(reference) if it["status"] == "pending"]
                self.server.refuse_refund(waiting["id"])

    def reading(self, payment_id: UUID) -> Reading:
        return self.shop.use.gateways.get(self.name).read(self.shop.attempt_of(payment_id).identity)

    def letters(self) -> list[Letter]:
        held, self.server.deliveries.held = self.server.deliveries.held, []
        return [Letter(letter.content, letter.content_type) for letter in held]

    def headers(self, letter: Letter) -> Mapping[str, str]:
        return {"Content-Type": letter.content_type}

    def known(self, payment_id: UUID) -> Known:
        reference = self.shop.attempt_of(payment_id).provider_reference
        rows = self.server.books.invoice(reference)["transactions"]
        refunds = [
            (str(it["id"]), _minor(it["amount"]), FAWATERK_REFUNDS[it["status"]]) for it in self._refunds(reference)
        ]
        charges = tuple(_minor(row["amount"]) for row in rows if row["paying"])
        return Known(charges, frozenset(refunds), frozenset())

    def held(self) -> int:
        rows = [row for record in self.server.books.all() for row in record["transactions"] if row["paying"]]
        given = [it for it in self.server.books.refunds() if it["status"] == "approved"]
        return sum(_minor(row["amount"]) for row in rows) - sum(_minor(it["amount"]) for it in given)

    def decide(self) -> None:
        for refund in self.server.books.refunds():
            if refund["status"] == "pending":
                self.server.approve_refund(refund["id"])

    def _refunds(self, reference: str) -> list[Any]:
        return [it for it in self.server.books.refunds() if it["reference"] == reference]


PROVIDERS: Final = ("stripe", "fawaterk-v2", "fawaterk-v3")


@contextlib.contextmanager
def a_provider(name: str, folder: Path) -> Iterator[StripeHouse | FawaterkHouse]:
    """One of PROVIDERS, listening until the block ends."""
    kind, _, version = name.partition("-")
    if kind == "stripe":
        with StripeServer(folder / "stripe.sqlite") as stripe:
            yield StripeHouse(stripe)
    else:
        with FawaterkServer(folder / "fawaterk.sqlite") as fawaterk:
            yield FawaterkHouse(fawaterk, version)


def known_of(shop: Shop, payment_id: UUID) -> Known:
    """What we know of the same."""
    receipts = shop.receipts(payment_id)
    refunds = shop.database.rows(
        """SELECT p.provider_refund_reference AS name, p.amount_minor, p.status FROM refund_parts p
           JOIN refunds r ON r.id = p.refund_id WHERE r.payment_id = %s AND p.provider IS NOT NULL""",
        (payment_id,),
    )
    disputes = shop.database.rows(
        "SELECT provider_dispute_reference AS name, amount_minor, status FROM disputes WHERE payment_id = %s",
        (payment_id,),
    )
    return Known(tuple(minor for minor, *_ in receipts), _named(refunds), _named(disputes))


def held_at(shop: Shop) -> int:
    """What the provider holds for us by our books, in minor units."""
    return -shop.balance(accounts.clearing(shop.provider, "EGP"))


def _named(rows: Sequence[Mapping[str, Any]]) -> Named:
    return frozenset((row["name"], row["amount_minor"], row["status"]) for row in rows)


def _decimal(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))


def _minor(amount: object) -> int:
    return int(Decimal(str(amount)).scaleb(2))
