"""Who is told of which event: one table. Texts stand in `tellings/`, ways by kind in `domain/messaging/channels.py`.

To tell of another event: a function in `tellings/<word>.py` that writes its Message, and one line here.
Mails that carry secrets (links, codes) are no messages of this table: `identity/handlers.py` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from application.messaging.telling import Telling
from application.messaging.tellings import (
    bookings,
    items,
    memberships,
    offers,
    partners,
    payments,
    payouts,
    refunds,
    rewards,
    waiting,
    wallet,
)
from domain.billing.late_money import LateMoneyOffered
from domain.billing.payments import PaymentSettled
from domain.billing.refunds import RefundFailed, RefundFound, RefundSucceeded
from domain.billing.suspense import SuspenseCredited
from domain.catalogue.item_events import ItemApproved, ItemRejected
from domain.ledger.adjustments import WalletAdjusted
from domain.ledger.cashback import CashbackCancelled, CashbackClawedBack, CashbackCredited
from domain.ledger.points import PointsEarned, PointsExpired, PointsExpiring
from domain.ledger.withdrawals import (
    WithdrawalApproved,
    WithdrawalPaid,
    WithdrawalRejected,
    WithdrawalRequested,
    WithdrawalReturned,
)
from domain.membership.memberships import MembershipActivated
from domain.partners.events import (
    BankAccountChanged,
    PartnerApproved,
    PartnerRefused,
    PartnerReinstated,
    PartnerSuspended,
    PayoutMethodChanged,
)
from domain.payouts.earnings import EarningAccrued, EarningReversed
from domain.payouts.payouts import PayoutFailed, PayoutPaid, PayoutSent
from domain.pricing.vouchers import VoucherAssigned
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
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue
from domain.sales.waiting import SeatOfferLapsed, SeatsOffered, WaitingEnded

TOLD: Final[Mapping[str, Telling]] = {
    BookingRequested.name: Telling("sales.notify_booking_requested", bookings.requested),
    RequestLapsed.name: Telling("sales.notify_request_lapsed", bookings.request_lapsed),
    BookingPriced.name: Telling("sales.notify_booking_priced", bookings.priced, "sales.mail_booking_priced"),
    BookingConfirmed.name: Telling(
        "messaging.notify_booking_confirmed", bookings.confirmed, "messaging.mail_booking_confirmed"
    ),
    BookingExpired.name: Telling(
        "messaging.notify_booking_expired", bookings.expired, "messaging.mail_booking_expired"
    ),
    BookingCancelled.name: Telling(
        "messaging.notify_booking_cancelled", bookings.cancelled, "messaging.mail_booking_cancelled"
    ),
    BookingMoved.name: Telling("sales.notify_booking_moved", bookings.moved, "sales.mail_booking_moved"),
    BookingReplaced.name: Telling("sales.notify_booking_replaced", bookings.replaced, "sales.mail_booking_replaced"),
    BookingAmended.name: Telling("sales.notify_booking_amended", bookings.amended, "sales.mail_booking_amended"),
    AmendmentAwaitsPayment.name: Telling("sales.notify_amendment_awaits_payment", bookings.amendment_awaits_payment),
    AmendmentCalledOff.name: Telling("sales.notify_amendment_called_off", bookings.amendment_called_off),
    AmendmentLapsed.name: Telling("sales.notify_amendment_lapsed", bookings.amendment_lapsed),
    SeatsOffered.name: Telling("sales.notify_seats_offered", waiting.seats_offered, "sales.mail_seats_offered"),
    SeatOfferLapsed.name: Telling("sales.notify_seat_offer_lapsed", waiting.offer_lapsed),
    WaitingEnded.name: Telling("sales.notify_waiting_ended", waiting.ended, "sales.mail_waiting_ended"),
    PaymentSettled.name: Telling("messaging.notify_payment", payments.received, "messaging.mail_payment"),
    PaymentReminderDue.name: Telling("messaging.notify_instalment_due", payments.due, "messaging.mail_instalment_due"),
    InstalmentOverdue.name: Telling(
        "messaging.notify_instalment_overdue", payments.overdue, "messaging.mail_instalment_overdue"
    ),
    LateMoneyOffered.name: Telling("sales.notify_late_money", payments.came_too_late, "sales.mail_late_money"),
    RefundFound.name: Telling("billing.notify_refund_found", refunds.found),
    RefundSucceeded.name: Telling(
        "billing.notify_refund_succeeded", refunds.succeeded, "billing.mail_refund_succeeded"
    ),
    RefundFailed.name: Telling("billing.notify_refund_failed", refunds.failed, "billing.mail_refund_failed"),
    BookingCompleted.name: Telling("messaging.notify_cashback", rewards.cashback_promised, "messaging.mail_cashback"),
    CashbackCredited.name: Telling(
        "messaging.notify_cashback_credited", rewards.cashback_credited, "messaging.mail_cashback_credited"
    ),
    CashbackCancelled.name: Telling("messaging.notify_cashback_cancelled", rewards.cashback_cancelled),
    CashbackClawedBack.name: Telling("messaging.notify_cashback_clawed_back", rewards.cashback_clawed_back),
    PointsEarned.name: Telling("messaging.notify_points_earned", rewards.points_earned),
    PointsExpired.name: Telling("messaging.notify_points_expired", rewards.points_expired),
    PointsExpiring.name: Telling(
        "messaging.notify_points_expiring", rewards.points_expiring, "messaging.mail_points_expiring"
    ),
    WithdrawalRequested.name: Telling(
        "ledger.notify_withdrawal_requested", wallet.withdrawal_requested, "ledger.mail_withdrawal_requested"
    ),
    WithdrawalApproved.name: Telling("ledger.notify_withdrawal_approved", wallet.withdrawal_approved),
    WithdrawalRejected.name: Telling(
        "ledger.notify_withdrawal_rejected", wallet.withdrawal_rejected, "ledger.mail_withdrawal_rejected"
    ),
    WithdrawalPaid.name: Telling(
        "ledger.notify_withdrawal_paid", wallet.withdrawal_paid, "ledger.mail_withdrawal_paid"
    ),
    WithdrawalReturned.name: Telling(
        "ledger.notify_withdrawal_returned", wallet.withdrawal_returned, "ledger.mail_withdrawal_returned"
    ),
    WalletAdjusted.name: Telling("ledger.notify_adjustment", wallet.adjusted),
    SuspenseCredited.name: Telling("billing.notify_suspense_credited", wallet.credited_from_suspense),
    MembershipActivated.name: Telling("messaging.tell_membership_activated", memberships.activated),
    VoucherAssigned.name: Telling("messaging.tell_voucher_assigned", offers.voucher_assigned),
    ItemApproved.name: Telling("catalogue.notify_item_approved", items.approved),
    ItemRejected.name: Telling("catalogue.notify_item_rejected", items.rejected),
    PartnerApproved.name: Telling("partners.tell_approved", partners.approved),
    PartnerRefused.name: Telling("partners.tell_refused", partners.refused),
    PartnerSuspended.name: Telling("partners.tell_suspended", partners.suspended),
    PartnerReinstated.name: Telling("partners.tell_reinstated", partners.reinstated),
    BankAccountChanged.name: Telling("partners.tell_bank_account_changed", partners.payout_details_changed),
    PayoutMethodChanged.name: Telling("partners.tell_payout_method_changed", partners.payout_details_changed),
    EarningAccrued.name: Telling("payouts.tell_earned", payouts.earned),
    EarningReversed.name: Telling("payouts.tell_taken_back", payouts.taken_back),
    PayoutSent.name: Telling("payouts.tell_sent", payouts.sent),
    PayoutPaid.name: Telling("payouts.tell_paid", payouts.paid),
    PayoutFailed.name: Telling("payouts.tell_failed", payouts.failed),
}
