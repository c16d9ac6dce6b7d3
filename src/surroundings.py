"""What a command finds around it: the project's folder, its settings, both servers, the system in this process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.settings import Settings, load_settings

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running


def project_root() -> Path:
    """The project's folder, from wherever the command is called; the working folder when installed apart."""
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "pyproject.toml").is_file() else Path.cwd()


def project_settings() -> Settings:
    return load_settings(root=project_root())


@contextmanager
def servers() -> Iterator[Settings]:
    """Settings with both servers reachable: given, run by `altayar up`, or started for this command."""
    from infrastructure.embedded.servers import reachable_servers

    with reachable_servers(project_settings()) as settings:
        yield settings


@contextmanager
def system() -> Iterator[Running]:
    """The system as this process's own share of it, for commands that do a worker's work."""
    from application.origin import Origin, acting
    from infrastructure.bootstrap import bootstrap

    with servers() as settings:
        running = bootstrap(settings)
        try:
            with acting(Origin(user_agent="altayar cli", via="cli")):
                yield running
        finally:
            running.close()


def settings_with_servers() -> Settings:
    """The same for a process that stays: it starts no servers, since they would end with it."""
    from infrastructure.embedded.servers import with_running_servers

    settings = with_running_servers(project_settings())
    missing = [
        name for name, url in (("DATABASE_URL", settings.database_url), ("REDIS_URL", settings.redis_url)) if not url
    ]
    if missing:
        raise click.ClickException(f"{' and '.join(missing)} empty, and no `altayar up` runs here")
    return settings


def export(settings: Settings) -> None:
    """Hand the addresses to code that reads its settings from the environment, and keep its clock in UTC."""
    from programs import process_environment

    # Where `.env` is.
    os.chdir(project_root())
    os.environ.update(process_environment(settings, project_root()))
    time.tzset()
