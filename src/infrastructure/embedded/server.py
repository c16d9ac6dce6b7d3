"""What PostgreSQL and Valkey have in common: start in a private folder, be ready, never be left behind."""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from infrastructure.embedded.errors import EmbeddedServerError
from infrastructure.embedded.folders import FolderLock, ServerFolder, discard_folder, server_folder
from infrastructure.embedded.processes import die_with_parent, stop_process


class EmbeddedServer(ABC):
    """One server for one home folder.

    Start it from a thread that lives as long as the server is needed (the main one): when that thread
    ends, even of SIGKILL, the server shuts down by itself.
    """

    name: ClassVar[str]
    """Of its folder below the home folder."""

    defaults: ClassVar[Mapping[str, str]]
    """The server's own settings, by name."""

    environment: ClassVar[Mapping[str, str]] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]]
    """Each with the seconds that it is given before the next; the first also follows our own death."""

    is_patient: ClassVar[bool] = False
    """Whether it waits for its turn when it wakes, instead of pushing whoever runs from a core."""

    seconds_to_start: ClassVar[float] = 60.0
    """Recovery after a power cut may take this long; an ordinary start takes a fifth of a second."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` go before the defaults."""
        self._home = home.absolute()
        self._settings = {**self.defaults, **(settings or {})}
        self._lock = FolderLock(self._home, self.name)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, made first if it is new; returns its address. Raises EmbeddedServerError."""
        if self._process is not None:
            return self._url(self.folder)
        try:
            with _explained():
                self._lock.take()
                self._start_in(self.folder)
                return self._url(self.folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down; what is committed is kept. Does nothing when it is not running."""
        if self._process is not None:
            stop_process(self._process, self.stop_signals)
            self._process = None
            self.folder.remove_socket_folder()
        self._lock.free()

    def discard(self) -> None:
        """Stop, and delete the data: for tests and benchmarks."""
        self.stop()
        if (self._home / self.name).exists():
            self.folder.remove_socket_folder()
            discard_folder(self._home, self.name)

    def running_url(self) -> str | None:
        """The address while a server of this home folder runs, in whichever process; else None."""
        if not (self._home / self.name).exists():
            return None
        with _explained():
            return self._url(self.folder) if self._runs_in(self.folder) else None

    @property
    def folder(self) -> ServerFolder:
        """Its place on disk; `folder.log` is what it said since its last start."""
        return server_folder(self._home, self.name)

    def is_alive(self) -> bool:
        """Whether the server that this object started still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self, folder: ServerFolder) -> None:
        """Make the data if it is new; end and clear what a killed run left. The lock is held."""

    @abstractmethod
    def _command(self, folder: ServerFolder) -> list[str | Path]:
        """The server, in the foreground, with its settings."""

    @abstractmethod
    def _runs_in(self, folder: ServerFolder) -> bool:
        """Whether a server works in this folder and takes connections."""

    @abstractmethod
    def _url(self, folder: ServerFolder) -> str:
        """The address of the server in this folder."""

    def _start_in(self, folder: ServerFolder) -> None:
        self._prepare(folder)
        folder.make_socket_folder()
        command = self._command(folder)
        with folder.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,
                env=self.environment,
                # Out of the terminal's process group: Ctrl-C reaches the launcher, which stops servers last.
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signals[0][0], patient=self.is_patient),
                **folder.account.for_popen(),
            )
        self._wait_until_ready(folder, self._process)

    def _wait_until_ready(self, folder: ServerFolder, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.seconds_to_start
        while not self._runs_in(folder):
            if process.poll() is not None:
                raise EmbeddedServerError(f"{self.name} did not start: {_end_of(folder.log)}")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"{self.name} is not ready in {self.seconds_to_start:.0f} s: {folder.log}")
            time.sleep(0.01)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise EmbeddedServerError(
            f"{error.filename} belongs to another account; choose a folder of your own with ALTAYAR_HOME"
        ) from error


def _end_of(log: Path) -> str:
    return " / ".join(log.read_text("utf-8", "replace").strip().splitlines()[-4:]) or f"see {log}"
