"""What people find in their mailbox and on their telephone: the development folders of an installation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Mail:
    """One mail: its recipient, its subject, its plain text, and its files by name."""

    to: str
    subject: str
    text: str
    files: Mapping[str, bytes]

    @property
    def token(self) -> str:
        """The token of the one link in it."""
        (link,) = (word for word in self.text.split() if "token=" in word)
        return parse_qs(urlsplit(link).query)["token"][0]


def mails_to(email: str, home: Path) -> list[Mail]:
    """The mails to an address, oldest first."""
    read = [message_from_bytes(path.read_bytes(), policy=mail_policy) for path in sorted(home.rglob("*.eml"))]
    return [_mail(message) for message in read if isinstance(message, EmailMessage) and email in str(message["To"])]


def _mail(message: EmailMessage) -> Mail:
    body = message.get_body(("plain",))
    assert body is not None
    files = {str(part.get_filename()): part.get_payload(decode=True) for part in message.iter_attachments()}
    return Mail(to=str(message["To"]), subject=str(message["Subject"]), text=body.get_content(), files=files)


def texts(home: Path) -> list[tuple[str, str]]:
    """Number and text of every short message, oldest first."""
    written = [path.read_text("utf-8").partition("\n\n") for path in sorted((home / "sms").glob("*.txt"))]
    return [(to.removeprefix("To: "), text) for to, _, text in written]


def code_in(text: str) -> str:
    """The one code of six digits in a message."""
    (code,) = re.findall(r"\b\d{6}\b", text)
    return str(code)
