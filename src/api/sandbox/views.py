"""The sandbox's hosted checkout page, and what its form does; works without scripts and without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from api.context import use
from api.pages.html import Pages, page_language, wants_page
from api.sandbox.wording import OUTCOMES, WORDS
from application.billing.sandbox import (
    ChangeDispute,
    ChooseOutcome,
    SandboxBooks,
    change_dispute,
    choose_outcome,
)
from domain.billing.sandbox import CheckoutDecided, CheckoutExpired, CheckoutNotFound, Outcome, SandboxCheckout
from domain.billing.sandbox_refunds import SandboxDisputeState
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import DomainError, InvalidValue, NotFound
from domain.shared.money import Money
from middlewares.auth_middleware import public
from middlewares.error_handler import domain_problem

blueprint = Blueprint("sandbox", __name__)

LARGEST_BODY: Final = 16 * 1024

_PAGES: Final = Pages(Path(__file__).parent / "templates")


@blueprint.get("/sandbox/checkout/<token>")
@public
def show_checkout(token: str) -> Response:
    """The page of one checkout, in its customer's language or `?lang=`."""
    checkout = _books().by_token(token)
    return _checkout_page(checkout)


@blueprint.post("/sandbox/checkout/<token>")
@public
def choose(token: str) -> AnyResponse:
    """The customer's choice, as a form or as JSON; answers 303 to where the merchant wants its customers."""
    request.max_content_length = LARGEST_BODY
    return redirect(
        choose_outcome(
            ChooseOutcome(token=token, outcome=_chosen_outcome()),
            uow=use().new_uow(),
            books=_books(),
            clock=use().clock,
            new_id=use().new_id,
        ),
        code=303,
    )


@blueprint.post("/sandbox/checkout/<token>/dispute")
@public
def dispute(token: str) -> AnyResponse:
    """The customer's bank: `state` is `open`, then `won` or `lost`; answers 303 to the page."""
    request.max_content_length = LARGEST_BODY
    change_dispute(
        ChangeDispute(token=token, state=_disputed()),
        uow=use().new_uow(),
        books=_books(),
        clock=use().clock,
        new_id=use().new_id,
    )
    return redirect(f"/sandbox/checkout/{token}", code=303)


@blueprint.errorhandler(DomainError)
def refuse(error: DomainError) -> Response:
    """A refusal as a page of the same style, or as a problem document for programs."""
    problem = domain_problem(error)
    if not wants_page():
        return problem
    page = _refusal_page(error, status=problem.status_code)
    if "Retry-After" in problem.headers:
        page.headers["Retry-After"] = problem.headers["Retry-After"]
    return page


def _books() -> SandboxBooks:
    """Raises CheckoutNotFound where the sandbox is not enabled: there is no page then."""
    sandbox = use().sandbox
    if sandbox is None:
        raise CheckoutNotFound()
    return sandbox.books


def _disputed() -> SandboxDisputeState:
    """`state` of the form or the JSON object. Raises InvalidValue that names it."""
    known = {state.lower(): state for state in SandboxDisputeState}
    said = _said("state")
    if not isinstance(said, str) or said not in known:
        raise InvalidValue("one of " + ", ".join(known), pointer="/state", code="unknown_state")
    return known[said]


def _said(name: str) -> object:
    if not request.is_json:
        return request.form.get(name)
    document = request.get_json()
    return document.get(name) if isinstance(document, dict) else None


def _chosen_outcome() -> Outcome:
    """`outcome` of the form or the JSON object. Raises InvalidValue that names it."""
    chosen = _said("outcome")
    if chosen is None:
        raise InvalidValue("one of " + ", ".join(Outcome), pointer="/outcome", code="required")
    if not isinstance(chosen, str) or chosen not in list(Outcome):
        raise InvalidValue("one of " + ", ".join(Outcome), pointer="/outcome", code="unknown_outcome")
    return Outcome(chosen)


def _refusal_page(error: DomainError, *, status: int) -> Response:
    """The checkout with what is wrong; without it where there is none, or where it cannot be read now."""
    if isinstance(error, InvalidValue):
        return _checkout_page(_books().by_token(_token()), fault=error.faults[0].code, status=status)
    if isinstance(error, CheckoutDecided | CheckoutExpired):
        return _checkout_page(_books().by_token(_token()), status=status)
    return _plain_page("not_found" if isinstance(error, NotFound) else "unavailable", status=status)


def _token() -> str:
    return str((request.view_args or {})["token"])


def _checkout_page(checkout: SandboxCheckout, *, fault: str = "", status: int = 200) -> Response:
    language = page_language(checkout.locale)
    words, outcomes = WORDS[language], OUTCOMES[language]
    state = _state_of(checkout)
    shown = {
        "": tuple(Outcome),
        "expired": (Outcome.LATE,),
        "decided": (),
    }[state]
    chosen = outcomes[checkout.outcome][0] if checkout.outcome else ""
    facts = {
        "title": words[f"{state}_title"] if state else words["title"],
        "words": words,
        "other_language": _other(language),
        "checkout": checkout,
        "shown_amount": _shown(checkout.amount),
        "until": checkout.expires_at.astimezone(BUSINESS_ZONE),
        "choices": [(outcome.value, *outcomes[outcome]) for outcome in shown],
        "state": words[state].format(outcome=chosen) if state else "",
        "fault": words.get(f"fault_{fault}", words["fault"]) if fault else "",
    }
    leads_to = (checkout.success_url, checkout.cancel_url)
    return _PAGES.answer("checkout.html.jinja", language, facts, status=status, leads_to=leads_to)


def _plain_page(name: str, *, status: int) -> Response:
    language = page_language()
    words = WORDS[language]
    facts = {
        "title": words[f"{name}_title"],
        "words": words,
        "other_language": _other(language),
        "checkout": None,
        "choices": (),
        "state": words[name],
        "fault": "",
    }
    return _PAGES.answer("checkout.html.jinja", language, facts, status=status)


def _state_of(checkout: SandboxCheckout) -> str:
    if checkout.is_decided:
        return "decided"
    return "expired" if checkout.has_expired(use().clock.now()) else ""


def _other(language: str) -> str:
    return "en" if language == "ar" else "ar"


def _shown(amount: Money) -> str:
    """With thousands apart, as people read amounts: EGP 1,499.00."""
    whole, point, decimals = amount.decimal().partition(".")
    return f"{amount.currency.code} {int(whole):,}{point}{decimals}"
