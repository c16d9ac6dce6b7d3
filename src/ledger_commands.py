"""The `altayar ledger` commands: what an auditor runs. Each imports what it needs when it runs."""

from __future__ import annotations

import click

from surroundings import servers, system


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command()
@click.option("--root", default="", help="A seal's root from a copy that was kept elsewhere; it must still be there.")
def verify(root: str) -> None:
    """Recompute every balance, hash and seal, and name the first row that is not as it was written."""
    from infrastructure.database.ledger.verification import count_rows, verify_ledger
    from infrastructure.database.roles import addresses_from

    expected = _root_of(root)
    with servers() as settings:
        owner = addresses_from(settings.database_url).owner
        with click.progressbar(length=count_rows(owner).looks, label="Verifying the ledger") as bar:
            verified = verify_ledger(owner, bar.update, expected_root=expected)
    if verified.fault is not None:
        raise click.ClickException(str(verified.fault))
    click.echo(f"{verified.entries} entries are as they were written, and the seals of {verified.seals} days fit them")


def _root_of(text: str) -> bytes | None:
    """A root as seals are told: 64 hexadecimal digits."""
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b"?"
    if root and len(root) != 32:
        raise click.BadParameter("a root has 64 hexadecimal digits", param_hint="--root")
    return root or None


@ledger.command()
def seal() -> None:
    """Seal every day that is over and not sealed; what is printed is for keeping elsewhere."""
    from application.ledger.sealing import seal_days

    with system() as running:
        use = running.dependencies
        seals = list(seal_days(new_uow=use.new_uow, clock=use.clock))
    for made in seals:
        size = f"{made.journals} journals, {made.entries} entries"
        click.echo(f"seal {made.number} of {made.business_day}: {size}, root {made.root.hex()}")
    if not seals:
        click.echo("every day that is over is sealed")
