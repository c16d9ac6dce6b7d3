"""Files that appear whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, and the folders that it needs of mode 0700, durably. Raises OSError.

    Readers see the old bytes or the new ones, also when the machine stops in between: the content is on
    disk before the name is, and the name before this returns.
    """
    make_private_folder(path.parent)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, each closed to everybody else."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        # Not mkdir(parents=True): it would give the folders in between the process's default mode.
        missing.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(missing.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
