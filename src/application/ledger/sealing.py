"""Sealing the ledger's days: each that is over gets a root, which is told where staff and the outside can keep it."""

from __future__ import annotations

from collections.abc import Iterator

from application.ports import NewUnitOfWork
from domain.ledger.seals import Seal
from domain.shared.clock import Clock


def seal_days(*, new_uow: NewUnitOfWork, clock: Clock) -> Iterator[Seal]:
    """Seal every day that is over, the oldest first, each in a transaction of its own beside a line of the audit log.

    Called by any number at once, each day is sealed once.
    """
    while (seal := _seal_next_day(new_uow, clock)) is not None:
        yield seal


def _seal_next_day(new_uow: NewUnitOfWork, clock: Clock) -> Seal | None:
    with new_uow() as uow:
        seal = uow.seals.seal_next_day()
        if seal is not None:
            uow.audit.add(
                actor=None,
                action="ledger.seal",
                resource_type="LEDGER_SEAL",
                resource_id=None,
                changes={"after": _told(seal)},
                at=clock.now(),
            )
        uow.commit()
    return seal


def _told(seal: Seal) -> dict[str, object]:
    return {
        "number": seal.number,
        "business_day": seal.business_day.isoformat(),
        "journals": seal.journals,
        "entries": seal.entries,
        "root": seal.root.hex(),
    }
