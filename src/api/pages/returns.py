"""The page that customers come back to from a provider's, and what lets apps open it themselves."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, abort, request

from api.answers import json_answer
from api.context import use
from api.pages.html import DIRECTIONS, Pages, page_language
from api.pages.return_words import CANCELLED, RETURNED, STATES, WORDS
from application.billing.readback import read_payment_back
from application.billing.returns import ReturnState, host_of, state_of
from application.patience import asked
from application.queries import Row
from domain.billing.payments import AttemptStatus, PaymentStatus
from domain.shared.errors import DomainError
from domain.shared.money import Money
from middlewares.auth_middleware import public

blueprint = Blueprint("return_pages", __name__)

WAIT_SECONDS: Final = 4.0
"""How long a customer waits for the provider's answer before the page is shown without it."""
ASKED_AGAIN_AFTER: Final = 3.0
"""Seconds between two questions about one payment, in one process."""
FORWARDED_AFTER: Final = 3
_REFRESHES: Final = 60
_QUICK_REFRESHES: Final = 15
_LONGEST_TOKEN: Final = 128
_UNSETTLED: Final = frozenset({AttemptStatus.CREATED, AttemptStatus.OPEN, AttemptStatus.UNKNOWN})
_BACK_BY_SUCCESS: Final = frozenset({ReturnState.PAID, ReturnState.REVIEW})

_PAGES: Final = Pages()


class _Recently:
    """Which payments were asked about within the last seconds; remembers so many."""

    def __init__(self, seconds: float, *, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._at: OrderedDict[UUID, float] = OrderedDict()
        self._lock = threading.Lock()

    def is_first(self, payment_id: UUID) -> bool:
        now = time.monotonic()
        with self._lock:
            at = self._at.get(payment_id)
            if at is not None and now - at < self._seconds:
                return False
            self._at[payment_id] = now
            self._at.move_to_end(payment_id)
            if len(self._at) > self._most:
                self._at.popitem(last=False)
            return True


_asked_about = _Recently(ASKED_AGAIN_AFTER)


@blueprint.get("/payments/return")
@public
def returned_from_payment() -> Response:
    """After a provider's page. What its address says proves nothing: our rows, and the provider's answer, decide.

    Without a token that we gave out it says nothing of any payment, in both languages: the reader's first.
    """
    payment_id = use().returns.payment_of(request.args.get("t", "")[:_LONGEST_TOKEN])
    payment = use().queries.billing.returned(payment_id) if payment_id is not None else None
    if payment is None:
        return _plain_page()
    if payment["status"] == PaymentStatus.PENDING and payment["attempt_status"] in _UNSETTLED:
        _ask_provider(payment["id"])
        payment = use().queries.billing.returned(payment["id"]) or payment
    return _page_of(payment)


def _ask_provider(payment_id: UUID) -> None:
    """Have the payment read back; where that takes long or fails, the page says that it waits."""
    if not _asked_about.is_first(payment_id):
        return
    ports = use()
    answer = asked(
        lambda: read_payment_back(
            payment_id,
            new_uow=ports.new_uow,
            gateways=ports.gateways,
            clock=ports.clock,
            new_id=ports.new_id,
            live=ports.live,
        )
    )
    try:
        answer.result(timeout=WAIT_SECONDS)
    except (TimeoutError, DomainError):
        return


def _page_of(payment: Row) -> Response:
    language = page_language()
    came_by = "cancel" if request.args.get("outcome") == "cancel" else "success"
    state = state_of(payment["status"], payment["attempt_status"], came_by=came_by)
    address = _address_back(payment, state, came_by)
    words = STATES[language][state]
    facts = {
        "title": words["title"],
        "text": words["text"],
        "state": state.value,
        "words": WORDS[language],
        "number": payment["payment_number"],
        "amount": _shown(Money.of(payment["amount_minor"], payment["currency"])),
        "address": address,
        "leads_to": _told(address, language) if address else "",
        "refresh": _refresh(state, address, language, came_by),
        "again": _again(came_by, lang=language),
        "other": "en" if language == "ar" else "ar",
        "switch": _again(came_by, lang="en" if language == "ar" else "ar"),
    }
    return _PAGES.answer("payment_return.html.jinja", language, facts)


def _address_back(payment: Row, state: ReturnState, came_by: str) -> str:
    """Where the payer wanted to go back to, if they said so and if it is still an address that one may say."""
    succeeded = state in _BACK_BY_SUCCESS or (state is ReturnState.WAITING and came_by == "success")
    address = (payment["success_url"] if succeeded else payment["cancel_url"]) or ""
    return address if use().app_addresses.may_be_asked_for(address) else ""


def _told(address: str, language: str) -> str:
    """Our own apps are the app; of others people are told where they are about to go."""
    words = WORDS[language]
    return words["to_app"] if use().app_addresses.are_ours(address) else words["to_host"].format(host=host_of(address))


def _refresh(state: ReturnState, address: str, language: str, came_by: str) -> str:
    """The content of `<meta http-equiv=refresh>`: the page again while it waits, then our own app."""
    if state is not ReturnState.WAITING:
        return f"{FORWARDED_AFTER}; url={address}" if address and use().app_addresses.are_ours(address) else ""
    shown = request.args.get("n", "0")
    times = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 4 else 0
    if times >= _REFRESHES:
        return ""
    return f"{3 if times < _QUICK_REFRESHES else 10}; url={_again(came_by, lang=language, n=str(times + 1))}"


def _again(came_by: str, **others: str) -> str:
    token = request.args.get("t", "")[:_LONGEST_TOKEN]
    return "/payments/return?" + urlencode({"t": token, "outcome": came_by, **others})


def _plain_page() -> Response:
    words: Mapping[str, Mapping[str, str]] = CANCELLED if request.args.get("outcome") == "cancel" else RETURNED
    language = page_language()
    languages = (language, "en" if language == "ar" else "ar")
    messages = [{"language": it, "direction": DIRECTIONS[it], **words[it]} for it in languages]
    return _PAGES.answer("return.html.jinja", language, {"title": words[language]["title"], "messages": messages})


def _shown(amount: Money) -> str:
    whole, point, decimals = amount.decimal().partition(".")
    return f"{amount.currency.code} {int(whole):,}{point}{decimals}"


@blueprint.get("/.well-known/apple-app-site-association")
@public
def apple_app_site_association() -> Response:
    """Which apps on Apple's devices open the return page themselves (Apple, Supporting associated domains)."""
    ids = use().app_links.apple or abort(404)
    components = [{"/": "/payments/return", "comment": "after a payment"}]
    return _association({"applinks": {"details": [{"appIDs": list(ids), "components": components}]}})


@blueprint.get("/.well-known/assetlinks.json")
@public
def asset_links() -> Response:
    """Which apps on Android do (Google, Digital Asset Links)."""
    apps = use().app_links.android or abort(404)
    return _association(
        [
            {
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": package,
                    "sha256_cert_fingerprints": [fingerprint],
                },
            }
            for package, fingerprint in apps
        ]
    )


def _association(document: Any) -> Response:
    return json_answer(document, headers={"Cache-Control": "public, max-age=3600"})
