"""E-mail by SMTP, or into a folder where a developer reads it."""

from __future__ import annotations

import contextlib
import email.message
import email.policy
import re
import smtplib
import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from application.messaging.ports import (
    EmailMessage,
    EmailSender,
    MailRefused,
    MailUnavailable,
    RecipientRefused,
)
from config.settings import Settings, SettingsError
from domain.shared.clock import Clock
from infrastructure.storage.atomic_file import write_atomically

TIMEOUT_SECONDS: Final = 10
"""For each step of the conversation."""

# RFC 6409 §3.1 and RFC 8314 §3.3.
_PORTS: Final = {"smtp": 587, "smtps": 465}
# Seven bits, because a server need not take more without saying 8BITMIME (RFC 6152).
_POLICY: Final = email.policy.SMTP.clone(cte_type="7bit")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class SmtpEmailSender:
    """EmailSender over one connection for each mail.

    `smtp_url` is `smtp://` (STARTTLS where the server offers it) or `smtps://` (TLS from the start), with
    user and password percent-encoded. Certificates are checked against `tls`, by default the system's
    authorities. Raises SettingsError for an address that names no server.
    """

    def __init__(self, smtp_url: str, mail_from: str, clock: Clock, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _SmtpServer(smtp_url, tls or ssl.create_default_context())
        self._mail_from = _checked_sender(mail_from)
        self._clock = clock

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail; raises MailUnavailable, MailRefused or RecipientRefused."""
        written = mime_message(message, mail_from=self._mail_from, at=self._clock.now())
        try:
            with self._server.session() as session:
                session.send_message(written, self._envelope_sender(written), [message.to])
        except OSError as error:  # of which smtplib's own exceptions are a kind
            raise _translated(error) from error

    @staticmethod
    def _envelope_sender(written: email.message.EmailMessage) -> str:
        return str(written["From"].addresses[0].addr_spec)


class MailFolderSender:
    """EmailSender that leaves each mail in a folder as a private `.eml` file, named by its time."""

    def __init__(self, folder: Path, mail_from: str, clock: Clock) -> None:
        self._folder = folder
        self._mail_from = _checked_sender(mail_from)
        self._clock = clock

    def send(self, message: EmailMessage) -> None:
        """Write one mail; raises MailUnavailable when the disk refuses."""
        now = self._clock.now()
        written = mime_message(message, mail_from=self._mail_from, at=now)
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{re.sub(r'[^A-Za-z0-9.-]+', '_', message.message_id).strip('_')}.eml"
        try:
            write_atomically(self._folder / name, written.as_bytes())
        except OSError as error:
            raise _translated(error) from error


def email_sender_from(settings: Settings, clock: Clock) -> EmailSender:
    """The server that SMTP_URL names; without one, the folder `mail` in the installation's home."""
    if settings.smtp_url:
        return SmtpEmailSender(settings.smtp_url, settings.mail_from, clock)
    return MailFolderSender(settings.home / "mail", settings.mail_from, clock)


def mime_message(message: EmailMessage, *, mail_from: str, at: datetime) -> email.message.EmailMessage:
    """The mail as RFC 5322 writes it: text, HTML as its alternative, files beside them; `at` is its date."""
    written = email.message.EmailMessage(policy=_POLICY)
    written["From"] = mail_from
    written["To"] = message.to
    written["Subject"] = message.subject
    written["Date"] = at
    written["Message-ID"] = message.message_id
    # RFC 3834 §5: keeps holiday responders from answering.
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(message.text)
    written.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        maintype, _, subtype = attachment.content_type.partition("/")
        written.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=attachment.name)
    # Last, because whatever is called Content-* moves into the part that is being set.
    written["Content-Language"] = message.language
    return written


class _SmtpServer:
    """Where SMTP_URL points, and how to talk to it."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        try:
            self._port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise SettingsError("SMTP_URL is smtp://host:port or smtps://host:port") from None
        if not parts.hostname:
            raise SettingsError("SMTP_URL names no host")
        self._is_tls_from_start = parts.scheme == "smtps"
        self._host = parts.hostname
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        if not (self._user + self._password).isascii():
            raise SettingsError("SMTP_URL: user and password are ASCII (smtplib knows no other)")
        self._tls = tls

    @contextlib.contextmanager
    def session(self) -> Iterator[smtplib.SMTP]:
        """A connection that is encrypted where possible, and logged in where a user is given."""
        connection = self._connection()
        try:
            self._log_in(connection, is_encrypted=self._encrypt(connection))
            yield connection
        finally:
            # The mail is accepted or refused by now: how the goodbye goes changes nothing.
            with contextlib.suppress(OSError):
                connection.quit()
            connection.close()

    def _connection(self) -> smtplib.SMTP:
        if self._is_tls_from_start:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._tls)
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def _encrypt(self, connection: smtplib.SMTP) -> bool:
        if self._is_tls_from_start:
            return True
        connection.ehlo_or_helo_if_needed()
        if not connection.has_extn("starttls"):
            return False
        connection.starttls(context=self._tls)
        return True

    def _log_in(self, connection: smtplib.SMTP, *, is_encrypted: bool) -> None:
        if not self._user:
            return
        if not is_encrypted and self._host not in _LOOPBACK:
            # Whoever strips STARTTLS from the server's greeting must not be told the password.
            raise smtplib.SMTPNotSupportedError("no TLS, and a password is not sent without it")
        connection.login(self._user, self._password)


def _checked_sender(mail_from: str) -> str:
    """Raises SettingsError unless this is one address, with or without a name."""
    header = _POLICY.header_factory("From", mail_from)
    if "\n" in mail_from or "\r" in mail_from or header.defects or len(header.addresses) != 1:
        raise SettingsError("MAIL_FROM is one address, such as AltayarVIP <no-reply@example.com>")
    return mail_from


def _translated(error: OSError) -> MailUnavailable | MailRefused:
    """What an error means for the mail (RFC 5321 §4.2.1: 4yz may pass later, 5yz will not)."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            status, _ = next(iter(error.recipients.values()))
            return RecipientRefused(status=status) if status >= 500 else MailUnavailable(status=status)
        case smtplib.SMTPDataError(smtp_code=int(status)) if status >= 500:
            return MailRefused(status=status)
        case smtplib.SMTPResponseException(smtp_code=status):
            return MailUnavailable(status=status)
        case _:
            return MailUnavailable(reason=type(error).__name__)
