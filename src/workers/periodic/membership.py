"""Periodic work on memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application.membership.memberships import expire_lapsed

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running


def expire_memberships(running: Running) -> None:
    """End the memberships whose last day is over."""
    use = running.dependencies
    while expire_lapsed(new_uow=use.new_uow, clock=use.clock):
        continue
