"""Which handlers run on which event: one table, read by the relay and the workers.

A transactional handler runs inside the transaction that records it as done, so at-least-once delivery
becomes once. The others speak to the outside between transactions; they are recorded when they return,
and may run again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from application.billing import handlers as billing
from application.catalogue import handlers as catalogue
from application.dependencies import Dependencies
from application.identity import handlers as identity
from application.ledger import handlers as ledger
from application.messaging import handlers as messaging
from application.partners import handlers as partners
from application.payouts import earning_handlers as earnings
from application.payouts import handlers as payouts
from application.privacy import handlers as privacy
from application.sales import handlers as sales
from application.sales import late_money_handlers as late_money
from domain.billing.invoices import InvoiceIssued
from domain.billing.late_money import LateMoneyOffered
from domain.billing.manual import ManualMoneyConfirmed
from domain.billing.payments import MoneySuspended, PaymentSettled, WebhookReceived
from domain.billing.refunds import RefundFailed, RefundFound, RefundRequested, RefundSucceeded
from domain.billing.sandbox import SandboxOutcomeChosen
from domain.billing.suspense import SuspenseCredited
from domain.catalogue.departures import DepartureCancelled, DepartureReopened, SeatsFreed
from domain.catalogue.item_events import ItemApproved, ItemRejected
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
from domain.ledger.adjustments import WalletAdjusted
from domain.ledger.cashback import CashbackCancelled, CashbackClawedBack, CashbackCredited
from domain.ledger.points import PointsEarned, PointsExpired, PointsExpiring
from domain.ledger.statements import StatementRequested
from domain.ledger.withdrawals import (
    WithdrawalApproved,
    WithdrawalPaid,
    WithdrawalRejected,
    WithdrawalRequested,
    WithdrawalReturned,
)
from domain.partners.events import (
    BankAccountChanged,
    PartnerApproved,
    PartnerRefused,
    PartnerReinstated,
    PartnerSuspended,
    PayoutMethodChanged,
)
from domain.payouts.earnings import EarningAccrued, EarningReversed
from domain.payouts.payouts import PayoutDispatched, PayoutFailed, PayoutPaid, PayoutSent
from domain.privacy.erasure import PersonErased
from domain.privacy.exports import ExportRequested
from domain.sales.amendments import AmendmentAwaitsPayment, AmendmentCalledOff, AmendmentLapsed, BookingAmended
from domain.sales.booking_events import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingMoved,
    BookingPriced,
    BookingReplaced,
    BookingRequested,
    RequestLapsed,
)
from domain.sales.departure_operations import OperationOrdered
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue
from domain.sales.manifests import ManifestRequested
from domain.sales.waiting import SeatOfferLapsed, SeatsOffered, WaitingEnded

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


SUBSCRIPTIONS: Final[Mapping[str, tuple[Handler, ...]]] = {
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
    PaymentSettled.name: (
        Handler("billing.issue_invoice", billing.issue_invoice_of_payment),
        Handler("messaging.notify_payment", messaging.notify_payment),
        Handler("messaging.mail_payment", messaging.mail_payment, transactional=False),
    ),
    MoneySuspended.name: (Handler("sales.rebook_late_money", late_money.rebook_late_money, transactional=False),),
    LateMoneyOffered.name: (
        Handler("sales.notify_late_money", late_money.notify_late_money),
        Handler("sales.mail_late_money", late_money.mail_late_money, transactional=False),
    ),
    BookingReplaced.name: (
        Handler("sales.notify_booking_replaced", late_money.notify_booking_replaced),
        Handler("sales.mail_booking_replaced", late_money.mail_booking_replaced, transactional=False),
    ),
    SuspenseCredited.name: (Handler("billing.notify_suspense_credited", billing.notify_suspense_credited),),
    RefundRequested.name: (Handler("billing.submit_refund", billing.submit_requested_refund, transactional=False),),
    RefundFound.name: (Handler("billing.notify_refund_found", billing.notify_refund_found),),
    RefundSucceeded.name: (
        Handler("billing.issue_credit_note", billing.issue_credit_note_of_refund),
        Handler("billing.notify_refund_succeeded", billing.notify_refund_succeeded),
        Handler("billing.mail_refund_succeeded", billing.mail_refund_succeeded, transactional=False),
    ),
    RefundFailed.name: (
        Handler("billing.notify_refund_failed", billing.notify_refund_failed),
        Handler("billing.mail_refund_failed", billing.mail_refund_failed, transactional=False),
    ),
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
    BookingRequested.name: (Handler("sales.notify_booking_requested", sales.notify_booking_requested),),
    BookingPriced.name: (
        Handler("sales.notify_booking_priced", sales.notify_booking_priced),
        Handler("sales.mail_booking_priced", sales.mail_booking_priced, transactional=False),
    ),
    BookingConfirmed.name: (
        Handler("messaging.notify_booking_confirmed", messaging.notify_booking_confirmed),
        Handler("messaging.mail_booking_confirmed", messaging.mail_booking_confirmed, transactional=False),
    ),
    BookingExpired.name: (
        Handler("messaging.notify_booking_expired", messaging.notify_booking_expired),
        Handler("messaging.mail_booking_expired", messaging.mail_booking_expired, transactional=False),
    ),
    RequestLapsed.name: (Handler("sales.notify_request_lapsed", sales.notify_request_lapsed),),
    BookingCancelled.name: (
        Handler("messaging.notify_booking_cancelled", messaging.notify_booking_cancelled),
        Handler("messaging.mail_booking_cancelled", messaging.mail_booking_cancelled, transactional=False),
    ),
    PaymentReminderDue.name: (
        Handler("messaging.notify_instalment_due", messaging.notify_instalment_due),
        Handler("messaging.mail_instalment_due", messaging.mail_instalment_due, transactional=False),
    ),
    InstalmentOverdue.name: (
        Handler("messaging.notify_instalment_overdue", messaging.notify_instalment_overdue),
        Handler("messaging.mail_instalment_overdue", messaging.mail_instalment_overdue, transactional=False),
    ),
    OperationOrdered.name: (
        Handler("sales.work_off_operation", sales.work_off_operation, queue=DOCUMENTS, transactional=False),
    ),
    BookingMoved.name: (
        Handler("sales.notify_booking_moved", sales.notify_booking_moved),
        Handler("sales.mail_booking_moved", sales.mail_booking_moved, transactional=False),
    ),
    SeatsFreed.name: (Handler("sales.serve_freed", sales.serve_freed, transactional=False),),
    PoolSeatsFreed.name: (Handler("sales.serve_freed_pool", sales.serve_freed_pool, transactional=False),),
    DepartureReopened.name: (Handler("sales.serve_reopened", sales.serve_reopened, transactional=False),),
    DepartureCancelled.name: (Handler("sales.serve_cancelled", sales.serve_cancelled, transactional=False),),
    SeatsOffered.name: (
        Handler("sales.notify_seats_offered", sales.notify_seats_offered),
        Handler("sales.mail_seats_offered", sales.mail_seats_offered, transactional=False),
    ),
    SeatOfferLapsed.name: (Handler("sales.notify_seat_offer_lapsed", sales.notify_seat_offer_lapsed),),
    WaitingEnded.name: (
        Handler("sales.notify_waiting_ended", sales.notify_waiting_ended),
        Handler("sales.mail_waiting_ended", sales.mail_waiting_ended, transactional=False),
    ),
    BookingAmended.name: (
        Handler("sales.notify_booking_amended", sales.notify_booking_amended),
        Handler("sales.mail_booking_amended", sales.mail_booking_amended, transactional=False),
    ),
    AmendmentAwaitsPayment.name: (
        Handler("sales.notify_amendment_awaits_payment", sales.notify_amendment_awaits_payment),
    ),
    AmendmentCalledOff.name: (Handler("sales.notify_amendment_called_off", sales.notify_amendment_called_off),),
    AmendmentLapsed.name: (Handler("sales.notify_amendment_lapsed", sales.notify_amendment_lapsed),),
    BookingCompleted.name: (
        Handler("payouts.earn_completed_booking", earnings.earn_completed_booking),
        Handler("messaging.notify_cashback", messaging.notify_cashback),
        Handler("messaging.mail_cashback", messaging.mail_cashback, transactional=False),
    ),
    EarningAccrued.name: (Handler("payouts.notify_earning_accrued", earnings.notify_earning_accrued),),
    EarningReversed.name: (Handler("payouts.notify_earning_reversed", earnings.notify_earning_reversed),),
    CashbackCredited.name: (
        Handler("messaging.notify_cashback_credited", messaging.notify_cashback_credited),
        Handler("messaging.mail_cashback_credited", messaging.mail_cashback_credited, transactional=False),
    ),
    CashbackCancelled.name: (Handler("messaging.notify_cashback_cancelled", messaging.notify_cashback_cancelled),),
    CashbackClawedBack.name: (Handler("messaging.notify_cashback_clawed_back", messaging.notify_cashback_clawed_back),),
    PointsEarned.name: (Handler("messaging.notify_points_earned", messaging.notify_points_earned),),
    PointsExpired.name: (Handler("messaging.notify_points_expired", messaging.notify_points_expired),),
    PointsExpiring.name: (
        Handler("messaging.notify_points_expiring", messaging.notify_points_expiring),
        Handler("messaging.mail_points_expiring", messaging.mail_points_expiring, transactional=False),
    ),
    ItemApproved.name: (Handler("catalogue.notify_item_approved", catalogue.notify_item_approved),),
    ItemRejected.name: (Handler("catalogue.notify_item_rejected", catalogue.notify_item_rejected),),
    PartnerApproved.name: (
        Handler("partners.notify_partner_approved", partners.notify_partner_approved),
        Handler("partners.mail_partner_approved", partners.mail_partner_approved, transactional=False),
    ),
    PartnerRefused.name: (
        Handler("partners.notify_partner_refused", partners.notify_partner_refused),
        Handler("partners.mail_partner_refused", partners.mail_partner_refused, transactional=False),
    ),
    PartnerSuspended.name: (
        Handler("partners.notify_partner_suspended", partners.notify_partner_suspended),
        Handler("partners.mail_partner_suspended", partners.mail_partner_suspended, transactional=False),
    ),
    PartnerReinstated.name: (
        Handler("partners.notify_partner_reinstated", partners.notify_partner_reinstated),
        Handler("partners.mail_partner_reinstated", partners.mail_partner_reinstated, transactional=False),
    ),
    BankAccountChanged.name: (
        Handler("partners.notify_bank_account_changed", partners.notify_bank_account_changed),
        Handler("partners.mail_bank_account_changed", partners.mail_bank_account_changed, transactional=False),
    ),
    PayoutMethodChanged.name: (
        Handler("partners.notify_payout_method_changed", partners.notify_payout_method_changed),
        Handler("partners.mail_payout_method_changed", partners.mail_payout_method_changed, transactional=False),
    ),
    WithdrawalRequested.name: (
        Handler("ledger.notify_withdrawal_requested", ledger.notify_withdrawal_requested),
        Handler("ledger.mail_withdrawal_requested", ledger.mail_withdrawal_requested, transactional=False),
    ),
    WithdrawalApproved.name: (Handler("ledger.notify_withdrawal_approved", ledger.notify_withdrawal_approved),),
    WithdrawalRejected.name: (
        Handler("ledger.notify_withdrawal_rejected", ledger.notify_withdrawal_rejected),
        Handler("ledger.mail_withdrawal_rejected", ledger.mail_withdrawal_rejected, transactional=False),
    ),
    WithdrawalPaid.name: (
        Handler("ledger.notify_withdrawal_paid", ledger.notify_withdrawal_paid),
        Handler("ledger.mail_withdrawal_paid", ledger.mail_withdrawal_paid, transactional=False),
    ),
    WithdrawalReturned.name: (
        Handler("ledger.notify_withdrawal_returned", ledger.notify_withdrawal_returned),
        Handler("ledger.mail_withdrawal_returned", ledger.mail_withdrawal_returned, transactional=False),
    ),
    WalletAdjusted.name: (Handler("ledger.notify_adjustment", ledger.notify_adjustment),),
    PayoutDispatched.name: (
        Handler("payouts.send_payout", payouts.send_dispatched_payout, queue=DOCUMENTS, transactional=False),
    ),
    PayoutSent.name: (
        Handler("payouts.notify_payout_sent", payouts.notify_payout_sent),
        Handler("payouts.mail_payout_sent", payouts.mail_payout_sent, transactional=False),
    ),
    PayoutPaid.name: (
        Handler("payouts.notify_payout_paid", payouts.notify_payout_paid),
        Handler("payouts.mail_payout_paid", payouts.mail_payout_paid, transactional=False),
    ),
    PayoutFailed.name: (
        Handler("payouts.notify_payout_failed", payouts.notify_payout_failed),
        Handler("payouts.mail_payout_failed", payouts.mail_payout_failed, transactional=False),
    ),
}

HANDLERS: Final[Mapping[str, Handler]] = {
    handler.name: handler for handlers in SUBSCRIPTIONS.values() for handler in handlers
}
