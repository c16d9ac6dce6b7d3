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
    BookingRequested.name: Telling(bookings.requested),
    RequestLapsed.name: Telling(bookings.request_lapsed),
    BookingPriced.name: Telling(bookings.priced),
    BookingConfirmed.name: Telling(bookings.confirmed),
    BookingExpired.name: Telling(bookings.expired),
    BookingCancelled.name: Telling(bookings.cancelled),
    BookingMoved.name: Telling(bookings.moved),
    BookingReplaced.name: Telling(bookings.replaced),
    BookingAmended.name: Telling(bookings.amended),
    AmendmentAwaitsPayment.name: Telling(bookings.amendment_awaits_payment),
    AmendmentCalledOff.name: Telling(bookings.amendment_called_off),
    AmendmentLapsed.name: Telling(bookings.amendment_lapsed),
    SeatsOffered.name: Telling(waiting.seats_offered),
    SeatOfferLapsed.name: Telling(waiting.offer_lapsed),
    WaitingEnded.name: Telling(waiting.ended),
    PaymentSettled.name: Telling(payments.received),
    PaymentReminderDue.name: Telling(payments.due),
    InstalmentOverdue.name: Telling(payments.overdue),
    LateMoneyOffered.name: Telling(payments.came_too_late),
    RefundFound.name: Telling(refunds.found),
    RefundSucceeded.name: Telling(refunds.succeeded),
    RefundFailed.name: Telling(refunds.failed),
    BookingCompleted.name: Telling(rewards.cashback_promised),
    CashbackCredited.name: Telling(rewards.cashback_credited),
    CashbackCancelled.name: Telling(rewards.cashback_cancelled),
    CashbackClawedBack.name: Telling(rewards.cashback_clawed_back),
    PointsEarned.name: Telling(rewards.points_earned),
    PointsExpired.name: Telling(rewards.points_expired),
    PointsExpiring.name: Telling(rewards.points_expiring),
    WithdrawalRequested.name: Telling(wallet.withdrawal_requested),
    WithdrawalApproved.name: Telling(wallet.withdrawal_approved),
    WithdrawalRejected.name: Telling(wallet.withdrawal_rejected),
    WithdrawalPaid.name: Telling(wallet.withdrawal_paid),
    WithdrawalReturned.name: Telling(wallet.withdrawal_returned),
    WalletAdjusted.name: Telling(wallet.adjusted),
    SuspenseCredited.name: Telling(wallet.credited_from_suspense),
    MembershipActivated.name: Telling(memberships.activated),
    VoucherAssigned.name: Telling(offers.voucher_assigned),
    ItemApproved.name: Telling(items.approved),
    ItemRejected.name: Telling(items.rejected),
    PartnerApproved.name: Telling(partners.approved),
    PartnerRefused.name: Telling(partners.refused),
    PartnerSuspended.name: Telling(partners.suspended),
    PartnerReinstated.name: Telling(partners.reinstated),
    BankAccountChanged.name: Telling(partners.bank_account_changed),
    PayoutMethodChanged.name: Telling(partners.payout_method_changed),
    EarningAccrued.name: Telling(payouts.earned),
    EarningReversed.name: Telling(payouts.taken_back),
    PayoutSent.name: Telling(payouts.sent),
    PayoutPaid.name: Telling(payouts.paid),
    PayoutFailed.name: Telling(payouts.failed),
}
