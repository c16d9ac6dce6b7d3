"""Handlers of the release before, which showed and mailed apart what `told.py` says at once.

No new event is handed to them. What that release's relays handed over is worked off, by its workers or by ours;
this module can go with the release after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.billing.late_money import LateMoneyOffered
from domain.billing.payments import PaymentSettled
from domain.billing.refunds import RefundFailed, RefundFound, RefundSucceeded
from domain.billing.suspense import SuspenseCredited
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
from domain.sales.amendments import AmendmentAwaitsPayment, AmendmentLapsed, BookingAmended
from domain.sales.booking_events import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingMoved,
    BookingPriced,
    BookingReplaced,
    BookingRequested,
)
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue
from domain.sales.waiting import SeatOfferLapsed, SeatsOffered, WaitingEnded

SHOWN_AS: Final[Mapping[str, str]] = {
    BookingRequested.name: "sales.notify_booking_requested",
    BookingPriced.name: "sales.notify_booking_priced",
    BookingConfirmed.name: "messaging.notify_booking_confirmed",
    BookingExpired.name: "messaging.notify_booking_expired",
    BookingCancelled.name: "messaging.notify_booking_cancelled",
    BookingMoved.name: "sales.notify_booking_moved",
    BookingReplaced.name: "sales.notify_booking_replaced",
    BookingAmended.name: "sales.notify_booking_amended",
    AmendmentAwaitsPayment.name: "sales.notify_amendment_awaits_payment",
    AmendmentLapsed.name: "sales.notify_amendment_lapsed",
    SeatsOffered.name: "sales.notify_seats_offered",
    SeatOfferLapsed.name: "sales.notify_seat_offer_lapsed",
    WaitingEnded.name: "sales.notify_waiting_ended",
    PaymentSettled.name: "messaging.notify_payment",
    PaymentReminderDue.name: "messaging.notify_instalment_due",
    InstalmentOverdue.name: "messaging.notify_instalment_overdue",
    LateMoneyOffered.name: "sales.notify_late_money",
    RefundFound.name: "billing.notify_refund_found",
    RefundSucceeded.name: "billing.notify_refund_succeeded",
    RefundFailed.name: "billing.notify_refund_failed",
    BookingCompleted.name: "messaging.notify_cashback",
    CashbackCredited.name: "messaging.notify_cashback_credited",
    CashbackCancelled.name: "messaging.notify_cashback_cancelled",
    CashbackClawedBack.name: "messaging.notify_cashback_clawed_back",
    PointsEarned.name: "messaging.notify_points_earned",
    PointsExpired.name: "messaging.notify_points_expired",
    PointsExpiring.name: "messaging.notify_points_expiring",
    WithdrawalRequested.name: "ledger.notify_withdrawal_requested",
    WithdrawalApproved.name: "ledger.notify_withdrawal_approved",
    WithdrawalRejected.name: "ledger.notify_withdrawal_rejected",
    WithdrawalPaid.name: "ledger.notify_withdrawal_paid",
    WithdrawalReturned.name: "ledger.notify_withdrawal_returned",
    WalletAdjusted.name: "ledger.notify_adjustment",
    SuspenseCredited.name: "billing.notify_suspense_credited",
}
"""In the app alone."""

MAILED_AS: Final[Mapping[str, str]] = {
    BookingPriced.name: "sales.mail_booking_priced",
    BookingConfirmed.name: "messaging.mail_booking_confirmed",
    BookingExpired.name: "messaging.mail_booking_expired",
    BookingCancelled.name: "messaging.mail_booking_cancelled",
    BookingMoved.name: "sales.mail_booking_moved",
    BookingReplaced.name: "sales.mail_booking_replaced",
    BookingAmended.name: "sales.mail_booking_amended",
    SeatsOffered.name: "sales.mail_seats_offered",
    WaitingEnded.name: "sales.mail_waiting_ended",
    PaymentSettled.name: "messaging.mail_payment",
    PaymentReminderDue.name: "messaging.mail_instalment_due",
    InstalmentOverdue.name: "messaging.mail_instalment_overdue",
    LateMoneyOffered.name: "sales.mail_late_money",
    RefundSucceeded.name: "billing.mail_refund_succeeded",
    RefundFailed.name: "billing.mail_refund_failed",
    BookingCompleted.name: "messaging.mail_cashback",
    CashbackCredited.name: "messaging.mail_cashback_credited",
    PointsExpiring.name: "messaging.mail_points_expiring",
    WithdrawalRequested.name: "ledger.mail_withdrawal_requested",
    WithdrawalRejected.name: "ledger.mail_withdrawal_rejected",
    WithdrawalPaid.name: "ledger.mail_withdrawal_paid",
    WithdrawalReturned.name: "ledger.mail_withdrawal_returned",
}
"""By mail alone."""
