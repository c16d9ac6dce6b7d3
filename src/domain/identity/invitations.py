"""Inviting staff, agents and vendors: roles that wait for whoever holds a mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.email import Email
from domain.shared.errors import Conflict, InvalidValue, NotFound
from domain.shared.events import DomainEvent

LIFETIME = timedelta(days=7)


class InvitationStatus(StrEnum):
    """Where an invitation is; that its time is over is told by `expires_at`."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    WITHDRAWN = "WITHDRAWN"


class InvitationNotFound(NotFound):
    """There is no such invitation."""

    code = "invitation_not_found"


class InvitationClosed(Conflict):
    """It was accepted or withdrawn; `current` says which."""

    code = "invitation_closed"


class WrongInvitation(InvalidValue):
    """The link is unknown, replaced, used, withdrawn or expired, or its inviter may not give the roles any more."""

    code = "invitation_invalid"

    def __init__(self) -> None:
        super().__init__("the link is unknown, used, withdrawn or expired", pointer="/token", code="invitation_invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationIssued(DomainEvent):
    """A link has to be mailed; for the first time or again."""

    name: ClassVar[str] = "identity.invitation_issued"
    invitation_id: UUID


@dataclass(eq=False, kw_only=True)
class Invitation(Aggregate):
    """Roles for whoever proves to hold an address.

    `invited_by` answers for them until somebody accepts; None where the command line invited.
    """

    id: UUID
    email: str
    roles: tuple[str, ...]
    locale: str
    status: InvitationStatus
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    accepted_by: UUID | None = None
    withdrawn_at: datetime | None = None

    @classmethod
    def issue(
        cls,
        *,
        invitation_id: UUID,
        email: Email,
        roles: tuple[str, ...],
        locale: str,
        invited_by: UUID | None,
        at: datetime,
    ) -> Invitation:
        """Raises InvalidValue for no roles, or for CUSTOMER: customers register themselves."""
        if not roles or "CUSTOMER" in roles:
            raise InvalidValue(
                "roles of staff, agents and vendors, at least one", pointer="/roles", code="invalid_roles"
            )
        return cls(
            id=invitation_id,
            email=email.address,
            roles=tuple(dict.fromkeys(roles)),
            locale=locale,
            status=InvitationStatus.PENDING,
            invited_by=invited_by,
            created_at=at,
            expires_at=at + LIFETIME,
        )

    def announce(self, *, at: datetime) -> None:
        """Its link is to be mailed."""
        self.record(InvitationIssued(at=at, invitation_id=self.id))

    def is_open(self, *, at: datetime) -> bool:
        return self.status is InvitationStatus.PENDING and at < self.expires_at

    def renew(self, *, by: UUID, at: datetime) -> None:
        """Another week from now, also for one whose time was over; whoever renews it has invited."""
        self._refuse_unless_pending()
        self.invited_by, self.expires_at = by, at + LIFETIME
        self.announce(at=at)

    def withdraw(self, *, at: datetime) -> None:
        self._refuse_unless_pending()
        self.status, self.withdrawn_at = InvitationStatus.WITHDRAWN, at

    def accept(self, *, by: UUID, at: datetime) -> None:
        """Raises WrongInvitation unless it is open."""
        if not self.is_open(at=at):
            raise WrongInvitation()
        self.status, self.accepted_at, self.accepted_by = InvitationStatus.ACCEPTED, at, by

    def _refuse_unless_pending(self) -> None:
        if self.status is not InvitationStatus.PENDING:
            raise InvitationClosed(current=self.status.value)
