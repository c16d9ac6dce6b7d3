"""Everything that entry points hand to use cases; built once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from application.billing.invoices import InvoiceDocuments
from application.billing.manual_ports import QrCodes
from application.billing.methods import OfferedMethods
from application.billing.ports import DocumentRenderer, Gateways, ObjectStorage
from application.billing.returns import AppAddresses, ReturnPage
from application.billing.sandbox import SandboxProvider
from application.billing.slips import SlipDesk
from application.catalogue.images import ImageDesk
from application.catalogue.ports import ItemStatistics, ViewCounter
from application.identity.ports import AccessTokens, KeyedDigests, OneTimeCodes, PasswordHasher
from application.ledger.books_ports import Statements
from application.ledger.books_queries import LedgerTotals
from application.messaging.ports import EmailSender, MailTemplates, PushSender, SmsSender
from application.operations.ports import SystemSettings
from application.partners.documents import DocumentDesk
from application.payouts.statement_ports import PayoutStatements
from application.ports import Idempotency, NewUnitOfWork
from application.privacy.exports import Exporting
from application.queries import Queries
from application.sales.manifest_ports import Manifests
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served, and each check's word."""

    is_ready: bool
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AppLinks:
    """Which apps open our return page themselves: `TEAM.bundle` ids, and packages with their certificates' SHA-256."""

    apple: tuple[str, ...] = ()
    android: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The ports, chosen. `live` is whether real money is taken; `public_url` has no slash at its end.

    `sandbox` is the provider behind the sandbox's page, None where it is not enabled.
    `sms` is None where nobody delivers messages: production without an account at a provider; so is `push`,
    wherever no service account is set.
    """

    clock: Clock
    new_id: NewId
    new_uow: NewUnitOfWork
    queries: Queries
    idempotency: Idempotency
    gateways: Gateways
    offered_methods: OfferedMethods
    returns: ReturnPage
    app_addresses: AppAddresses
    app_links: AppLinks
    slip_desk: SlipDesk
    image_desk: ImageDesk
    document_desk: DocumentDesk
    views: ViewCounter
    item_statistics: ItemStatistics
    qr_codes: QrCodes
    passwords: PasswordHasher
    tokens: AccessTokens
    one_time_codes: OneTimeCodes
    digests: KeyedDigests
    documents: InvoiceDocuments
    renderer: DocumentRenderer
    storage: ObjectStorage
    exporting: Exporting
    email: EmailSender
    mail_templates: MailTemplates
    sms: SmsSender | None
    push: PushSender | None
    readiness: Callable[[], Readiness]
    public_url: str
    live: bool
    system_settings: SystemSettings
    ledger_totals: LedgerTotals
    statements: Statements
    payout_statements: PayoutStatements
    manifests: Manifests
    sandbox: SandboxProvider | None = None
