"""Periodic work on personal data: erasures that are due, and what is kept no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from application.privacy import erasure, retention
from domain.shared.errors import DomainError

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def retain(running: Running) -> None:
    """Drop exports that were kept long enough, and accounts that nobody used."""
    use = running.dependencies
    exports = retention.drop_past_exports(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    accounts = retention.retire_unused_accounts(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    log.info("privacy_retained", exports_dropped=exports, accounts_retired=accounts)


def erase_due(running: Running) -> None:
    """One that fails, or that open money holds up, does not keep the others waiting."""
    use = running.dependencies
    for erasure_id in erasure.due_erasures(uow=use.new_uow(), clock=use.clock):
        try:
            done = erasure.carry_out_erasure(
                erasure_id, new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id
            )
        except DomainError as error:
            log.warning("erasure_waits", erasure_id=str(erasure_id), reason=error.code)
            continue
        log.info("erasure_tried", erasure_id=str(erasure_id), done=done)
