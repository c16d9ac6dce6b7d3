"""Stripe's API as this gateway uses it: plain documents in, our three outcomes out."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import stripe

from application.billing.ports import ProviderRefused, ProviderUnreachable
from config.settings import StripeSettings
from infrastructure.payment.http import LONGEST_REASON, ProviderClient
from infrastructure.payment.stripe.transport import ExchangeClient
from infrastructure.payment.stripe.wire import PROVIDER, Document, refused, unknown

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, TransferCreateParams
    from stripe.params.checkout import SessionCreateParams

PAGE: Final = 100
PAGE_OF_SESSIONS: Final = 50
PAGE_WITH_SOURCES: Final = 25
"""Shorter, so that a page of large objects stays below the largest answer that is read (1 MiB)."""
MOST_LISTED: Final = 100_000
"""A list that does not end is no answer."""


class NoSuchObject(ProviderRefused):
    """Stripe knows no object of this id; its own word for it, not a wrong address."""


class StripeApi:
    """Calls of one account. Each raises ProviderUnreachable, OutcomeUnknown or ProviderRefused, and nothing else."""

    def __init__(self, account: StripeSettings, *, client: ProviderClient) -> None:
        _silence_library()
        self._v1 = stripe.StripeClient(
            account.api_key,
            base_addresses={"api": account.api_base},
            max_network_retries=0,
            http_client=ExchangeClient(client),
        ).v1

    def open_session(self, params: SessionCreateParams, *, key: str) -> Document:
        with _our_errors():
            return self._v1.checkout.sessions.create(params, {"idempotency_key": key}).to_dict()

    def session(self, session_id: str) -> Document:
        """With its PaymentIntent in it."""
        with _our_errors():
            return self._v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]}).to_dict()

    def sessions_of(self, payment_intent: str) -> list[Document]:
        """The checkout sessions that a PaymentIntent belongs to, with it in them: one, or none."""
        with _our_errors():
            return _documents(
                self._v1.checkout.sessions.list(
                    {"payment_intent": payment_intent, "limit": PAGE, "expand": ["data.payment_intent"]}
                )
            )

    def sessions_opened(self, since: datetime, until: datetime) -> list[Document]:
        with _our_errors():
            return _documents(
                self._v1.checkout.sessions.list(
                    {"created": {"gte": _seconds(since), "lt": _seconds(until)}, "limit": PAGE_OF_SESSIONS}
                )
            )

    def payment_intent(self, payment_intent: str) -> Document:
        with _our_errors():
            return self._v1.payment_intents.retrieve(payment_intent).to_dict()

    def refunds_of(self, payment_intent: str) -> list[Document]:
        with _our_errors():
            return _documents(self._v1.refunds.list({"payment_intent": payment_intent, "limit": PAGE}))

    def disputes_of(self, payment_intent: str) -> list[Document]:
        with _our_errors():
            return _documents(self._v1.disputes.list({"payment_intent": payment_intent, "limit": PAGE}))

    def make_refund(self, params: RefundCreateParams, *, key: str) -> Document:
        with _our_errors():
            return self._v1.refunds.create(params, {"idempotency_key": key}).to_dict()

    def make_transfer(self, params: TransferCreateParams, *, key: str) -> Document:
        with _our_errors():
            return self._v1.transfers.create(params, {"idempotency_key": key}).to_dict()

    def transfer(self, transfer_id: str) -> Document:
        with _our_errors():
            return self._v1.transfers.retrieve(transfer_id).to_dict()

    def transfers_of(self, transfer_group: str) -> list[Document]:
        with _our_errors():
            return _documents(self._v1.transfers.list({"transfer_group": transfer_group, "limit": PAGE}))

    def booked(self, since: datetime, until: datetime) -> list[Document]:
        """The balance's entries of a time, each with what it is about in `source`."""
        with _our_errors():
            return _documents(
                self._v1.balance_transactions.list(
                    {
                        "created": {"gte": _seconds(since), "lt": _seconds(until)},
                        "limit": PAGE_WITH_SOURCES,
                        "expand": ["data.source"],
                    }
                )
            )

    def balance(self) -> Document:
        with _our_errors():
            return self._v1.balance.retrieve().to_dict()


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _documents(page: Any) -> list[Document]:
    """All objects of a list, over all its pages, newest first."""
    found = [one.to_dict() for one in islice(page.auto_paging_iter(), MOST_LISTED + 1)]
    if len(found) > MOST_LISTED:
        raise unknown("a list without an end")
    return found


@contextlib.contextmanager
def _our_errors() -> Iterator[None]:
    """Tell the library's refusals apart by what is certain about money.

    A refused key is ProviderUnreachable: nothing was looked at, and it may be asked again; after an earlier try of
    the same request whose outcome is unknown, ProviderRefused would say too much.
    """
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as trouble:
        raise ProviderUnreachable(provider=PROVIDER, status=trouble.http_status, reason="key_refused") from trouble
    except stripe.RateLimitError as trouble:
        raise ProviderUnreachable(provider=PROVIDER, status=429, reason="rate_limited") from trouble
    except stripe.IdempotencyError as trouble:
        raise refused("the merchant reference was used before, for something else") from trouble
    except (stripe.InvalidRequestError, stripe.CardError) as trouble:
        raise _refusal(trouble) from trouble
    except stripe.StripeError as trouble:
        raise unknown("not_understood") from trouble
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as trouble:
        # A JSON object that is none of Stripe's: the library stumbles over it in its own ways.
        raise unknown("not_understood") from trouble


def _refusal(trouble: stripe.StripeError) -> ProviderRefused:
    reason = f"{trouble.code or 'refused'}: {trouble.user_message or ''}"[:LONGEST_REASON]
    kind = NoSuchObject if (trouble.http_status, trouble.code) == (404, "resource_missing") else ProviderRefused
    return kind(provider=PROVIDER, status=trouble.http_status, reason=reason)


def _silence_library() -> None:
    """Our own log tells of every call, without payers' data; the library's would tell more."""
    stripe.enable_telemetry = False
    logging.getLogger("stripe").disabled = True
