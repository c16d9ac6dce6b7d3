"""Peers' programs, run in an environment of their own and asked line by line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.embedded.processes import die_with_parent, stop_process
from tests.benchmarks.servers import ROOT

PEERS = ROOT / ".altayar" / "peers" / "bin" / "python"
"""The interpreter of the environment that most peers share."""


class PeerFailed(Exception):
    """A peer's program ended or cannot be started; the message holds the last of what it said."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Processes that run the same program."""

    processes: Sequence[subprocess.Popen[str]]
    log: Path

    def ask(self, do: str, **what: object) -> list[dict[str, Any]]:
        """Ask all of them at once; their answers, when all have answered."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"do": do, **what}) + "\n")
            process.stdin.flush()
        return [self._answer_of(process) for process in self.processes]

    def _answer_of(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise PeerFailed(self.log.read_text("utf-8", "replace")[-2000:])
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def peers(
    program: Path, environment: Mapping[str, str], log: Path, *, many: int = 1, interpreter: Path = PEERS
) -> Iterator[Peers]:
    """So many processes, ended with the block; what they say besides answers goes to the log."""
    if not interpreter.is_file():
        raise PeerFailed("the peers are not installed: scripts/peers.sh does it, and so does make peers")
    with ExitStack() as stack, log.open("w") as said:
        started = []
        for _ in range(many):
            process = subprocess.Popen(
                [interpreter, program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**os.environ, **environment},
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
            stack.callback(stop_process, process, [(signal.SIGTERM, 10.0)])
            started.append(process)
        yield Peers(started, log)
