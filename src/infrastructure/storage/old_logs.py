"""Compressing log files that have grown old."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path


def compress_logs(folder: Path, *, before: datetime) -> int:
    """Put every `*.log` and `*.log.<n>` of the folder that was last written before then into a `.gz`; how many.

    The `.gz` appears whole, on disk, before the file goes; whoever dies in between finds the file again and makes
    the same `.gz` of it. It is named by the file and when that was last written, so that none takes another's place.
    Raises OSError.
    """
    old = [path for path in _logs(folder) if path.stat().st_mtime < before.timestamp()]
    for path in old:
        _compress(path)
    return len(old)


def _logs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        is_log = ".log" in path.suffixes[-2:] and path.suffix != ".gz"
        if is_log and path.is_file() and not path.is_symlink():
            yield path


def _compress(path: Path) -> None:
    written = path.stat()
    at = datetime.fromtimestamp(written.st_mtime, UTC)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as target, path.open("rb") as source:
            with gzip.GzipFile(filename=path.name, mode="wb", fileobj=target, mtime=int(written.st_mtime)) as packed:
                shutil.copyfileobj(source, packed)
            target.flush()
            os.fsync(target.fileno())
        Path(temporary).chmod(written.st_mode & 0o777)
        os.utime(temporary, ns=(written.st_atime_ns, written.st_mtime_ns))
        Path(temporary).replace(path.with_name(f"{path.name}.{at:%Y%m%dT%H%M%SZ}.gz"))
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    path.unlink()
