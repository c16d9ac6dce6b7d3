"""Where an embedded server keeps its data, and as whom it runs.

An ordinary user's servers run as that user, with everything below `ALTAYAR_HOME`. PostgreSQL refuses to
run as root, so root's servers run as the account `nobody`, which exists everywhere and owns nothing.
No permission of any existing folder is widened for it: where `nobody` cannot reach the home folder (a
project below /root, say), the data lives in a folder of its own below /var/lib/altayar, and a link in the
home folder points there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TypedDict

from infrastructure.embedded.errors import AlreadyRunning, EmbeddedServerError

SHARED_PLACE = Path("/var/lib/altayar")
"""Root's place for data and programs that `nobody` cannot reach below the home folder."""

_LONGEST_SOCKET_FOLDER = 85
"""Bytes; a unix socket's whole path has at most 107 (unix(7)), a server's own file name up to 22."""


_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


class PopenAccount(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the account; none unless we are root."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """As whom a server runs: user and group id."""

    user: int
    group: int

    def for_popen(self) -> PopenAccount:
        if os.geteuid() != 0:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def may(self, test: str, *paths: Path) -> bool:
        """Whether test(1) holds for every path when this account asks: `-x` reach, `-r` read."""
        command = " && ".join(f'[ {test} "${index + 1}" ]' for index in range(len(paths)))
        arguments = ["/bin/sh", "-c", command, "sh", *map(str, paths)]
        return subprocess.run(arguments, cwd="/", check=False, **self.for_popen()).returncode == 0


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """One server's place on disk: private to its account."""

    path: Path
    account: Account

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def sockets(self) -> Path:
        """Where its unix socket is: in its own folder, or in a short one where that path would not do."""
        if _fits_a_socket(self.path):
            return self.path
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return _runtime_folder() / f"altayar-{self.account.user}-{digest}"

    def make_socket_folder(self) -> None:
        """Make the short socket folder where one is needed; one that a stranger made is refused."""
        sockets = self.sockets
        if sockets != self.path:
            _make_private(sockets, self.account)
        found = sockets.lstat()
        if found.st_uid != self.account.user or found.st_mode & 0o077:
            raise EmbeddedServerError(f"{sockets} is not a private folder of ours; remove it and try again")

    def remove_socket_folder(self) -> None:
        if self.sockets != self.path:
            shutil.rmtree(self.sockets, ignore_errors=True)


class FolderLock:
    """The right to run the server of one home folder: one process at a time, freed when that one ends."""

    def __init__(self, home: Path, name: str) -> None:
        self._path = home / f"{name}.lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning, naming the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace") or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"{self._path.stem} in {self._path.parent} is already run by process {holder}; "
                "stop that one first, or choose another folder with ALTAYAR_HOME"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        self._descriptor = descriptor

    def free(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def server_folder(home: Path, name: str) -> ServerFolder:
    """The folder of the server `name` below `home`, made if it is missing."""
    home.mkdir(parents=True, exist_ok=True)
    place = home / name
    if os.geteuid() != 0:
        place.mkdir(mode=0o700, exist_ok=True)
        return ServerFolder(place.resolve(), Account(os.geteuid(), os.getegid()))
    if not place.exists():
        _make_place_for_root(place)
    _make_private(place.resolve(), _nobody())
    found = place.stat()
    folder = ServerFolder(place.resolve(), Account(found.st_uid, found.st_gid))
    if not folder.account.may("-x", folder.path):
        raise EmbeddedServerError(
            f"{folder.path} is out of reach for the account that owns it (user id {found.st_uid}); "
            "make the folders above it passable, or choose another folder with ALTAYAR_HOME"
        )
    return folder


def discard_folder(home: Path, name: str) -> None:
    """Delete the server's folder, wherever it lies; for tests and benchmarks, never for kept data."""
    place = home / name
    shutil.rmtree(place.resolve(), ignore_errors=True)
    if place.is_symlink():
        place.unlink()
    (home / f"{name}.lock").unlink(missing_ok=True)


def within_reach(package: str, parts: Sequence[str], witnesses: Sequence[str], account: Account) -> Path:
    """The folder that holds an installed package, or that of a copy where the account cannot read it.

    `parts` are the folders to copy, `witnesses` files that tell whether it can be read.
    """
    installed = distribution(package)
    site = Path(str(installed.locate_file("")))
    if os.geteuid() != 0 or account.may("-r", *(site / witness for witness in witnesses)):
        return site
    copy = SHARED_PLACE / f"{package}-{installed.version}"
    if not copy.exists():
        _copy_for_all(site, parts, copy)
    return copy


def _copy_for_all(site: Path, parts: Sequence[str], copy: Path) -> None:
    """Copied beside, then renamed: a copy that was interrupted is never taken for a whole one."""
    fresh = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
    _make_shared_place()
    for part in parts:
        shutil.copytree(site / part, fresh / part, symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        fresh.rename(copy)
    except OSError:
        # Another process finished the same copy first.
        shutil.rmtree(fresh)


def _make_place_for_root(place: Path) -> None:
    account = _nobody()
    place.unlink(missing_ok=True)
    if account.may("-x", place.parent):
        _make_private(place, account)
        return
    elsewhere = SHARED_PLACE / f"{place.name}-{secrets.token_hex(6)}"
    _make_shared_place()
    _make_private(elsewhere, account)
    place.symlink_to(elsewhere)


def _nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def _make_shared_place() -> None:
    SHARED_PLACE.mkdir(parents=True, exist_ok=True)
    SHARED_PLACE.chmod(0o755)


def _make_private(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0 and folder.lstat().st_uid == 0:
        os.chown(folder, account.user, account.group, follow_symlinks=False)


def _fits_a_socket(folder: Path) -> bool:
    """Short enough, and plain: libpq splits hosts at commas and reads the `+` that others write for a space."""
    return len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and bool(_PLAIN.fullmatch(str(folder)))


def _runtime_folder() -> Path:
    """A short folder for sockets: the session's own, or /tmp, where the folder made is checked to be ours."""
    session = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    if os.geteuid() != 0 and session.is_dir() and _fits_a_socket(session / "altayar-65534-012345678901"):
        return session
    return Path("/tmp")  # noqa: S108
