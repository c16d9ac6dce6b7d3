"""Refunds by API v3: asked for here, decided by people at Fawaterk, told by a list (contract §4).

There is no idempotency key. Ours stands at the head of `reason`, and the list is read before anything is
asked for, so that the same refund is never asked for twice.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
import structlog

from application.billing.ports import (
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    RefundAnswer,
    RefundReading,
    RefundRequest,
    RefundState,
)
from domain.shared.money import Currency, Money
from infrastructure.payment.fawaterk import wire
from infrastructure.payment.fawaterk.access import Access
from infrastructure.payment.fawaterk.readings import unknown

INVOICE: Final = "0"
TRANSACTION: Final = "3"
"""`refund_type` of a v2 invoice, and of what API v3 created (contract §4)."""

KINDS: Final = {INVOICE: frozenset({"0", "invoice"}), TRANSACTION: frozenset({"3", "transaction", "apitransaction"})}
"""How the list spells these types: kinds number their things separately, so a number alone names nothing."""

STATES: Final = {
    "approved": RefundState.SUCCEEDED,
    "1": RefundState.SUCCEEDED,
    "refunded": RefundState.SUCCEEDED,
    "completed": RefundState.SUCCEEDED,
    "refused": RefundState.FAILED,
    "rejected": RefundState.FAILED,
    "declined": RefundState.FAILED,
    "cancelled": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
"""What is in none of these words is not decided."""
WAITING: Final = frozenset({"pending", "0", "new", "processing"})

MOST_PAGES: Final = 200
LONGEST_REASON: Final = 200
SLACK: Final = timedelta(days=2)
"""How much older than its charge a refund's local, unzoned time may look."""

_REFERENCE = re.compile(r"rf_[0-9A-Za-z_-]{1,80}")
_NUMBER = re.compile(r"[1-9][0-9]*")
_PAGES = re.compile(r"[0-9]{1,9}")

log = structlog.get_logger(__name__)
Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refundable:
    """What can be given back: an invoice or a transaction by its number, and since when it has been paid."""

    number: str
    currency: Currency
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the list: its rows, which one is the last, and how many rows all have together."""

    rows: list[Members]
    last: int
    total: str


class FawaterkRefunds:
    """The refunds of one kind of charge."""

    def __init__(self, access: Access, kind: str) -> None:
        self._access = access
        self._kind = kind
        self._guard = threading.Lock()

    def of(self, refundable: Refundable) -> tuple[RefundReading, ...]:
        """Every refund of a charge, the oldest first, whoever asked for it. Raises Unavailable."""
        try:
            rows = [row for row in self._rows(refundable.since) if self._is_of(row, refundable)]
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts.get("reason"))) from refusal
        return tuple(_reading(row, refundable.currency) for row in reversed(rows))

    def ask(self, request: RefundRequest, refundable: Refundable) -> RefundAnswer:
        """Ask for a refund unless it has been asked for; the answer is what the list says of it.

        Raises ProviderRefused where Fawaterk takes no such request, ProviderUnreachable where the list cannot
        be read and so nothing was asked for, OutcomeUnknown where the request's answer is lost.
        """
        if not _REFERENCE.fullmatch(request.merchant_reference):
            raise ValueError("the reference of a refund is rf_ and letters or digits: it is found again by that")
        # Two threads that look at once would both find nothing, and both would ask.
        with self._guard:
            found = self._found_before(request, refundable)
            return found or self._asked(request, refundable)

    def _found_before(self, request: RefundRequest, refundable: Refundable) -> RefundAnswer | None:
        try:
            return self._found(request, refundable)
        except (OutcomeUnknown, ProviderRefused) as trouble:
            # Not "refused", which would say that nothing moves: an earlier call with this reference may have.
            raise ProviderUnreachable(provider=wire.PROVIDER, reason="no list of refunds") from trouble

    def _asked(self, request: RefundRequest, refundable: Refundable) -> RefundAnswer:
        if not _NUMBER.fullmatch(refundable.number):
            raise ProviderRefused(provider=wire.PROVIDER, reason="only what has a number is refunded")
        order = {
            "refund_type": self._kind,
            "refund_id": orjson.Fragment(refundable.number),
            "reason": f"{request.merchant_reference} {wire.written_title(request.reason)}"[:LONGEST_REASON],
            "comment": request.merchant_reference,
            "refundable_amount": wire.written_number(request.amount),
        }
        try:
            answer = self._access.call("refund/create", "POST", "refund/create", order)
        except ProviderRefused:
            # "More than there is" is what a request that is only now being listed is refused with, too.
            found = self._found(request, refundable)
            if found is None:
                raise
            return found
        if answer.document.get("status") != "success":
            raise unknown("the answer does not say whether the refund was asked for")
        return self._named(request, refundable)

    def _named(self, request: RefundRequest, refundable: Refundable) -> RefundAnswer:
        """The request that was just taken; its number is in the list alone."""
        try:
            found = self._found(request, refundable)
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused) as trouble:
            # Asked for it is, whatever the list does: a reading tells the number later.
            log.warning("refund_not_listed_yet", provider=wire.PROVIDER, reason=str(trouble.facts.get("reason")))
            found = None
        return found or RefundAnswer("", RefundState.PENDING)

    def _found(self, request: RefundRequest, refundable: Refundable) -> RefundAnswer | None:
        wanted = request.merchant_reference
        for row in self._rows(refundable.since):
            if _merchant_reference(row) == wanted:
                state = _state(row)
                return RefundAnswer(_number(row), state, _why(row) if state is RefundState.FAILED else "")
        return None

    def _is_of(self, row: Members, refundable: Refundable) -> bool:
        kind = str(row.get("refundable_type")).rpartition("\\")[2].casefold().replace(" ", "").replace("_", "")
        return kind in KINDS[self._kind] and wire.read_identifier(row.get("refundable_id")) == refundable.number

    def _rows(self, since: datetime | None) -> Iterator[Members]:
        """The list, newest first; what is older than the charge is not read.

        Raises OutcomeUnknown where it has no end, or changes under our eyes: a row that moves to a page that
        was read already would look like a refund that is not there.
        """
        total: object = None
        for number in range(1, MOST_PAGES + 1):
            page = self._page(number)
            if number > 1 and page.total != total:
                raise unknown("the list of refunds changed while it was read")
            total = page.total
            yield from page.rows
            if number >= page.last or _is_before(page.rows, since):
                return
        raise unknown("the list of refunds is too long")

    def _page(self, number: int) -> _Page:
        """Laravel's paginator, on top or under `data`, without a status."""
        page = self._access.call("refund/index", "POST", f"refund/index?page={number}", {}).document
        inner = page.get("data")
        if isinstance(inner, Mapping):
            page, inner = inner, inner.get("data")
        if not isinstance(inner, list) or not all(isinstance(row, Mapping) for row in inner):
            raise unknown("the answer is no list of refunds")
        last = wire.read_identifier(page.get("last_page"))
        if not _PAGES.fullmatch(last):
            raise unknown("the list of refunds does not say where it ends")
        return _Page(inner, int(last), wire.read_identifier(page.get("total")))


def _is_before(rows: list[Members], since: datetime | None) -> bool:
    """Whether all that follows is older than the charge, which is so only in a list that runs backwards."""
    times = [wire.read_time(row.get("created_at")) for row in rows]
    told = [at for at in times if at is not None]
    if since is None or not told or len(told) != len(times) or told != sorted(told, reverse=True):
        return False
    return told[0] < since - SLACK


def _reading(row: Members, unit: Currency) -> RefundReading:
    state = _state(row)
    return RefundReading(
        provider_refund_reference=_number(row),
        merchant_reference=_merchant_reference(row),
        amount=_amount(row, unit),
        state=state,
        reason=_why(row) if state is RefundState.FAILED else "",
    )


def _amount(row: Members, unit: Currency) -> Money:
    """In the currency of the charge: the list names none, and one of another is not understood."""
    try:
        amount = wire.read_amount(row.get("refundable_amount"), wire.first_told(row, "currency") or unit.code)
    except wire.Inexpressible as trouble:
        raise unknown(f"a refund's amount is {trouble}") from trouble
    if amount.currency != unit or not amount.is_positive:
        raise unknown("a refund's amount is not one of the charge")
    return amount


def _state(row: Members) -> RefundState:
    told = str(row.get("status")).strip().casefold()
    if told not in STATES and told not in WAITING:
        log.warning("refund_status_not_known", provider=wire.PROVIDER, status=told[:40])
    return STATES.get(told, RefundState.PENDING)


def _number(row: Members) -> str:
    number = wire.read_identifier(row.get("id"))
    if not number:
        raise unknown("a refund has no number")
    return number


def _merchant_reference(row: Members) -> str:
    """Ours, at the head of what we wrote as the reason; empty for a refund that was made on the dashboard."""
    texts = (row.get("reason"), row.get("comment"))
    found = (_REFERENCE.match(text) for text in texts if isinstance(text, str))
    return next((match.group() for match in found if match), "")


def _why(row: Members) -> str:
    told = wire.first_told(row, "refuse_reason", "rejection_reason", "admin_comment", "status")
    return str(told)[:LONGEST_REASON]
