"""What ends by itself: exports whose time is over, and accounts that nobody ever used."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from application.billing.ports import ObjectStorage
from application.ports import NewUnitOfWork
from domain.privacy.erasure import Erasure
from domain.privacy.exports import A_DAY, storage_key
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

UNUSED_FOR: Final = timedelta(days=90)
FAILED_KEPT_FOR: Final = timedelta(days=7)
BATCH: Final = 200


def drop_past_exports(*, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> int:
    """Delete exports past their time, file first, and give up what could not be made in a day; how many went."""
    now, dropped = clock.now(), 0
    with new_uow() as uow:
        uow.privacy.give_up_exports(requested_before=now - A_DAY)
        uow.commit()
    while True:
        with new_uow() as uow:
            past = uow.privacy.past_exports(at=now, failed_before=now - FAILED_KEPT_FOR, limit=BATCH)
        for export_id in past:
            storage.delete(storage_key(export_id))
        with new_uow() as uow:
            for export_id in past:
                uow.privacy.drop_export(export_id)
            uow.commit()
        dropped += len(past)
        if len(past) < BATCH:
            return dropped


def retire_unused_accounts(*, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> int:
    """Have accounts erased that proved no address and bought nothing in 90 days; how many."""
    now, retired = clock.now(), 0
    while True:
        with new_uow() as uow:
            unused = uow.privacy.unused_accounts(created_before=now - UNUSED_FOR, limit=BATCH)
            for user_id in unused:
                uow.privacy.add_erasure(
                    Erasure(
                        id=new_id(),
                        user_id=user_id,
                        requested_by_user_id=None,
                        reason="never used",
                        requested_at=now,
                        due_at=now,
                    )
                )
            uow.commit()
        retired += len(unused)
        if len(unused) < BATCH:
            return retired
