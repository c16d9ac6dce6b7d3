"""What people find in their mailbox and on their telephone: the development folders of an installation."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default as mail_policy
from pathlib import Path


def mails(home: Path, to: str) -> list[tuple[str, str]]:
    """Subject and text of every mail to an address, oldest first."""
    found = [message_from_bytes(path.read_bytes(), policy=mail_policy) for path in sorted(home.rglob("*.eml"))]
    return [(mail["Subject"], _text(mail)) for mail in found if mail["To"] == to]


def _text(mail: object) -> str:
    body = mail.get_body(("plain",))  # type: ignore[attr-defined]
    assert body is not None
    return str(body.get_content())


def texts(home: Path) -> list[tuple[str, str]]:
    """Number and text of every short message, oldest first."""
    written = [path.read_text("utf-8").partition("\n\n") for path in sorted((home / "sms").glob("*.txt"))]
    return [(to.removeprefix("To: "), text) for to, _, text in written]


def code_in(text: str) -> str:
    (code,) = re.findall(r"\b\d{6}\b", text)
    return str(code)
