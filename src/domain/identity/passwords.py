"""What is asked of passwords beyond their strength."""

from __future__ import annotations

from domain.shared.errors import InvalidValue


class WrongCurrentPassword(InvalidValue):
    """Whoever changes how an account is entered knows its password."""

    code = "wrong_current_password"

    def __init__(self) -> None:
        super().__init__("this is not the current password", pointer="/current_password", code="wrong_password")
