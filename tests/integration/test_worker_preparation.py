"""What a worker has ready before it forks: no fork makes it again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from application.subscriptions import DOCUMENTS, QUICK
from infrastructure.bootstrap import Running
from workers import main
from workers.process import Stop

pytestmark = pytest.mark.database


def _is_ready_to_draw(running: Running) -> bool:
    return "_renderer" in vars(running.dependencies.renderer)


@pytest.fixture
def ready_before_work(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """What each worker that was run found when its work began."""
    found: list[bool] = []

    @contextmanager
    def process() -> Iterator[tuple[Running, Stop]]:
        yield running, Stop()

    monkeypatch.setattr(main, "_process", process)
    monkeypatch.setattr(main, "work", lambda _kind, _names, of, _stop: found.append(_is_ready_to_draw(of)))
    yield found
    gc.unfreeze()


def test_a_worker_that_forks_to_draw_is_ready_to_draw(ready_before_work: list[bool]) -> None:
    main.run_worker([DOCUMENTS])
    assert ready_before_work == [True]


def test_a_worker_that_never_draws_loads_nothing_for_it(ready_before_work: list[bool]) -> None:
    main.run_worker([QUICK])
    assert ready_before_work == [False]
