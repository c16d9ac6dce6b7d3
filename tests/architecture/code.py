"""The code itself, as these tests look at it."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PROGRAMS = {"gunicorn_conf"}
"""Modules that do something when they are imported."""
Kind = TypeVar("Kind", bound=type)


def top_level_names() -> list[str]:
    """Every package and module that stands directly in src."""
    packages = [path.parent.name for path in SRC.glob("*/__init__.py")]
    namespaces = [path.name for path in SRC.iterdir() if path.is_dir() and any(path.glob("*.py"))]
    return sorted({*packages, *namespaces, *(path.stem for path in SRC.glob("*.py"))})


@cache
def every_module() -> tuple[ModuleType, ...]:
    """Every module of the project, imported."""
    names = [module.name for module in pkgutil.walk_packages([str(SRC)]) if module.name not in PROGRAMS]
    return tuple(importlib.import_module(name) for name in names)


def every_subclass(of: Kind) -> Iterator[Kind]:
    """The classes of the project that derive from one, however far; those that tests made are left out."""
    every_module()
    waiting, seen = list(of.__subclasses__()), set()
    while waiting:
        found = waiting.pop()
        if found in seen:
            continue
        seen.add(found)
        waiting += found.__subclasses__()
        # A dataclass with slots leaves the class that it replaced behind; a class of a test is nobody's.
        stands_in = sys.modules.get(found.__module__)
        is_ours = found.__module__.split(".")[0] in top_level_names()
        if is_ours and getattr(stands_in, found.__qualname__, None) is found:
            yield found
