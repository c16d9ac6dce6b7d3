"""Mails: how they are written, what an EmailSender holds to, and what a real server makes of it."""

from __future__ import annotations

import email
import email.message
import email.policy
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from application.messaging.ports import (
    LONGEST_FILE_NAME,
    MOST_ATTACHED,
    Attachment,
    EmailMessage,
    EmailSender,
    MailName,
    MailRefused,
    MailUnavailable,
    RecipientRefused,
)
from config.settings import SettingsError, load_settings
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from infrastructure.messaging.email import (
    MailFolderSender,
    SmtpEmailSender,
    email_sender_from,
    mime_message,
)
from infrastructure.messaging.mail_templates import JinjaMailTemplates
from tests.contract.smtp_server import LOGIN, Inbox, loopback_certificate, smtp_server

MAIL_FROM = "AltayarVIP <no-reply@altayar.test>"
NOW = datetime(2026, 7, 21, 9, 30, 15, 250_000, tzinfo=UTC)


class StoppedClock:
    """Always the same instant."""

    def now(self) -> datetime:
        return NOW


def a_message(**changed: Any) -> EmailMessage:
    message = EmailMessage(
        to="mona@example.com",
        subject="تم تأكيد حجزك BK-2026-000123 ونتمنى لك ولأسرتك الكريمة رحلة سعيدة إلى الأقصر وأسوان",
        text="مرحبًا منى،\n\n.\nسطر يبدأ بنقطة EGP 1,499.00\n",
        html='<p dir="rtl">مرحبًا <b>منى</b> &amp; EGP 1,499.00</p>\n',
        message_id="<0198f3a2-7c11-7b3e-9a55-0123456789ab@altayar.test>",
        language="ar",
    )
    return replace(message, **changed)


def parsed(content: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    assert not message.defects
    return message


def body(message: email.message.EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with smtp_server() as inbox:
        yield inbox


Tls = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """TLS for a server, and for a client that trusts that server alone."""
    return loopback_certificate(tmp_path_factory.mktemp("tls"))


def sender_to(inbox: Inbox, login: str = "", tls: ssl.SSLContext | None = None) -> SmtpEmailSender:
    return SmtpEmailSender(f"smtp://{login}127.0.0.1:{inbox.port}", MAIL_FROM, StoppedClock(), tls=tls)


@pytest.fixture(params=["server", "folder"])
def delivery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[EmailSender, Any]]:
    """Each kind of sender, and a function that gives the mails that came out of it, in order."""
    if request.param == "server":
        with smtp_server() as inbox:
            yield sender_to(inbox), lambda: [envelope.original_content for envelope in inbox.accepted]
    else:
        folder = tmp_path / "home" / "mail"
        sender = MailFolderSender(folder, MAIL_FROM, StoppedClock())
        yield sender, lambda: [file.read_bytes() for file in sorted(folder.glob("*.eml"))]


def test_an_arabic_mail_arrives_as_it_was_written(delivery: tuple[EmailSender, Any]) -> None:
    sender, arrived = delivery
    sender.send(a_message())
    (mail,) = map(parsed, arrived())
    assert mail["Subject"] == a_message().subject
    assert mail["To"] == "mona@example.com"
    assert mail["From"] == MAIL_FROM
    assert mail["Message-ID"] == a_message().message_id
    assert mail["Date"].datetime == NOW.replace(microsecond=0)
    assert mail["Content-Language"] == "ar"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert body(mail, "plain") == a_message().text
    assert body(mail, "html") == a_message().html


def test_headers_travel_in_ascii(delivery: tuple[EmailSender, Any]) -> None:
    sender, arrived = delivery
    sender.send(a_message())
    (content,) = arrived()
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.splitlines())


def test_a_mail_that_is_sent_again_keeps_its_message_id(delivery: tuple[EmailSender, Any]) -> None:
    sender, arrived = delivery
    sender.send(a_message())
    sender.send(a_message())
    assert {parsed(mail)["Message-ID"] for mail in arrived()} == {a_message().message_id}


PDF = b"%PDF-1.7\n" + bytes(range(256)) * 300
CSV = "\ufeffالتاريخ,المبلغ\r\n2026-11-30,.50\r\n.\r\n".encode()


def with_files() -> EmailMessage:
    files = (
        Attachment("كشف المستحقات PO-2026-000123.pdf", "application/pdf", PDF),
        Attachment("payout-PO-2026-000123.csv", "text/csv", CSV),
    )
    return a_message(attachments=files)


def test_files_arrive_byte_for_byte_under_their_names(delivery: tuple[EmailSender, Any]) -> None:
    sender, arrived = delivery
    sender.send(with_files())
    (content,) = arrived()
    mail = parsed(content)
    assert mail.get_content_type() == "multipart/mixed"
    assert (body(mail, "plain"), body(mail, "html")) == (a_message().text, a_message().html)
    assert mail["Content-Language"] == "ar"
    came = [
        (part.get_filename(), part.get_content_type(), part.get_content_disposition(), part.get_payload(decode=True))
        for part in mail.iter_attachments()
    ]
    assert came == [
        ("كشف المستحقات PO-2026-000123.pdf", "application/pdf", "attachment", PDF),
        ("payout-PO-2026-000123.csv", "text/csv", "attachment", CSV),
    ]
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.splitlines())


@given(
    st.text(
        st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="/\\"),
        min_size=1,
        max_size=LONGEST_FILE_NAME,
    ).filter(lambda name: name == name.strip() and not name.startswith("."))
)
def test_every_name_of_a_file_survives_its_encoding(name: str) -> None:
    message = a_message(attachments=(Attachment(name, "application/pdf", b"%PDF"),))
    content = mime_message(message, mail_from=MAIL_FROM, at=NOW).as_bytes()
    (part,) = parsed(content).iter_attachments()
    assert part.get_filename() == name
    assert all(len(line) <= 998 for line in content.splitlines())


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a\r\nBcc: all@example.com", "a\nb.pdf", "a\x00.pdf", "a\u2028.pdf", "../passwd", "..", ".profile",
        "a/b.pdf", "a\\b.pdf", "\u202efdp.exe", "a\u200f.pdf", "\ud800.pdf", "ك" * (LONGEST_FILE_NAME + 1),
    ],
)  # fmt: skip
def test_names_of_files_that_could_do_harm_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        Attachment(name, "application/pdf", PDF)


@pytest.mark.parametrize(
    "kind", ["", "pdf", "multipart/mixed", "message/rfc822", 'text/csv; x="\r\nBcc: a@b.c"', "text/"]
)
def test_content_types_of_files_are_plain(kind: str) -> None:
    with pytest.raises(InvalidValue):
        Attachment("a.pdf", kind, PDF)


def test_files_are_neither_empty_nor_larger_together_than_a_mail_carries() -> None:
    half = Attachment("a.pdf", "application/pdf", b"x" * (MOST_ATTACHED // 2))
    assert len(a_message(attachments=(half, half)).attachments) == 2
    with pytest.raises(InvalidValue):
        a_message(attachments=(half, half, Attachment("b.pdf", "application/pdf", b"x")))
    with pytest.raises(InvalidValue):
        Attachment("a.pdf", "application/pdf", b"")


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=200).map(str.strip))
def test_every_subject_survives_its_encoding(subject: str) -> None:
    if not subject:
        return
    mail = mime_message(a_message(subject=subject), mail_from=MAIL_FROM, at=NOW)
    assert parsed(mail.as_bytes())["Subject"] == subject


def test_a_long_message_id_is_left_in_one_piece() -> None:
    message_id = f"<{'x' * 110}@{'y' * 100}.test>"
    mail = mime_message(a_message(message_id=message_id), mail_from=MAIL_FROM, at=NOW)
    assert f"Message-ID: {message_id}\r\n".encode() in mail.as_bytes()


@pytest.mark.parametrize("field", ["to", "subject", "message_id", "language"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\x85", "\u2028", "\x0b"])
def test_line_ends_in_a_header_are_refused(field: str, end: str) -> None:
    value = getattr(a_message(), field)
    for injected in (f"{value}{end}Bcc: all@example.com", f"{value}{end}"):
        with pytest.raises(InvalidValue):
            a_message(**{field: injected})


@pytest.mark.parametrize(
    "changed",
    [
        {"to": "nobody"},
        {"to": "a@example.com, b@example.com"},
        {"to": "Mona <mona@example.com>"},
        {"subject": " "},
        {"message_id": "no-brackets@altayar.test"},
        {"message_id": "<two words@altayar.test>"},
        {"language": "fr"},
    ],
)
def test_a_message_refuses_what_no_server_should_see(changed: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        a_message(**changed)


def test_the_envelope_names_the_bare_addresses(inbox: Inbox) -> None:
    sender_to(inbox).send(a_message())
    (envelope,) = inbox.accepted
    assert envelope.mail_from == "no-reply@altayar.test"
    assert envelope.rcpt_tos == ["mona@example.com"]


def test_a_server_that_wants_a_login_gets_it_decoded(tls: Tls) -> None:
    user, password = (quote(each, safe="") for each in LOGIN)
    with smtp_server(starttls=tls[0], needs_login=True) as inbox:
        sender_to(inbox, f"{user}:{password}@", tls[1]).send(a_message())
        assert inbox.logins == [LOGIN[0]]
        assert len(inbox.accepted) == 1


@pytest.mark.parametrize("login", ["", "somebody:else@"])
def test_without_the_right_login_nothing_is_sent(login: str, tls: Tls) -> None:
    with smtp_server(starttls=tls[0], needs_login=True) as inbox:
        with pytest.raises(MailUnavailable):
            sender_to(inbox, login, tls[1]).send(a_message())
        assert inbox.accepted == []


def test_tls_is_used_where_the_server_offers_it(tls: Tls) -> None:
    server_tls, client_tls = tls
    with smtp_server(starttls=server_tls) as inbox:
        sender_to(inbox, tls=client_tls).send(a_message())
        assert inbox.encrypted == [True]


def test_a_certificate_that_nobody_vouches_for_gets_no_mail(tls: Tls) -> None:
    server_tls, _ = tls
    with smtp_server(starttls=server_tls) as inbox:
        with pytest.raises(MailUnavailable) as refusal:
            sender_to(inbox).send(a_message())
        assert refusal.value.facts["reason"] == "SSLCertVerificationError"
        assert inbox.accepted == []


def test_a_password_is_sent_in_the_clear_to_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    user, password = (quote(each, safe="") for each in LOGIN)
    with smtp_server(needs_login=True) as inbox:
        sender_to(inbox, f"{user}:{password}@").send(a_message())
        assert inbox.logins == [LOGIN[0]]

        here = socket.getaddrinfo("127.0.0.1", inbox.port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: here)
        elsewhere = f"smtp://{user}:{password}@mail.example:{inbox.port}"
        with pytest.raises(MailUnavailable):
            SmtpEmailSender(elsewhere, MAIL_FROM, StoppedClock()).send(a_message())
        assert inbox.logins == [LOGIN[0]]
        assert len(inbox.accepted) == 1


def test_tls_from_the_start(tls: Tls) -> None:
    server_tls, client_tls = tls
    with smtp_server(from_the_start=server_tls) as inbox:
        SmtpEmailSender(f"smtps://127.0.0.1:{inbox.port}", MAIL_FROM, StoppedClock(), tls=client_tls).send(a_message())
        assert inbox.encrypted == [True]


def test_a_recipient_refused_for_good_is_final(inbox: Inbox) -> None:
    inbox.replies["mona@example.com"] = "550 5.1.1 no such user"
    with pytest.raises(RecipientRefused) as refusal:
        sender_to(inbox).send(a_message())
    assert refusal.value.facts["status"] == 550
    assert inbox.accepted == []


def test_a_recipient_put_off_may_be_tried_again(inbox: Inbox) -> None:
    inbox.replies["mona@example.com"] = "451 4.7.1 greylisted"
    with pytest.raises(MailUnavailable):
        sender_to(inbox).send(a_message())
    inbox.replies.clear()
    sender_to(inbox).send(a_message())
    assert len(inbox.accepted) == 1


def test_content_refused_for_good_is_final_and_says_nothing_of_the_recipient(inbox: Inbox) -> None:
    inbox.content_reply = "554 5.7.1 looks like spam"
    with pytest.raises(MailRefused) as refusal:
        sender_to(inbox).send(a_message())
    assert not isinstance(refusal.value, RecipientRefused)


def test_content_put_off_may_be_tried_again(inbox: Inbox) -> None:
    inbox.content_reply = "452 4.3.1 disk full"
    with pytest.raises(MailUnavailable):
        sender_to(inbox).send(a_message())


def test_no_server_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MailUnavailable):
        SmtpEmailSender(f"smtp://127.0.0.1:{port}", MAIL_FROM, StoppedClock()).send(a_message())


def test_a_server_that_says_nothing_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.messaging.email.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailUnavailable):
        port = silent.getsockname()[1]
        SmtpEmailSender(f"smtp://127.0.0.1:{port}", MAIL_FROM, StoppedClock()).send(a_message())


def test_a_goodbye_that_fails_does_not_make_an_accepted_mail_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        talk = threading.Thread(target=_accept_then_hang_up, args=(listener,))
        talk.start()
        port = listener.getsockname()[1]
        SmtpEmailSender(f"smtp://127.0.0.1:{port}", MAIL_FROM, StoppedClock()).send(a_message())
        talk.join()


def _accept_then_hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as talk:

        def answer(reply: bytes) -> None:
            talk.write(reply + b"\r\n")
            talk.flush()

        answer(b"220 ready")
        for reply in (b"250 hello", b"250 sender", b"250 recipient", b"354 go on"):
            talk.readline()
            answer(reply)
        while talk.readline() != b".\r\n":
            pass
        answer(b"250 taken")


def test_mails_in_a_folder_are_private_and_sorted_by_time(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    MailFolderSender(folder, MAIL_FROM, StoppedClock()).send(a_message())
    (file,) = folder.iterdir()
    assert file.name == ("20260721T093015.250000Z-0198f3a2-7c11-7b3e-9a55-0123456789ab_altayar.test.eml")
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_message_id_cannot_climb_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    MailFolderSender(folder, MAIL_FROM, StoppedClock()).send(a_message(message_id="<../../x@y.z>"))
    assert [file.parent for file in tmp_path.rglob("*.eml")] == [folder]


def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file, not a folder")
    with pytest.raises(MailUnavailable):
        MailFolderSender(tmp_path / "mail", MAIL_FROM, StoppedClock()).send(a_message())


def test_settings_choose_the_server_or_the_folder(tmp_path: Path) -> None:
    without = load_settings({"ENVIRONMENT": "test"}, root=tmp_path)
    with_server = load_settings({"ENVIRONMENT": "test", "SMTP_URL": "smtp://127.0.0.1:25"}, root=tmp_path)
    email_sender_from(without, StoppedClock()).send(a_message())
    assert len(list((without.home / "mail").glob("*.eml"))) == 1
    assert isinstance(email_sender_from(with_server, StoppedClock()), SmtpEmailSender)


@pytest.mark.parametrize("url", ["smtp://", "http://mail.example", "smtp://mail.example:port", "smtp://ü:ü@mail"])
def test_addresses_that_name_no_server_are_refused_at_start(url: str) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        SmtpEmailSender(url, MAIL_FROM, StoppedClock())


@pytest.mark.parametrize("mail_from", ["", "nobody", "a@b.test, c@d.test", "A <a@b.test>\r\nBcc: c@d.test"])
def test_senders_that_are_no_single_address_are_refused_at_start(mail_from: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        MailFolderSender(tmp_path, mail_from, StoppedClock())


FACTS: dict[MailName, dict[str, object]] = {
    MailName.VERIFY_EMAIL: {
        "first_name": "منى",
        "link": "https://altayar.test/verify?token=abc&next=1",
        "code": "482913",
        "expires_minutes": 30,
    },
    MailName.ADDRESS_HAS_ACCOUNT: {"first_name": "Omar"},
    MailName.PASSWORD_RESET: {
        "first_name": "منى",
        "link": "https://altayar.test/reset-password?token=abc&next=1",
        "expires_minutes": 30,
    },
    MailName.PASSWORD_CHANGED: {"first_name": "Omar"},
    MailName.NOTICE: {"first_name": "منى", "title": "نقاط جديدة", "message": "النقاط المكتسبة: 120."},
    MailName.MEMBERSHIP_ACTIVE: {
        "first_name": "Omar",
        "tier_name": "Gold",
        "membership_number": "MB-2026-000001",
        "valid_until": date(2026, 9, 12),
    },
    MailName.ACCOUNT_LOCKED: {"first_name": "منى", "minutes": 15},
    MailName.BOOKING_CONFIRMED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "package_name": "الأقصر وأسوان (5 أيام)",
        "starts_on": date(2026, 9, 12),
        "travelers_count": 3,
        "total": Money.of(149_900, "EGP"),
    },
    MailName.PAYMENT_RECEIVED: {
        "first_name": "Omar",
        "payment_number": "PAY-2026-000456",
        "amount": Money.of(149_900, "EGP"),
        "payable_label": "BK-2026-000123",
    },
    MailName.REFUND_SUCCEEDED: {
        "first_name": "منى",
        "refund_number": "RF-2026-000042",
        "payment_number": "PAY-2026-000456",
        "amount": Money.of(149_900, "EGP"),
        "to_original": Money.of(142_405, "EGP"),
        "to_wallet": Money.of(7_495, "EGP"),
        "points": 250,
    },
    MailName.REFUND_FAILED: {
        "first_name": "Omar",
        "refund_number": "RF-2026-000042",
        "payment_number": "PAY-2026-000456",
        "amount": Money.of(149_900, "EGP"),
    },
    MailName.BOOKING_PRICED: {
        "first_name": "Omar",
        "booking_number": "BK-2026-000123",
        "trip_name": "Hotel in Aswan",
        "starts_on": date(2026, 9, 12),
        "total": Money.of(149_900, "EGP"),
        "pay_until": "2026-11-25 14:00",
    },
    MailName.BOOKING_EXPIRED: {"first_name": "Omar", "booking_number": "BK-2026-000123"},
    MailName.BOOKING_AMENDED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "trip_name": "Hotel in Aswan",
        "starts_on": date(2026, 9, 12),
        "travelers": 3,
        "total": Money.of(149_900, "EGP"),
        "fee": Money.of(0, "EGP"),
        "refund": Money.of(7_495, "EGP"),
    },
    MailName.BOOKING_CANCELLED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "refund": Money.of(149_900, "EGP"),
        "to_original": Money.of(142_405, "EGP"),
        "to_wallet": Money.of(7_495, "EGP"),
        "to_voucher_credit": Money.of(0, "EGP"),
        "points": 250,
        "kept": Money.of(7_495, "EGP"),
        "refunded_before": Money.of(142_405, "EGP"),
    },
    MailName.BOOKING_REPLACED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000124",
        "replaced_number": "BK-2026-000123",
        "package_name": "رحلة نيلية",
        "starts_on": date(2026, 9, 12),
    },
    MailName.LATE_MONEY: {
        "first_name": "Omar",
        "booking_number": "BK-2026-000123",
        "amount": Money.of(149_900, "EGP"),
        "why": "the trip is sold out by now",
        "choose_until": date(2026, 9, 12),
    },
    MailName.PAYOUT_SENT: {
        "first_name": "منى",
        "amount": Money.parse("1499.00", "EGP"),
        "payout_number": "PO-2026-000123",
        "destination": "NBE •••• 0002",
    },
    MailName.PAYOUT_PAID: {
        "first_name": "Omar",
        "amount": Money.parse("1499.00", "EGP"),
        "payout_number": "PO-2026-000123",
        "destination": "Stripe",
    },
    MailName.PAYOUT_FAILED: {
        "first_name": "Omar",
        "amount": Money.parse("1499.00", "EGP"),
        "payout_number": "PO-2026-000123",
        "destination": "NBE •••• 0002",
    },
    MailName.SECOND_FACTOR_ON: {"first_name": "منى"},
    MailName.SECOND_FACTOR_OFF: {"first_name": "منى"},
    MailName.SECOND_FACTOR_RESET: {"first_name": "Omar"},
    MailName.RECOVERY_CODE_USED: {"first_name": "Omar", "left": 9},
    MailName.INVITATION: {
        "roles_label": "Super Admin, مورد",
        "link": "https://altayar.test/invitations/accept?token=abc",
        "expires_on": date(2026, 9, 12),
    },
    MailName.PARTNER_APPROVED: {"first_name": "منى", "company": "Nile Voyages"},
    MailName.PARTNER_REFUSED: {"first_name": "Omar", "company": "Nile Voyages", "reason": "The licence is missing"},
    MailName.PARTNER_SUSPENDED: {"first_name": "Omar", "company": "مكتب سامح", "reason": "Too many complaints"},
    MailName.PARTNER_REINSTATED: {"first_name": "منى", "company": "Nile Voyages"},
    MailName.PAYOUT_DETAILS_CHANGED: {
        "first_name": "Omar",
        "company": "Nile Voyages",
        "usable_from": "2026-12-02 10:00",
    },
    MailName.INSTALMENT_DUE: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "package_name": "رحلة الأقصر",
        "amount": Money.of(149_900, "EGP"),
        "due_on": date(2026, 9, 12),
    },
    MailName.INSTALMENT_OVERDUE: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "package_name": "رحلة الأقصر",
        "amount": Money.of(149_900, "EGP"),
        "due_on": date(2026, 9, 12),
        "cancelled_after": date(2026, 9, 12),
    },
    MailName.BOOKING_MOVED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000042",
        "trip_name": "Nile cruise",
        "starts_on": date(2026, 9, 12),
        "ends_on": date(2026, 9, 15),
        "reason": "The ship is in the dock.",
        "free_until": "2026-09-11 21:30",
    },
    MailName.SEATS_OFFERED: {
        "first_name": "منى",
        "item_name": "Nile cruise",
        "starts_on": date(2026, 9, 12),
        "seats": 3,
        "until": "2026-09-11 21:30",
    },
    MailName.WAITING_ENDED: {"first_name": "منى", "item_name": "رحلة نيلية", "starts_on": date(2026, 9, 12)},
    MailName.POINTS_EXPIRING: {"first_name": "منى", "points": 250, "ends_on": date(2026, 9, 12)},
    MailName.WITHDRAWAL_REQUESTED: {
        "first_name": "منى",
        "amount": Money.of(149_900, "EGP"),
        "withdrawal_number": "WD-2026-000042",
    },
    MailName.WITHDRAWAL_PAID: {
        "first_name": "Omar",
        "amount": Money.of(149_900, "EGP"),
        "withdrawal_number": "WD-2026-000042",
        "bank_reference": "FT26329X1",
    },
    MailName.WITHDRAWAL_REJECTED: {
        "first_name": "Omar",
        "amount": Money.of(7_495, "EGP"),
        "withdrawal_number": "WD-2026-000042",
        "reason": "الحساب باسم شخص آخر",
    },
    MailName.WITHDRAWAL_RETURNED: {
        "first_name": "منى",
        "amount": Money.of(7_495, "EGP"),
        "withdrawal_number": "WD-2026-000042",
        "reason": "Account closed",
    },
    MailName.CASHBACK_PENDING: {
        "first_name": "Omar",
        "booking_number": "BK-2026-000123",
        "amount": Money.of(7_495, "EGP"),
    },
    MailName.CASHBACK_CREDITED: {
        "first_name": "منى",
        "booking_number": "BK-2026-000123",
        "amount": Money.of(149_900, "EGP"),
        "repaid": Money.of(7_495, "EGP"),
        "to_wallet": Money.of(142_405, "EGP"),
    },
}


class _VisibleText(HTMLParser):
    """What a reader of the HTML sees, the tags that carry it, and the links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links.extend(value for name, value in attrs if name in ("href", "src") and value)

    def handle_data(self, data: str) -> None:
        self.text += data


def composed(name: MailName, language: str, **changed: object) -> EmailMessage:
    return JinjaMailTemplates().compose(
        name, {**FACTS[name], **changed}, to="a@example.com", message_id="<1@altayar.test>", language=language
    )


WRITTEN_DATES = {"ar": "12 سبتمبر 2026", "en": "12 September 2026"}


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("name", list(MailName))
def test_every_mail_shows_every_fact_in_text_and_html(name: MailName, language: str) -> None:
    mail = composed(name, language)
    seen = _VisibleText(mail.html)
    for fact, value in FACTS[name].items():
        shown = str(value)
        if isinstance(value, Money):
            shown = {149_900: "EGP 1,499.00", 142_405: "EGP 1,424.05", 7_495: "EGP 74.95", 0: "EGP 0.00"}[value.minor]
        elif isinstance(value, date):
            shown = WRITTEN_DATES[language]
        assert shown in mail.subject + mail.text
        assert shown in (seen.links if fact == "link" else seen.text)
    assert mail.language == language
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in mail.html.split(">")[1]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("name", list(MailName))
def test_a_missing_fact_is_an_error(name: MailName, language: str) -> None:
    for missing in FACTS[name]:
        facts = {fact: value for fact, value in FACTS[name].items() if fact != missing}
        with pytest.raises(UndefinedError, match=missing):
            JinjaMailTemplates().compose(
                name, facts, to="a@example.com", message_id="<1@altayar.test>", language=language
            )


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("name", list(MailName))
def test_markup_in_a_fact_is_shown_and_never_obeyed(name: MailName, language: str) -> None:
    canary = '"><img src=x onerror=alert(1)><script>steal()</script>'
    for fact in FACTS[name]:
        mail = composed(name, language, **{fact: canary})
        seen = _VisibleText(mail.html)
        assert not {"img", "script"} & seen.tags
        assert canary in (seen.links if fact == "link" else seen.text)


def test_a_name_cannot_write_lines_of_its_own() -> None:
    mail = composed(MailName.BOOKING_EXPIRED, "en", first_name="Omar\n\nYou won!\u2069\u202e\r\nBcc: x")
    assert "Hello \u2068Omar You won! Bcc: x\u2069,\n" in mail.text
