"""Who may give which role, and invitations that go one way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identity.invitations import LIFETIME, Invitation, InvitationClosed, InvitationStatus, WrongInvitation
from domain.identity.roles import may_grant
from domain.shared.email import Email
from domain.shared.errors import InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON

ROLES = ("SUPER_ADMIN", "ADMIN", "EMPLOYEE", "AGENT", "VENDOR", "A_STAFF_TYPE")
GRANTABLE = {
    "SUPER_ADMIN": set(ROLES),
    "ADMIN": {"EMPLOYEE", "AGENT", "VENDOR", "A_STAFF_TYPE"},
    "EMPLOYEE": set(),
    "AGENT": set(),
    "VENDOR": set(),
    "CUSTOMER": set(),
}


@pytest.mark.parametrize("granter", GRANTABLE)
def test_nobody_gives_what_stands_above_them(granter: str) -> None:
    assert {role for role in ROLES if may_grant([granter], role)} == GRANTABLE[granter]


def an_invitation(*roles: str) -> Invitation:
    return Invitation.issue(
        invitation_id=new_id(),
        email=Email("x@example.com"),
        roles=roles or ("VENDOR",),
        locale="en",
        invited_by=None,
        at=NOON,
    )


@pytest.mark.parametrize("roles", [(), ("CUSTOMER",), ("VENDOR", "CUSTOMER")])
def test_customers_are_not_invited(roles: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue):
        Invitation.issue(
            invitation_id=new_id(), email=Email("x@example.com"), roles=roles, locale="en", invited_by=None, at=NOON
        )


def test_it_is_open_for_a_week() -> None:
    invitation = an_invitation()

    assert invitation.is_open(at=NOON + LIFETIME - timedelta(seconds=1))
    assert not invitation.is_open(at=NOON + LIFETIME)
    with pytest.raises(WrongInvitation):
        invitation.accept(by=new_id(), at=NOON + LIFETIME)


@pytest.mark.parametrize("end", ["accept", "withdraw"])
def test_what_is_over_stays_over(end: str) -> None:
    invitation = an_invitation()
    if end == "accept":
        invitation.accept(by=new_id(), at=NOON)
    else:
        invitation.withdraw(at=NOON)

    assert invitation.status is not InvitationStatus.PENDING
    with pytest.raises(WrongInvitation):
        invitation.accept(by=new_id(), at=NOON)
    for verb in (invitation.withdraw, invitation.renew):
        with pytest.raises(InvitationClosed):
            verb(at=NOON)
