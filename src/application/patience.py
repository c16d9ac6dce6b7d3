"""Questions whose answer is not waited for any longer than people wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


def asked(question: Callable[[], Answer]) -> Future[Answer]:
    """Ask in a thread of its own, outside every transaction; whoever waits may stop waiting, the question goes on."""
    future: Future[Answer] = Future()

    def ask() -> None:
        try:
            future.set_result(question())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answer is told
            future.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return future
