"""Inviting people into roles, and accepting that."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from application.identity.guessing import count_failure, end_failures, refuse_locked
from application.identity.ports import AccessTokens, OneTimeCodes, PasswordHasher, Viewer
from application.identity.second_factor import check_second_factor
from application.identity.signing_in import SignedIn, open_session
from application.identity.tokens import digest
from application.ports import UnitOfWork
from domain.identity.invitations import Invitation, WrongInvitation
from domain.identity.lockout import Attempt
from domain.identity.passwords import refuse_personal_password
from domain.identity.roles import RoleNotGrantable, may_grant
from domain.identity.users import User, WrongCredentials
from domain.shared.clock import Clock
from domain.shared.email import Email
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """`invited_by` is None from the command line, which speaks with `granter_roles` of its own."""

    email: str
    roles: tuple[str, ...]
    locale: str
    invited_by: UUID | None
    granter_roles: frozenset[str]


def invite(command: Invite, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Invite an address; an earlier invitation that nobody accepted is withdrawn.

    Raises InvalidValue naming the field, RoleNotGrantable for a role that is above the inviter or permits more than
    they may do.
    """
    now = clock.now()
    invitation = Invitation.issue(
        invitation_id=new_id(),
        email=Email(command.email),
        roles=command.roles,
        locale=command.locale,
        invited_by=command.invited_by,
        at=now,
    )
    with uow:
        if unknown := uow.invitations.unknown_roles(invitation.roles):
            raise InvalidValue(f"there is no role {unknown[0]}", pointer="/roles", code="unknown_role")
        _refuse_unless_grantable(invitation, command.granter_roles, uow)
        earlier = uow.invitations.pending_for(invitation.email)
        if earlier is not None:
            earlier.withdraw(at=now)
            uow.invitations.save(earlier)
            _audit(uow, "users.withdraw_invitation", earlier, command.invited_by, "PENDING", at=now)
        uow.invitations.add(invitation)
        invitation.announce(at=now)
        _audit(uow, "users.invite", invitation, command.invited_by, None, at=now)
        uow.commit()
    return invitation.id


def withdraw_invitation(invitation_id: UUID, *, by: Viewer, uow: UnitOfWork, clock: Clock) -> None:
    """Its links stop working. Raises InvitationNotFound, InvitationClosed, RoleNotGrantable."""
    now = clock.now()
    with uow:
        invitation = uow.invitations.get(invitation_id)
        _refuse_above(invitation, by.roles)
        invitation.withdraw(at=now)
        uow.invitations.save(invitation)
        _audit(uow, "users.withdraw_invitation", invitation, by.user_id, "PENDING", at=now)
        uow.commit()


def resend_invitation(invitation_id: UUID, *, by: Viewer, uow: UnitOfWork, clock: Clock) -> None:
    """A new link for another week; earlier links stop working. Whoever sends it answers for it from now on.

    Raises InvitationNotFound, InvitationClosed, RoleNotGrantable.
    """
    now = clock.now()
    with uow:
        invitation = uow.invitations.get(invitation_id)
        _refuse_unless_grantable(invitation, by.roles, uow)
        invitation.renew(by=by.user_id, at=now)
        uow.invitations.save(invitation)
        uow.invitations.forget_tokens(invitation_id)
        _audit(uow, "users.resend_invitation", invitation, by.user_id, "PENDING", at=now)
        uow.commit()


def make_link(invitation_id: UUID, *, public_url: str, uow: UnitOfWork, clock: Clock) -> tuple[Invitation, str] | None:
    """A link that accepts an invitation, whose token is kept as a hash alone; None where it is over by now."""
    token = secrets.token_urlsafe(32)
    with uow:
        invitation = uow.invitations.get(invitation_id)
        if not invitation.is_open(at=clock.now()):
            return None
        uow.invitations.add_token(invitation_id, digest(token))
        uow.commit()
    return invitation, f"{public_url}/invitations/accept?token={quote(token)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitation:
    """Names and phone are for a new account; the code for an account with a second factor."""

    token: str
    password: str
    user_agent: str
    address: str
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    second_factor_code: str | None = None


def accept_invitation(
    command: AcceptInvitation,
    *,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    tokens: AccessTokens,
    clock: Clock,
    new_id: NewId,
) -> SignedIn:
    """Open an account with the roles, or add them to the account that has proved the address; signs in.

    Raises WrongInvitation, InvalidValue naming the field; for a known account WrongCredentials, which counts as a
    failure to sign in, TooManyAttempts, SecondFactorRequired, SecondFactorInvalid.
    """
    with uow:
        invitation = _taken(command, uow, clock.now())
        known = uow.users.by_email(invitation.email)
        hashes = [claim.password_hash for claim in uow.users.claims(invitation.email)]
    if known is None:
        password_hash, proved_at = _new_hash(command, invitation, hashes, passwords), None
    else:
        proved_at = _prove_known(known, command, uow=uow, passwords=passwords, codes=codes, clock=clock)
        password_hash = known.password_hash
    now = clock.now()
    with uow:
        # Locked again: it may have been withdrawn, accepted or sent anew while a password was hashed.
        invitation = _taken(command, uow, now)
        user = _invited(command, invitation, password_hash, uow=uow, new_id=new_id, at=now)
        signed_in = open_session(
            user,
            command.user_agent,
            command.address,
            second_factor_at=proved_at,
            uow=uow,
            tokens=tokens,
            clock=clock,
            new_id=new_id,
        )
        uow.commit()
    return signed_in


def _new_hash(
    command: AcceptInvitation, invitation: Invitation, hashes: Sequence[str], passwords: PasswordHasher
) -> str:
    """The hash of a new account's password. Raises InvalidValue naming the field."""
    if command.first_name is None or command.last_name is None:
        missing = "/first_name" if command.first_name is None else "/last_name"
        raise InvalidValue("a new account has a name", pointer=missing, code="required")
    refuse_personal_password(
        command.password, email=invitation.email, first_name=command.first_name, last_name=command.last_name
    )
    return passwords.hash(command.password, like=hashes)


def _prove_known(
    known: User,
    command: AcceptInvitation,
    *,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    clock: Clock,
) -> datetime | None:
    """Sign-in's questions to the account that has the address; when its second factor was proved, if it has one."""
    attempt = Attempt(known.email, command.address)
    with uow:
        refuse_locked(attempt, uow=uow, at=clock.now())
        claims = uow.users.claims(known.email)
    if passwords.verify(command.password, [known.password_hash]) is None or not known.may_sign_in:
        count_failure(attempt, claims, uow=uow, at=clock.now())
        raise WrongCredentials()
    proved_at = check_second_factor(known.id, command.second_factor_code, uow=uow, codes=codes, clock=clock)
    with uow:
        end_failures(known, attempt, uow=uow, at=clock.now())
        uow.commit()
    return proved_at


def _invited(
    command: AcceptInvitation,
    invitation: Invitation,
    password_hash: str,
    *,
    uow: UnitOfWork,
    new_id: NewId,
    at: datetime,
) -> User:
    """The account with the invitation's roles: the one that has proved the address, or a new one."""
    user = uow.users.by_email(invitation.email)
    if user is None:
        return _new_account(command, invitation, password_hash, user_id=new_id(), uow=uow, at=at)
    user = uow.users.get(user.id)
    if user.password_hash != password_hash or not user.may_sign_in:
        raise WrongCredentials()
    before = list(user.roles)
    invitation.accept(by=user.id, at=at)
    user.add_roles(invitation.roles)
    uow.invitations.save(invitation)
    _audit_roles(uow, user, before=before, at=at)
    return user


def _new_account(
    command: AcceptInvitation,
    invitation: Invitation,
    password_hash: str,
    *,
    user_id: UUID,
    uow: UnitOfWork,
    at: datetime,
) -> User:
    user = User.invited(
        user_id=user_id,
        email=Email(invitation.email),
        password_hash=password_hash,
        first_name=command.first_name or "",
        last_name=command.last_name or "",
        phone=command.phone,
        locale=invitation.locale,
        at=at,
        roles=invitation.roles,
    )
    # Refused before anything is written: whoever comes second at the same time finds it accepted.
    invitation.accept(by=user.id, at=at)
    uow.users.add(user)
    uow.flush()
    uow.invitations.save(invitation)
    _audit_roles(uow, user, before=[], at=at)
    return user


def _taken(command: AcceptInvitation, uow: UnitOfWork, at: datetime) -> Invitation:
    """The invitation that the link is for, locked. Raises WrongInvitation where it is over."""
    invitation = uow.invitations.by_token(digest(command.token.strip()))
    if invitation is None or not invitation.is_open(at=at) or not _is_answered_for(invitation, uow):
        raise WrongInvitation()
    return invitation


def _is_answered_for(invitation: Invitation, uow: UnitOfWork) -> bool:
    """Whether whoever invited may still sign in, and give these roles today; the command line always may."""
    inviter = invitation.invited_by
    return inviter is None or _not_grantable(invitation, uow.users.roles_of_active(inviter), uow) is None


def _refuse_unless_grantable(invitation: Invitation, granter_roles: frozenset[str], uow: UnitOfWork) -> None:
    role = _not_grantable(invitation, granter_roles, uow)
    if role is not None:
        raise RoleNotGrantable(role)


def _not_grantable(invitation: Invitation, granter_roles: frozenset[str], uow: UnitOfWork) -> str | None:
    """The first role that is above the granter, permits more than they may do, or is no more; None for none."""
    held = frozenset[str]().union(*(uow.roles.permissions_of(role) or () for role in sorted(granter_roles)))
    for role in invitation.roles:
        permitted = uow.roles.permissions_of(role)
        if permitted is None or not permitted <= held or not may_grant(granter_roles, role):
            return role
    return None


def _refuse_above(invitation: Invitation, roles: frozenset[str]) -> None:
    for role in invitation.roles:
        if not may_grant(roles, role):
            raise RoleNotGrantable(role)


def _audit(
    uow: UnitOfWork, action: str, invitation: Invitation, actor: UUID | None, before: str | None, *, at: datetime
) -> None:
    """Without the address: the log is never changed, and people may ask to be forgotten."""
    after: Mapping[str, object] = {"status": invitation.status.value, "roles": list(invitation.roles)}
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type="INVITATION",
        resource_id=invitation.id,
        changes={"before": {"status": before} if before else None, "after": after},
        at=at,
    )


def _audit_roles(uow: UnitOfWork, user: User, *, before: list[str], at: datetime) -> None:
    uow.audit.add(
        actor=user.id,
        action="users.accept_invitation",
        resource_type="USER",
        resource_id=user.id,
        changes={"before": {"roles": before}, "after": {"roles": list(user.roles)}},
        at=at,
    )
