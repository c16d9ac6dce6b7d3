"""Folding what was counted into what is shown."""

from __future__ import annotations

from application.catalogue.ports import ItemStatistics, ViewCounter
from domain.shared.clock import Clock


def fold_views(*, views: ViewCounter, statistics: ItemStatistics, clock: Clock) -> int:
    """Put counted views into the books, each once: a batch is dropped after it is in them; how many batches were new.

    A run that dies in between leaves a batch that the next one knows, adds nothing of, and drops.
    """
    folded = 0
    for batch_id, counted in views.batches().items():
        folded += statistics.fold_views(batch_id, counted, at=clock.now())
        views.drop(batch_id)
    return folded
