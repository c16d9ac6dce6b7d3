"""What messaging needs from outside: mails written from templates, and somebody who sends them and short texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from domain.shared.email import Email
from domain.shared.errors import InvalidValue, RuleBroken, Unavailable
from domain.shared.phone import Phone

# RFC 5322 §3.6.4, without the obsolete forms.
_MESSAGE_ID: Final = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120}@[A-Za-z0-9.-]{1,120}>")
_LINE_ENDS: Final = frozenset({"Cc", "Zl", "Zp"})
_UNSEEN: Final = _LINE_ENDS | {"Cf", "Cs", "Co", "Cn"}
_PATH: Final = re.compile(r"[/\\]|^\s*\.")
_FILE_TYPE: Final = re.compile(r"(application|image|text)/[a-z0-9][a-z0-9.+-]{0,100}")

LONGEST_FILE_NAME: Final = 120
MOST_ATTACHED: Final = 10 * 1024 * 1024
"""Bytes; a third more as a mail carries them, which is still less than servers are known to refuse."""


class MailUnavailable(Unavailable):
    """The server cannot be reached, or took nothing; the same mail may be sent again later."""

    code = "mail_unavailable"


class MailRefused(RuleBroken):
    """The server will never take this mail; to send it again is useless."""

    code = "mail_refused"


class RecipientRefused(MailRefused):
    """The server says for good that nobody can be reached at this address."""

    code = "recipient_refused"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail, under a name in any language.

    Raises InvalidValue for a name that is empty, longer than 120 characters, a path, hidden, or has characters that
    cannot be seen (line ends, and signs of direction that let `fdp.exe` be read as `exe.pdf`); for a content type
    that is not `application/…`, `image/…` or `text/…`; and for a file that is empty.
    """

    name: str
    content_type: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        is_plain = all(unicodedata.category(each) not in _UNSEEN for each in self.name)
        if not is_plain or not 0 < len(self.name.strip()) <= LONGEST_FILE_NAME or _PATH.search(self.name):
            raise InvalidValue("a file's name is one short word or some", code="invalid_file_name")
        if not _FILE_TYPE.fullmatch(self.content_type):
            raise InvalidValue("a file has a plain content type", code="invalid_content_type")
        if not self.content:
            raise InvalidValue("a file is not empty", code="empty_file")


@dataclass(frozen=True, slots=True)
class EmailMessage:
    """One mail to one person, in text and HTML that say the same.

    Raises InvalidValue for a recipient that is no single address, a `message_id` that is not
    `<something@somewhere>`, a language other than `ar` and `en`, for control characters or line ends
    in any of these or in the subject (nobody's name can add a header), and for attachments of more than
    MOST_ATTACHED bytes together.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    """Ours, made once for each mail: the same when it is sent again, so that mail servers see one mail."""
    language: str
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        for name in ("to", "subject", "message_id", "language"):
            if any(unicodedata.category(each) in _LINE_ENDS for each in getattr(self, name)):
                raise InvalidValue(f"{name} has a control character", code="header_injection")
        Email(self.to)
        if not self.subject.strip():
            raise InvalidValue("a mail has a subject", code="empty_subject")
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise InvalidValue("a message id is <something@somewhere>", code="invalid_message_id")
        if self.language not in ("ar", "en"):
            raise InvalidValue("mails are written in ar or en", code="unknown_language")
        if sum(len(each.content) for each in self.attachments) > MOST_ATTACHED:
            raise InvalidValue("its files are too large for a mail", code="mail_too_large")


class EmailSender(Protocol):
    """Hands mails to whatever delivers them.

    Called outside every transaction and lock, after what the mail says is committed. Returning means that
    the mail was accepted, not that it arrived. MailUnavailable may be answered by sending the very same
    message again; the mail may then arrive twice, where only the server's answer was lost. MailRefused,
    and its RecipientRefused, are final. Nothing else is raised.
    """

    def send(self, message: EmailMessage) -> None: ...


class SmsUnavailable(Unavailable):
    """Nobody delivers messages now; the same one may be sent again later."""

    code = "sms_unavailable"


class SmsRefused(RuleBroken):
    """This number cannot be sent messages; to send it again is useless."""

    code = "sms_refused"


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """One short text to one number in E.164. Raises InvalidValue for anything else, and for an empty text."""

    to: str = field(repr=False)
    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if Phone(self.to).number != self.to:
            raise InvalidValue("a message goes to a number in E.164", pointer="/phone", code="invalid_phone")
        if not self.text.strip():
            raise InvalidValue("a message has a text", code="empty_text")


class SmsSender(Protocol):
    """Hands short messages to whatever delivers them.

    Called outside every transaction and lock, after what the message says is committed. Returning means that
    it was accepted, not that it arrived. SmsUnavailable may be answered by sending again; the message may then
    arrive twice, where only the answer was lost. SmsRefused is final for this number. Nothing else is raised.
    Neither number nor text is logged: the text may be a code.
    """

    def send(self, message: SmsMessage) -> None: ...


class PushUnavailable(Unavailable):
    """Nobody delivers pushes now; the same one may be sent again later."""

    code = "push_unavailable"


class PushRefused(RuleBroken):
    """This push will never be taken; that says nothing of the device."""

    code = "push_refused"


class DeviceGone(PushRefused):
    """The app is not on this device any more, or never was: its token is dead for good."""

    code = "device_gone"


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One push to one device. `facts` are read by the app when it is tapped, and are no secrets."""

    token: str = field(repr=False)
    title: str
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)


class PushSender(Protocol):
    """Hands pushes to whatever delivers them.

    Called outside every transaction and lock. Returning means that the push was accepted, not that it was
    seen. PushUnavailable may be answered by sending again; the push may then arrive twice, where only the
    answer was lost. DeviceGone is raised for what is said of the token alone, never for an outage or for
    trouble with our account; PushRefused is final for this push. Nothing else is raised. Neither token nor
    text is logged.
    """

    def send(self, message: PushMessage) -> None: ...


class MailName(StrEnum):
    """The mails that there are; each one's docstring lists the facts that it needs."""

    VERIFY_EMAIL = "verify_email"
    """first_name, link, code, expires_minutes"""
    ADDRESS_HAS_ACCOUNT = "address_has_account"
    """first_name"""
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a mail's name
    """first_name, link, expires_minutes"""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a mail's name
    """first_name"""
    ACCOUNT_LOCKED = "account_locked"
    """first_name, minutes"""
    BOOKING_CONFIRMED = "booking_confirmed"
    """first_name, booking_number, package_name, starts_on, travelers_count, total"""
    BOOKING_PRICED = "booking_priced"
    """first_name, booking_number, trip_name, starts_on, total, pay_until"""
    PAYMENT_RECEIVED = "payment_received"
    """first_name, payment_number, amount, payable_label"""
    REFUND_SUCCEEDED = "refund_succeeded"
    """first_name, refund_number, payment_number, amount, to_original, to_wallet, points"""
    REFUND_FAILED = "refund_failed"
    """first_name, refund_number, payment_number, amount"""
    INSTALMENT_DUE = "instalment_due"
    """first_name, booking_number, package_name, amount, due_on"""
    INSTALMENT_OVERDUE = "instalment_overdue"
    """first_name, booking_number, package_name, amount, due_on, cancelled_after"""
    BOOKING_EXPIRED = "booking_expired"
    """first_name, booking_number"""
    BOOKING_CANCELLED = "booking_cancelled"
    """first_name, booking_number, refund, to_original, to_wallet, to_voucher_credit, points, kept"""
    BOOKING_MOVED = "booking_moved"
    """first_name, booking_number, trip_name, starts_on, ends_on, reason, free_until (a dash where it is not free)"""
    SEATS_OFFERED = "seats_offered"
    """first_name, item_name, starts_on, seats, until"""
    WAITING_ENDED = "waiting_ended"
    """first_name, item_name, starts_on"""
    BOOKING_REPLACED = "booking_replaced"
    """first_name, booking_number, replaced_number, package_name, starts_on"""
    LATE_MONEY = "late_money"
    """first_name, booking_number, amount, why, choose_until"""
    BOOKING_AMENDED = "booking_amended"
    """first_name, booking_number, trip_name, starts_on, travelers, total, fee, refund"""
    CASHBACK_PENDING = "cashback_pending"
    """first_name, amount, booking_number"""
    CASHBACK_CREDITED = "cashback_credited"
    """first_name, booking_number, amount, to_wallet, repaid"""
    POINTS_EXPIRING = "points_expiring"
    """first_name, points, ends_on"""
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    """first_name, amount, withdrawal_number"""
    WITHDRAWAL_PAID = "withdrawal_paid"
    """first_name, amount, withdrawal_number, bank_reference"""
    WITHDRAWAL_REJECTED = "withdrawal_rejected"
    """first_name, amount, withdrawal_number, reason"""
    WITHDRAWAL_RETURNED = "withdrawal_returned"
    """first_name, amount, withdrawal_number, reason"""
    PAYOUT_SENT = "payout_sent"
    """first_name, amount, payout_number, destination"""
    PAYOUT_PAID = "payout_paid"
    """first_name, amount, payout_number, destination"""
    PAYOUT_FAILED = "payout_failed"
    """first_name, amount, payout_number, destination"""
    SECOND_FACTOR_ON = "second_factor_on"
    """first_name"""
    SECOND_FACTOR_OFF = "second_factor_off"
    """first_name"""
    SECOND_FACTOR_RESET = "second_factor_reset"
    """first_name"""
    RECOVERY_CODE_USED = "recovery_code_used"
    """first_name, left"""
    MEMBERSHIP_ACTIVE = "membership_active"
    """first_name, tier_name, membership_number, valid_until"""
    NOTICE = "notice"
    """first_name, title, message: what has no mail of its own, for readers who chose to have it mailed"""
    INVITATION = "invitation"
    """roles_label, link, expires_on"""
    PARTNER_APPROVED = "partner_approved"
    """first_name, company"""
    PARTNER_REFUSED = "partner_refused"
    """first_name, company, reason"""
    PARTNER_SUSPENDED = "partner_suspended"
    """first_name, company, reason"""
    PARTNER_REINSTATED = "partner_reinstated"
    """first_name, company"""
    PAYOUT_DETAILS_CHANGED = "payout_details_changed"
    """first_name, company, usable_from"""


class MailTemplates(Protocol):
    """Writes mails in the reader's language."""

    def compose(
        self, name: MailName, facts: Mapping[str, object], *, to: str, message_id: str, language: str
    ) -> EmailMessage:
        """The mail of that name in `ar` or `en`.

        Facts are plain values: text, whole numbers, Money (written as `EGP 1,499.00`), dates (written
        with the month's name). They are shown as they are and never read as markup. A fact that is
        missing is a programming error and raises; one that is not needed is left aside.
        """
        ...
