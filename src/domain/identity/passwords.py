"""What a new password may not be, whoever chooses it."""

from __future__ import annotations

from datetime import timedelta

from domain.shared.email import fold
from domain.shared.errors import InvalidValue

RESET_LIFETIME = timedelta(minutes=30)
RESETS_AN_HOUR = 5
"""More mails than these to one address are not sent; nobody is told."""


class WrongCurrentPassword(InvalidValue):
    """Whoever changes a password knows the one before."""

    code = "wrong_current_password"

    def __init__(self) -> None:
        super().__init__("this is not the current password", pointer="/current_password", code="wrong_password")


class WrongResetToken(InvalidValue):
    """The link to set a new password is unknown, used, replaced by a newer one, or older than half an hour."""

    code = "reset_invalid"

    def __init__(self) -> None:
        super().__init__("the link is unknown, used or expired", pointer="/token", code="reset_invalid")


def refuse_personal_password(
    password: str, *, email: str, first_name: str, last_name: str, pointer: str = "/password"
) -> None:
    """Raise InvalidValue for a password that is one's own address or name: whoever guesses begins there."""
    names = (first_name, last_name)
    personal = {fold(email), fold(email).partition("@")[0], *map(fold, names)}
    for separator in ("", " "):
        personal |= {fold(separator.join(names)), fold(separator.join(reversed(names)))}
    if fold(password) in personal:
        raise InvalidValue("a password is not a name or an address", pointer=pointer, code="personal_password")
