"""The composition root: chooses the implementation of every port, once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import redis
import structlog

import infrastructure.database.tables  # noqa: F401 - completes the mappings
from application.billing.methods import OfferedMethods
from application.billing.ports import Gateways, InvoiceDocument
from application.billing.returns import AppAddresses, ReturnPage
from application.billing.slips import SlipDesk
from application.catalogue.images import ImageDesk
from application.dependencies import AppLinks, Dependencies
from application.ledger.books_ports import StatementDocument
from application.ledger.points import points_terms
from application.partners.documents import DocumentDesk
from application.payouts.statement_ports import PayoutStatementDocument
from application.ports import Encryption
from application.privacy.exports import Exporting
from application.queries import Queries
from application.sales.manifest_ports import ManifestDocument
from config.settings import Settings
from domain.identity.lockout import ADDRESS_FAILURES, LockoutPolicy
from domain.ledger.points import PointsTerms
from domain.operations.settings import HOLD_MINUTES
from domain.shared.clock import Clock
from infrastructure.cache.views import RedisViewCounter
from infrastructure.clock import SystemClock, new_id
from infrastructure.crash_points import CrashingGateways, CrashingUnitOfWork, arm
from infrastructure.database.billing.attention import SqlAttentionQueries
from infrastructure.database.billing.late_money import SqlLateMoneyQueries
from infrastructure.database.billing.manual_queries import SqlManualQueries
from infrastructure.database.billing.queries import SqlBillingQueries, SqlInvoiceDocuments
from infrastructure.database.catalogue.activity_queries import SqlActivityQueries
from infrastructure.database.catalogue.calendars import SqlCalendarQueries
from infrastructure.database.catalogue.departure_queries import SqlDepartureQueries
from infrastructure.database.catalogue.queries import SqlCatalogueQueries
from infrastructure.database.catalogue.rating_queries import SqlRatingQueries
from infrastructure.database.catalogue.statistics import SqlItemStatistics
from infrastructure.database.idempotency import SqlIdempotency
from infrastructure.database.identity.access import SqlAccessQueries
from infrastructure.database.identity.queries import SqlIdentityQueries
from infrastructure.database.identity.roles import RoleGrants
from infrastructure.database.ledger.books import SqlBooksQueries
from infrastructure.database.ledger.cashback import SqlCashbackQueries
from infrastructure.database.ledger.points_queries import SqlPointsQueries
from infrastructure.database.ledger.queries import SqlLedgerQueries
from infrastructure.database.ledger.reconciliations import SqlReconciliationQueries
from infrastructure.database.ledger.request_queries import SqlWalletRequestQueries
from infrastructure.database.ledger.statements import SqlStatements
from infrastructure.database.ledger.totals import SqlLedgerTotals
from infrastructure.database.ledger.wallet_queries import SqlWalletQueries
from infrastructure.database.membership.queries import SqlMembershipQueries
from infrastructure.database.messaging.queries import SqlMessagingQueries
from infrastructure.database.operations.queries import SqlOperationsQueries
from infrastructure.database.operations.settings import SnapshotSettings
from infrastructure.database.partners.queries import SqlPartnerQueries
from infrastructure.database.payouts.earning_queries import SqlEarningQueries
from infrastructure.database.payouts.queries import SqlPayrollQueries
from infrastructure.database.payouts.statements import SqlPayoutStatements
from infrastructure.database.pricing.queries import SqlPricingQueries
from infrastructure.database.privacy.exports import SqlPersonalData
from infrastructure.database.privacy.queries import SqlPrivacyQueries
from infrastructure.database.roles import addresses_from
from infrastructure.database.sales.manifests import SqlManifests
from infrastructure.database.sales.operation_queries import SqlOperationQueries
from infrastructure.database.sales.queries import SqlSalesQueries
from infrastructure.database.sales.vendor_queries import SqlVendorQueries
from infrastructure.database.sales.waiting_queries import SqlWaitingQueries
from infrastructure.database.transaction import Database
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.documents.personal_archive import ZippedArchive
from infrastructure.documents.weasyprint_renderer import ArabicFontMissing, WeasyPrintRenderer
from infrastructure.images.pictures import PillowPictures
from infrastructure.images.qr_codes import DrawnQrCodes
from infrastructure.messaging.email import email_sender_from
from infrastructure.messaging.mail_templates import JinjaMailTemplates
from infrastructure.messaging.push import push_sender_from
from infrastructure.messaging.sms import sms_sender_from
from infrastructure.messaging.suppression import SparingEmailSender
from infrastructure.payment.registry import EntryPointGateways, GatewayContext
from infrastructure.payment.sandbox import create_provider
from infrastructure.readiness import ReadinessCheck
from infrastructure.storage.folder_storage import storage_from_url
from security.field_encryption import FernetEncryption
from security.jwt_handler import JwtAccessTokens
from security.keyed_digests import HmacDigests
from security.one_time_codes import TotpCodes
from security.password_handler import BcryptPasswords, Run

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """One process's share of the system; `close` gives back what it holds."""

    settings: Settings
    database: Database
    redis: redis.Redis
    dependencies: Dependencies
    views: RedisViewCounter

    def close(self) -> None:
        self.database.dispose()
        self.redis.close()
        self.views.close()


def bootstrap(
    settings: Settings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    run_hash: Run = lambda work: work(),
    pool_size: int = 10,
) -> Running:
    """Choose every implementation. Nothing is connected to yet; a bad setting raises SettingsError.

    `database` is one that is open already (tests); else its pools have `pool_size` connections each;
    `run_hash` runs password hashing where it does not hold up other requests.
    """
    clock = clock or SystemClock()
    database = database or Database(addresses_from(settings.database_url).app, pool_size=pool_size)
    encryption = FernetEncryption(settings.field_encryption_keys)
    digests = HmacDigests(settings.field_encryption_keys)

    connection = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=5)

    lockout = LockoutPolicy(address_failures=max(2, int(ADDRESS_FAILURES * settings.rate_limit_scale)))

    arm(settings.crash_point)
    unit_of_work = CrashingUnitOfWork if settings.crash_point else SqlUnitOfWork
    withhold_secrets = settings.is_production

    def new_uow() -> SqlUnitOfWork:
        return unit_of_work(
            database,
            encryption=encryption,
            digests=digests,
            new_id=new_id,
            lockout=lockout,
            points_terms=terms,
            withhold_secrets=withhold_secrets,
        )

    def terms() -> PointsTerms:
        return points_terms(system_settings)

    system_settings = SnapshotSettings(database, {HOLD_MINUTES.key: settings.booking_hold_minutes})
    storage = storage_from_url(settings.storage_url)
    pictures, views = PillowPictures(), RedisViewCounter(settings.redis_url)
    payments = GatewayContext(settings=settings, clock=clock, database=database)
    gateways = _gateways(payments)
    dependencies = Dependencies(
        clock=clock,
        new_id=new_id,
        new_uow=new_uow,
        queries=_queries(database, encryption),
        idempotency=SqlIdempotency(database, clock, encryption),
        gateways=gateways,
        offered_methods=OfferedMethods(gateways, clock=clock),
        returns=ReturnPage(settings.backend_url, digests),
        app_addresses=AppAddresses.of(settings.app_link_hosts),
        app_links=AppLinks(settings.apple_app_ids, settings.android_apps),
        slip_desk=SlipDesk(pictures=pictures, storage=storage),
        image_desk=ImageDesk(pictures=pictures, storage=storage),
        document_desk=DocumentDesk(pictures=pictures, storage=storage),
        views=views,
        item_statistics=SqlItemStatistics(database),
        qr_codes=DrawnQrCodes(),
        passwords=BcryptPasswords(settings.bcrypt_cost, run_hash),
        tokens=JwtAccessTokens(settings.jwt_signing_keys, RoleGrants(database).permissions_of),
        one_time_codes=TotpCodes(encryption),
        digests=digests,
        documents=SqlInvoiceDocuments(database),
        renderer=_RendererOnFirstUse(),
        storage=storage,
        exporting=Exporting(
            reader=SqlPersonalData(database, encryption),
            archive=ZippedArchive(),
            storage=storage,
            encryption=encryption,
        ),
        email=SparingEmailSender(email_sender_from(settings, clock), database, clock),
        mail_templates=JinjaMailTemplates(),
        sms=sms_sender_from(settings, clock),
        push=push_sender_from(settings, clock),
        readiness=ReadinessCheck(database, connection),
        public_url=settings.backend_url,
        live=settings.is_production,
        system_settings=system_settings,
        ledger_totals=SqlLedgerTotals(database),
        statements=SqlStatements(database),
        payout_statements=SqlPayoutStatements(database),
        manifests=SqlManifests(database, encryption),
        sandbox=create_provider(payments) if "sandbox" in settings.payment_gateways else None,
    )
    return Running(settings, database, connection, dependencies, views)


def _gateways(context: GatewayContext) -> Gateways:
    gateways = EntryPointGateways(context)
    return CrashingGateways(gateways) if context.settings.crash_point else gateways


def _queries(database: Database, encryption: Encryption) -> Queries:
    """Every context's reads."""
    return Queries(
        identity=SqlIdentityQueries(database),
        access=SqlAccessQueries(database),
        membership=SqlMembershipQueries(database),
        catalogue=SqlCatalogueQueries(database),
        activities=SqlActivityQueries(database),
        departures=SqlDepartureQueries(database),
        calendars=SqlCalendarQueries(database),
        pricing=SqlPricingQueries(database),
        ratings=SqlRatingQueries(database),
        sales=SqlSalesQueries(database),
        vendors=SqlVendorQueries(database),
        waiting=SqlWaitingQueries(database),
        departure_operations=SqlOperationQueries(database),
        billing=SqlBillingQueries(database),
        manual=SqlManualQueries(database),
        attention=SqlAttentionQueries(database),
        late_money=SqlLateMoneyQueries(database),
        ledger=SqlLedgerQueries(database),
        cashback=SqlCashbackQueries(database),
        earnings=SqlEarningQueries(database),
        points=SqlPointsQueries(database),
        wallets=SqlWalletQueries(database),
        wallet_requests=SqlWalletRequestQueries(database, encryption),
        payroll=SqlPayrollQueries(database),
        books=SqlBooksQueries(database),
        reconciliations=SqlReconciliationQueries(database),
        partners=SqlPartnerQueries(database),
        messaging=SqlMessagingQueries(database),
        operations=SqlOperationsQueries(database),
        privacy=SqlPrivacyQueries(database),
    )


class _RendererOnFirstUse:
    """Only workers draw: a web process neither loads WeasyPrint nor needs an Arabic font."""

    @cached_property
    def _renderer(self) -> WeasyPrintRenderer:
        return WeasyPrintRenderer()

    def prepare(self) -> None:
        """Where there is no font, whoever wants something drawn is told so; other work goes on."""
        try:
            self._renderer.rehearse()
        except ArabicFontMissing as missing:
            log.warning("documents_cannot_be_drawn", reason=str(missing))

    def invoice(self, document: InvoiceDocument, language: str) -> bytes:
        return self._renderer.invoice(document, language)

    def statement(self, document: StatementDocument, language: str) -> bytes:
        return self._renderer.statement(document, language)

    def payout_statement(self, document: PayoutStatementDocument, language: str) -> bytes:
        return self._renderer.payout_statement(document, language)

    def manifest(self, document: ManifestDocument, language: str) -> bytes:
        return self._renderer.manifest(document, language)
