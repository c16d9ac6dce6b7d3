"""Where processor time goes while load runs: py-spy on our programs, pg_stat_statements in PostgreSQL."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from infrastructure.database.roles import connect
from infrastructure.embedded import postgres as embedded
from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.load.site import Site

SETTINGS: Final = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}
PROGRAMS: Final = ("web", "worker", "documents", "relay")

Frame = tuple[str, str]
"""Function and file."""

_EXTENSION: Final = (
    "CREATE EXTENSION IF NOT EXISTS pg_stat_statements\n"
    "GRANT pg_read_all_stats TO altayar\n"
    "GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO altayar\n"
)
_STATEMENTS: Final = """
SELECT regexp_replace(query, '\\s+', ' ', 'g') AS query, calls, round(total_exec_time) AS ms,
       round((total_exec_time / sum(total_exec_time) OVER () * 100)::numeric, 1)::float8 AS percent,
       round(mean_exec_time::numeric, 3)::float8 AS mean_ms, toplevel
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel
ORDER BY total_exec_time DESC LIMIT 20
"""
_FRAME: Final = re.compile(r"(?P<function>[^;]+?) \((?P<file>[^;]+?):\d+\)")
_WAITS: Final = ("gevent/hub.py",)
"""Innermost files of a process that has nothing to do."""
_OURS: Final = ("api", "application", "domain", "infrastructure", "middlewares", "security", "workers")


def make_extension(server: EmbeddedPostgres) -> None:
    """Before the server starts: its superuser cannot log in, so it is made in single-user mode."""
    folder = server.folder
    data = embedded._data(folder)
    if data.exists():
        single = [embedded._programs(folder) / "postgres", "--single", "-D", data, embedded.OWNER]
        embedded._run(folder, single, _EXTENSION)


@contextlib.contextmanager
def spied_on(site: Site, spy: Path, folder: Path, seconds: int) -> Iterator[None]:
    """Stacks of our programs, a hundred times a second for so long, in `folder`; statements counted from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    with connect(site.addresses.owner) as owner:
        owner.execute("SELECT pg_stat_statements_reset()")
    spying = [_spy(spy, site.processes[name], folder / f"{name}.txt", seconds) for name in PROGRAMS]
    try:
        yield
    finally:
        for process in spying:
            process.wait(60)


def _spy(spy: Path, process: psutil.Process, path: Path, seconds: int) -> subprocess.Popen[bytes]:
    command = [spy, "record", "--subprocesses", "--format", "raw", "--rate", "100", "--duration", str(seconds)]
    return subprocess.Popen(
        [*command, "--pid", str(process.pid), "--output", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def statements(site: Site) -> list[dict[str, Any]]:
    """The dearest statements since they were counted from nought."""
    with connect(site.addresses.owner) as owner:
        found = owner.execute(_STATEMENTS.encode())
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def stacks(path: Path) -> dict[str, Any]:
    """Shares of samples by package, by view, and by function of ours, of what py-spy wrote."""
    counted = [(frames, count) for frames, count in _read(path) if frames and frames[-1][1] not in _WAITS]
    total = sum(count for _, count in counted)
    by: dict[str, Counter[str]] = {"packages": Counter(), "views": Counter(), "functions": Counter()}
    for frames, count in counted:
        by["packages"][_package(frames)] += count
        by["views"][_view(frames)] += count
        for function in {f"{file}:{function}" for function, file in frames if _is_ours(file)}:
            by["functions"][function] += count
    return {"samples": total, **{what: _shares(found, total) for what, found in by.items()}}


def _read(path: Path) -> Iterator[tuple[list[Frame], int]]:
    """Stacks, outermost frame first, and how often each was seen."""
    for line in path.read_text("utf-8", "replace").splitlines() if path.exists() else ():
        stack, _, count = line.rpartition(" ")
        yield [(one["function"], one["file"]) for one in _FRAME.finditer(stack)], int(count)


def _package(frames: list[Frame]) -> str:
    """Who worked: the package of the innermost frame, ours by its layer."""
    if not frames:
        return "unknown"
    package = frames[-1][1].split("/")[0].removesuffix(".py")
    return f"our {package}" if package in _OURS else package


def _view(frames: list[Frame]) -> str:
    views = [f"{file.removeprefix('api/')} {function}" for function, file in frames if file.startswith("api/v1/")]
    return views[0] if views else "outside of views"


def _is_ours(file: str) -> bool:
    return file.split("/")[0] in _OURS


def _shares(counted: Mapping[str, int], total: int, most: int = 20) -> list[tuple[str, float]]:
    ordered: Iterable[tuple[str, int]] = sorted(counted.items(), key=lambda one: -one[1])[:most]
    return [(name, round(count / total * 100, 1)) for name, count in ordered]
