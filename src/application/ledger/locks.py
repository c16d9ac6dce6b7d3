"""Locking what belongs to people, for whoever moves several of their accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from application.ledger.posting_ports import Standing
from application.ports import UnitOfWork
from domain.ledger.accounts import AccountRef


def lock_owned(wanted: Collection[AccountRef], *, uow: UnitOfWork) -> Mapping[AccountRef, Standing]:
    """Lock accounts all at once and in one order, after their owners; how each of them stands.

    Owners first: an account that is opened for one of them while others wait is there for all who come after, and
    nobody has locked another account before it (guarantee M5).
    """
    owners = {account.owner for account in wanted if account.owner is not None}
    if owners:
        uow.users.lock(owners)
    return uow.ledger.lock(wanted)
