"""Which handlers run on which event: one table, read by the relay and the workers.

A transactional handler runs inside the transaction that records it as done, so at-least-once delivery
becomes once. The others speak to the outside between transactions; they are recorded when they return,
and may run again after a crash. Whom events are told to stands in `application/messaging/told.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from application.billing import handlers as billing
from application.dependencies import Dependencies
from application.identity import handlers as identity
from application.ledger import handlers as ledger
from application.messaging import handlers as messaging
from application.messaging.retired import MAILED_AS, SHOWN_AS
from application.messaging.told import TOLD
from application.payouts import earning_handlers as earnings
from application.payouts import handlers as payouts
from application.privacy import handlers as privacy
from application.sales import handlers as sales
from application.sales import late_money_handlers as late_money
from domain.billing.disputes import DisputeLost
from domain.billing.invoices import InvoiceIssued
from domain.billing.manual import ManualMoneyConfirmed
from domain.billing.payments import MoneySuspended, PaymentSettled, WebhookReceived
from domain.billing.refunds import RefundFailed, RefundPartSucceeded, RefundRequested, RefundSucceeded
from domain.billing.sandbox import SandboxOutcomeChosen
from domain.catalogue.departures import DepartureCancelled, DepartureReopened, SeatsFreed
from domain.catalogue.pools import PoolSeatsFreed
from domain.identity.invitations import InvitationIssued
from domain.identity.phones import PhoneCodeRequested
from domain.identity.second_factor import (
    RecoveryCodeUsed,
    SecondFactorReset,
    SecondFactorSwitchedOff,
    SecondFactorSwitchedOn,
)
from domain.identity.users import (
    AccountLocked,
    PasswordChanged,
    PasswordResetRequested,
    UserRegistered,
    VerificationRequested,
)
from domain.ledger.statements import StatementRequested
from domain.messaging.deliveries import DeliveryPlanned, DeliveryWithFilesPlanned
from domain.payouts.payouts import PayoutDispatched
from domain.payouts.statements import PayoutStatementRequested
from domain.privacy.erasure import PersonErased
from domain.privacy.exports import ExportRequested
from domain.sales.booking_events import BookingCompleted
from domain.sales.departure_operations import OperationOrdered
from domain.sales.manifests import ManifestRequested

QUICK: Final = "quick"
DOCUMENTS: Final = "documents"
QUEUES: Final = (QUICK, DOCUMENTS)

Handle = Callable[[Mapping[str, Any], Dependencies], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """One reaction to one event; `name` is stored with each delivery, so it never changes."""

    name: str
    handle: Handle
    queue: str = QUICK
    transactional: bool = True


_REACTIONS: Final[Mapping[str, tuple[Handler, ...]]] = {
    UserRegistered.name: (Handler("identity.mail_verification", identity.mail_verification, transactional=False),),
    VerificationRequested.name: (
        Handler("identity.mail_verification_again", identity.mail_verification_again, transactional=False),
    ),
    AccountLocked.name: (Handler("identity.mail_account_locked", identity.mail_account_locked, transactional=False),),
    PasswordResetRequested.name: (
        Handler("identity.mail_password_reset", identity.mail_password_reset, transactional=False),
    ),
    PasswordChanged.name: (
        Handler("identity.mail_password_changed", identity.mail_password_changed, transactional=False),
    ),
    SecondFactorSwitchedOn.name: (
        Handler("identity.mail_second_factor_on", identity.mail_second_factor_on, transactional=False),
    ),
    SecondFactorSwitchedOff.name: (
        Handler("identity.mail_second_factor_off", identity.mail_second_factor_off, transactional=False),
    ),
    SecondFactorReset.name: (
        Handler("identity.mail_second_factor_reset", identity.mail_second_factor_reset, transactional=False),
    ),
    RecoveryCodeUsed.name: (
        Handler("identity.mail_recovery_code_used", identity.mail_recovery_code_used, transactional=False),
    ),
    PhoneCodeRequested.name: (Handler("identity.text_phone_code", identity.text_phone_code, transactional=False),),
    InvitationIssued.name: (Handler("identity.mail_invitation", identity.mail_invitation, transactional=False),),
    WebhookReceived.name: (Handler("billing.look_into_webhook", billing.look_into_webhook, transactional=False),),
    PaymentSettled.name: (Handler("billing.issue_invoice", billing.issue_invoice_of_payment),),
    MoneySuspended.name: (Handler("sales.rebook_late_money", late_money.rebook_late_money, transactional=False),),
    RefundRequested.name: (Handler("billing.submit_refund", billing.submit_requested_refund, transactional=False),),
    RefundSucceeded.name: (Handler("billing.issue_credit_note", billing.issue_credit_notes_of_payment),),
    RefundPartSucceeded.name: (Handler("billing.credit_done_part", billing.credit_done_part),),
    RefundFailed.name: (Handler("billing.credit_beside_failed_refund", billing.credit_beside_failed_refund),),
    DisputeLost.name: (Handler("billing.credit_lost_dispute", billing.credit_lost_dispute),),
    InvoiceIssued.name: (
        Handler("billing.draw_invoice", billing.draw_issued_invoice, queue=DOCUMENTS, transactional=False),
    ),
    SandboxOutcomeChosen.name: (
        Handler("billing.send_sandbox_webhook", billing.send_sandbox_webhook, transactional=False),
    ),
    ManualMoneyConfirmed.name: (
        Handler("billing.settle_manual_money", billing.settle_manual_money, transactional=False),
    ),
    ExportRequested.name: (
        Handler("privacy.make_requested_export", privacy.make_requested_export, queue=DOCUMENTS, transactional=False),
    ),
    StatementRequested.name: (
        Handler("ledger.draw_statement", ledger.draw_requested_statement, queue=DOCUMENTS, transactional=False),
    ),
    ManifestRequested.name: (
        Handler("sales.draw_manifest", sales.draw_requested_manifest, queue=DOCUMENTS, transactional=False),
    ),
    PersonErased.name: (
        Handler(
            "billing.draw_invoices_of_erased", billing.draw_invoices_of_erased, queue=DOCUMENTS, transactional=False
        ),
    ),
    OperationOrdered.name: (
        Handler("sales.work_off_operation", sales.work_off_operation, queue=DOCUMENTS, transactional=False),
    ),
    SeatsFreed.name: (Handler("sales.serve_freed", sales.serve_freed, transactional=False),),
    PoolSeatsFreed.name: (Handler("sales.serve_freed_pool", sales.serve_freed_pool, transactional=False),),
    DepartureReopened.name: (Handler("sales.serve_reopened", sales.serve_reopened, transactional=False),),
    DepartureCancelled.name: (Handler("sales.serve_cancelled", sales.serve_cancelled, transactional=False),),
    BookingCompleted.name: (Handler("payouts.earn_completed_booking", earnings.earn_completed_booking),),
    PayoutDispatched.name: (
        Handler("payouts.send_payout", payouts.send_dispatched_payout, queue=DOCUMENTS, transactional=False),
    ),
    PayoutStatementRequested.name: (
        Handler("payouts.draw_statement", payouts.draw_requested_statement, queue=DOCUMENTS, transactional=False),
    ),
    DeliveryPlanned.name: (Handler("messaging.send", messaging.send_planned, transactional=False),),
    DeliveryWithFilesPlanned.name: (
        Handler("messaging.send_with_files", messaging.send_planned_with_files, queue=DOCUMENTS, transactional=False),
    ),
}

_TELLINGS: Final = {event: (Handler(f"messaging.tell.{event}", telling.tell),) for event, telling in TOLD.items()}

SUBSCRIPTIONS: Final[Mapping[str, tuple[Handler, ...]]] = {
    event: (*_REACTIONS.get(event, ()), *_TELLINGS.get(event, ())) for event in {**_REACTIONS, **_TELLINGS}
}

RETIRED: Final = (
    *(Handler(name, TOLD[event].show) for event, name in SHOWN_AS.items()),
    *(Handler(name, TOLD[event].mail) for event, name in MAILED_AS.items()),
)
"""Handlers that get no new event; what is left to them is worked off."""

HANDLERS: Final[Mapping[str, Handler]] = {
    handler.name: handler for handlers in (*SUBSCRIPTIONS.values(), RETIRED) for handler in handlers
}
