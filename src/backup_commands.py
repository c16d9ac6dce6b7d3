"""The `altayar db` commands about backups. Each imports what it needs when it runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from surroundings import project_settings, servers

if TYPE_CHECKING:
    from infrastructure.embedded.drill import Drilled

_FILE = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def _refusals_told() -> Iterator[None]:
    from infrastructure.database.backups import BackupRefused

    try:
        yield
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Write the database as it is now into FILE, and what it holds into FILE.json; the system runs on."""
    from infrastructure.database.backups import back_up
    from infrastructure.database.roles import addresses_from

    with servers() as settings, _refusals_told():
        manifest = back_up(addresses_from(settings.database_url), file)
    click.echo(f"{sum(manifest.contents.rows.values())} rows as of {manifest.made_at}")


@click.command()
@click.argument("file", type=_FILE)
def restore(file: Path) -> None:
    """Put FILE into the empty database that the settings name, compare, and migrate it to this release."""
    from infrastructure.database.backups import restore as put_back
    from infrastructure.database.migrations import upgrade
    from infrastructure.database.roles import ensure_roles

    with servers() as settings, _refusals_told():
        addresses = ensure_roles(settings.database_url)
        manifest = put_back(addresses, file)
        upgrade(addresses)
    click.echo(f"{sum(manifest.contents.rows.values())} rows as of {manifest.made_at}; now: altayar ledger verify")


@click.command()
@click.argument("file", type=_FILE, required=False)
def drill(file: Path | None) -> None:
    """Restore FILE, or a backup made for it, into a server made for it, and verify the ledger there."""
    from infrastructure.embedded.drill import drill as try_out

    folder = project_settings().home / "drill"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755, parents=True)
    try:
        with _refusals_told():
            _tell(try_out(file or _made_for_it(folder), folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made_for_it(folder: Path) -> Path:
    from infrastructure.database.backups import back_up
    from infrastructure.database.roles import addresses_from

    made = folder / "now.dump"
    with servers() as settings:
        back_up(addresses_from(settings.database_url), made)
    return made


def _tell(drilled: Drilled) -> None:
    contents = drilled.manifest.contents
    click.echo(f"backup of {drilled.manifest.made_at}, at {contents.revision}")
    click.echo(
        f"restored in {drilled.restoring:.1f} s: {sum(contents.rows.values())} rows in {len(contents.rows)} tables, "
        f"privileges on {len(contents.privileges)} objects are as they were"
    )
    if drilled.verified.fault is not None:
        raise click.ClickException(str(drilled.verified.fault))
    click.echo(
        f"ledger verified in {drilled.verifying:.1f} s: {drilled.verified.entries} entries, "
        f"seals of {drilled.verified.seals} days"
    )
