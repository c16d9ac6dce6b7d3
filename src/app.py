"""The web application: `create_app` puts settings, ports, middlewares and blueprints together."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import RequestURITooLarge, UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter, Rule

from api.documentation import documentation
from api.health import blueprint as health
from api.operations import completed
from api.pages.invitations import blueprint as invitation_pages
from api.pages.returns import blueprint as return_pages
from api.pages.views import blueprint as pages
from api.sandbox.views import blueprint as sandbox
from api.specification import Specification, create_specification, declare_security
from api.v1.billing.attention import blueprint as attention
from api.v1.billing.attention_actions import blueprint as attention_actions
from api.v1.billing.invoices import blueprint as invoices
from api.v1.billing.late_money import blueprint as late_money
from api.v1.billing.manual import blueprint as manual_payments
from api.v1.billing.methods import blueprint as payment_methods
from api.v1.billing.payments import blueprint as payments
from api.v1.billing.refunds import blueprint as refunds
from api.v1.catalogue.activities import blueprint as activities
from api.v1.catalogue.calendars import blueprint as calendars
from api.v1.catalogue.departures import blueprint as departures
from api.v1.catalogue.images import pictures_of
from api.v1.catalogue.packages import blueprint as packages
from api.v1.catalogue.patterns import blueprint as departure_patterns
from api.v1.catalogue.pools import blueprint as pools
from api.v1.catalogue.prices import blueprint as item_prices
from api.v1.catalogue.publishing import publishing_of
from api.v1.catalogue.ratings import blueprint as ratings
from api.v1.catalogue.reviews import reviews_of
from api.v1.identity.api_keys import blueprint as api_keys
from api.v1.identity.auth import blueprint as auth
from api.v1.identity.invitations import blueprint as invitations
from api.v1.identity.phones import blueprint as phones
from api.v1.identity.roles import blueprint as roles
from api.v1.identity.second_factor import blueprint as second_factor
from api.v1.identity.users import blueprint as users
from api.v1.ledger.adjustments import blueprint as adjustments
from api.v1.ledger.books import blueprint as books
from api.v1.ledger.cashback import blueprint as cashback
from api.v1.ledger.exchange import blueprint as exchange
from api.v1.ledger.points import blueprint as points
from api.v1.ledger.reconciliations import blueprint as reconciliations
from api.v1.ledger.reversals import blueprint as reversals
from api.v1.ledger.statements import blueprint as statements
from api.v1.ledger.voucher_credit import blueprint as voucher_credit
from api.v1.ledger.wallets import blueprint as wallets
from api.v1.ledger.withdrawals import blueprint as withdrawals
from api.v1.membership.memberships import blueprint as memberships
from api.v1.messaging.devices import blueprint as devices
from api.v1.messaging.notifications import blueprint as notifications
from api.v1.messaging.preferences import blueprint as notification_preferences
from api.v1.messaging.suppressions import blueprint as suppressions
from api.v1.operations.audit import blueprint as audit
from api.v1.operations.dead_letters import blueprint as dead_letters
from api.v1.operations.settings import blueprint as system_settings
from api.v1.partners.credit import blueprint as agent_credit
from api.v1.partners.deposits import blueprint as agent_deposits
from api.v1.partners.desks import AGENTS, VENDORS, desk_routes
from api.v1.partners.documents import blueprint as partner_documents
from api.v1.partners.profiles import blueprint as partners
from api.v1.payouts.banks import blueprint as payout_banks
from api.v1.payouts.batches import blueprint as payout_batches
from api.v1.payouts.earnings import blueprint as earnings
from api.v1.payouts.payouts import blueprint as all_payouts
from api.v1.payouts.statements import blueprint as payout_statements
from api.v1.pricing.my_vouchers import blueprint as my_vouchers
from api.v1.pricing.offers import blueprint as offers
from api.v1.pricing.vouchers import blueprint as vouchers
from api.v1.privacy.consents import blueprint as consents
from api.v1.privacy.erasures import blueprint as erasures
from api.v1.privacy.exports import blueprint as exports
from api.v1.sales.amendments import blueprint as amendments
from api.v1.sales.bookings import blueprint as bookings
from api.v1.sales.calendars import blueprint as booking_calendars
from api.v1.sales.cancellations import blueprint as cancellations
from api.v1.sales.confirming import blueprint as booking_verbs
from api.v1.sales.departure_operations import blueprint as departure_operations
from api.v1.sales.manifests import blueprint as manifests
from api.v1.sales.overviews import blueprint as booking_overviews
from api.v1.sales.policies import blueprint as cancellation_policies
from api.v1.sales.requests import blueprint as booking_offers
from api.v1.sales.travelers import blueprint as travelers
from api.v1.sales.vendor_bookings import blueprint as vendor_bookings
from api.v1.sales.waiting import blueprint as waiting_list
from api.webhooks.payments import blueprint as webhooks
from config.settings import Settings, load_settings
from domain.catalogue.items import ItemKind
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.hashing import hash_runner
from infrastructure.logging import configure_logging
from middlewares.admission import register_admission
from middlewares.at_hand import WEBHOOKS, asked
from middlewares.audit import register_audit
from middlewares.error_handler import register_error_handlers
from middlewares.incoming import Incoming
from middlewares.rate_limit import register_rate_limits
from middlewares.request_context import register_request_context
from middlewares.security_headers import register_security_headers

LARGEST_BODY = 1024 * 1024
MOST_HOSTS = 100
"""Names that we are called by, as far as they are remembered: anybody can invent some."""
LONGEST_ADDRESS = 7168
"""Characters of path and query; longer ones are no question that any client of ours asks."""

_TAKES_PICTURES = re.compile(
    r"/api/v1/(?:payments/[0-9a-f-]{36}/slip|(?:packages|activities)/[^/]+/images|partners/[0-9a-f-]{36}/documents)"
)
_TAKES_BANK_FILES = re.compile(r"/api/v1/admin/payout-batches/[^/]+/bank-results")
VERSION = "1"
_V1 = (
    auth,
    users,
    roles,
    api_keys,
    second_factor,
    phones,
    invitations,
    memberships,
    packages,
    item_prices,
    activities,
    departures,
    departure_patterns,
    calendars,
    pools,
    my_vouchers,
    vouchers,
    offers,
    *map(pictures_of, ItemKind),
    *map(publishing_of, ItemKind),
    ratings,
    *map(reviews_of, ItemKind),
    bookings,
    booking_offers,
    booking_verbs,
    booking_overviews,
    manifests,
    booking_calendars,
    travelers,
    amendments,
    cancellations,
    cancellation_policies,
    waiting_list,
    departure_operations,
    attention,
    attention_actions,
    payments,
    late_money,
    manual_payments,
    payment_methods,
    refunds,
    invoices,
    wallets,
    voucher_credit,
    withdrawals,
    adjustments,
    exchange,
    reversals,
    cashback,
    earnings,
    vendor_bookings,
    points,
    books,
    statements,
    reconciliations,
    partners,
    partner_documents,
    desk_routes(VENDORS),
    desk_routes(AGENTS),
    agent_credit,
    agent_deposits,
    payout_batches,
    payout_banks,
    all_payouts,
    payout_statements,
    notifications,
    notification_preferences,
    devices,
    suppressions,
    dead_letters,
    system_settings,
    audit,
    consents,
    exports,
    erasures,
)


def create_app(settings: Settings | None = None, running: Running | None = None) -> Flask:
    """The WSGI application. `running` is the process's share of the system; made from the settings by default."""
    settings = settings or (running.settings if running is not None else load_settings())
    if running is None:
        configure_logging(settings)
        running = bootstrap(settings, run_hash=hash_runner(settings.home))
    app = _Application("altayar", static_folder=None)
    app.json = OrjsonProvider(app)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_PARTS=100,
        API_TITLE="AltayarVIP",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=False,
    )
    hops = settings.trusted_proxies
    if hops:
        # The value that the outermost proxy of ours saw; whatever a client wrote stands further left.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["altayar"] = running.dependencies
    register_error_handlers(app)
    register_request_context(app)
    register_admission(app, most=settings.requests_at_once)
    register_audit(app)
    register_security_headers(app, origins=settings.cors_origins, https=settings.backend_url.startswith("https://"))
    register_rate_limits(app, redis_url=settings.redis_url, scale=settings.rate_limit_scale)
    app.before_request(_refuse_long_addresses)
    app.before_request(_refuse_other_media)
    specification = create_specification(app)
    for blueprint in _V1:
        prefix = f"/api/v1{blueprint.url_prefix or ''}"
        specification.register_blueprint(blueprint, url_prefix=prefix)
    for plain in (webhooks, health, pages, return_pages, invitation_pages, sandbox):
        app.register_blueprint(plain)
    app.register_blueprint(documentation(lambda: _described(specification, app, address=settings.backend_url)))
    return app


def _described(specification: Specification, app: Flask, *, address: str) -> dict[str, object]:
    """The OpenAPI document, when somebody first asks for it."""
    specification.document()
    declare_security(specification, app)
    return completed(specification.spec.to_dict(), app, address=address)


def _refuse_long_addresses() -> None:
    request = asked()
    if len(request.environ.get("PATH_INFO", "")) + len(request.query_string) > LONGEST_ADDRESS:
        raise RequestURITooLarge()


def _refuse_other_media() -> None:
    """The API speaks JSON; webhooks come as their providers send them, pictures and banks' files as they are."""
    request = asked()
    path = request.path
    if not path.startswith("/api/") or path.startswith(WEBHOOKS):
        return
    if not request.content_length or request.is_json:
        return
    if not _TAKES_PICTURES.fullmatch(path) and not _TAKES_BANK_FILES.fullmatch(path):
        raise UnsupportedMediaType()


class _Route(Rule):
    """A rule that compiles how its address is built when somebody builds one; at start that is most of the work."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


class _NoSessions(SessionInterface):
    """Nobody is known by a cookie."""

    _nothing = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._nothing


class _Application(Flask):
    """Flask without asking of every function, on every request, whether it is a coroutine: none of ours is."""

    request_class = Incoming
    session_interface = _NoSessions()
    url_rule_class = _Route

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._server_names: dict[tuple[str, str], str] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's, with what it makes of a host remembered: the same few come again and again."""
        host = None if request is None else request.environ.get("HTTP_HOST")
        if request is None or host is None:
            return super().create_url_adapter(request)
        known = self._server_names.get((request.scheme, host))
        if known is not None:
            path = request.environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
            asked_for = request.query_string.decode(errors="replace")
            return MapAdapter(
                self.url_map, known, request.root_path, "", request.scheme, path, request.method, asked_for
            )
        adapter = super().create_url_adapter(request)
        if adapter is not None and len(self._server_names) < MOST_HOSTS:
            self._server_names[request.scheme, host] = adapter.server_name
        return adapter


class OrjsonProvider(DefaultJSONProvider):
    """JSON by orjson: quick, strict about numbers, and unimpressed by deep nesting."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)
