"""The `altayar` command. Each command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

import backup_commands
import books_commands
import payments_commands
import payroll_commands
from config.settings import SettingsError
from domain.shared.errors import Unavailable
from infrastructure.embedded.errors import EmbeddedServerError, ServerRefused
from ledger_commands import ledger
from surroundings import export as _export
from surroundings import project_root as _root
from surroundings import project_settings as _settings
from surroundings import servers as _servers
from surroundings import settings_with_servers as _settings_with_servers
from surroundings import system as _system

if TYPE_CHECKING:
    from domain.operations.settings import Setting


class _Commands(click.Group):
    """Refusals that a person can act on are said in one line; anything else is a fault, with its trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SettingsError, EmbeddedServerError, ServerRefused) as error:
            raise click.ClickException(str(error)) from error
        except Unavailable as error:
            # Such as a database in which nothing was made yet.
            hint = "; is it running, and prepared by `altayar db upgrade` or `altayar up`?"
            raise click.ClickException(f"{error.code}{hint}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """AltayarVIP: run it, look after it."""


books_commands.add_to(ledger, _system)
main.add_command(ledger)
main.add_command(payroll_commands.commands(_system))


@main.command()
@click.option("--seed/--no-seed", "with_seed", default=True, help="Seed what the system needs, and the demo.")
def up(with_seed: bool) -> None:
    """Start everything in this terminal: servers, migrations, seed, web, relay, workers, scheduler."""
    from launcher import Launch, PortTaken
    from launcher import up as launch_all

    try:
        status = launch_all(Launch(_settings(), _root(), with_seed=with_seed))
    except PortTaken as error:
        raise click.ClickException(str(error)) from error
    sys.exit(status)


@main.command()
@click.option("--demo", is_flag=True, help="Also the demo catalogue and accounts; refused in production.")
def seed(demo: bool) -> None:
    """Put in place what the system needs: roles, permissions, plans, booking types."""
    from launcher import prepare_database

    with _servers() as settings:
        if demo and settings.is_production:
            raise click.ClickException("--demo is refused in production")
        prepare_database(settings, with_seed=True, with_demo=demo)


@main.command()
def web() -> None:
    """The web server alone, in this process."""
    from programs import web_command, web_environment

    settings, command = _settings_with_servers(), web_command()
    os.chdir(_root())
    os.execve(command[0], command, web_environment(settings, _root()))  # noqa: S606


@main.command()
@click.argument("queues", nargs=-1)
def worker(queues: tuple[str, ...]) -> None:
    """A worker for these queues; for all of them when none is named."""
    _export(_settings_with_servers())
    from workers.main import run_worker

    run_worker(queues)


@main.command()
def relay() -> None:
    """The relay that hands events from the outbox to the queues."""
    _export(_settings_with_servers())
    from workers.main import run_relay

    run_relay()


@main.command()
def scheduler() -> None:
    """The scheduler that wakes periodic work; any number of them may run."""
    _export(_settings_with_servers())
    from workers.main import run_scheduler

    run_scheduler()


@main.command()
def schedule() -> None:
    """What runs when: each periodic job, its queue, its last run and its next one."""
    from rich.console import Console

    from schedule_commands import schedule_table

    with _system() as running:
        Console().print(schedule_table(running))


@main.command()
@click.option("--url", default="", help="A running server, such as http://127.0.0.1:8000; otherwise one is started.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where the invoice's PDF is left: a file, or a folder (.altayar/demo in the project).",
)
def demo(url: str, output: Path | None) -> None:
    """Tell the customer's journey step by step, against a server of its own or a given one."""
    from rich.console import Console

    from demo import tell_journey
    from demo_server import DemoFailed, Server, own_server

    console = Console()
    try:
        with nullcontext(Server(url.rstrip("/"))) if url else own_server(_root()) as server:
            tell_journey(server, console, output or _root() / ".altayar" / "demo")
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error


@main.group()
def outbox() -> None:
    """Events on their way to their handlers."""


@outbox.command()
@click.option("--limit", default=50, show_default=True, help="How many events.")
def dead(limit: int) -> None:
    """Say what was given up, the latest first, and why."""
    with _system() as running:
        rows = running.dependencies.queries.operations.dead_letters(None, limit=limit, after=None)[:limit]
    for row in rows:
        for each in row["deliveries"]:
            click.echo(f"{row['id']}  {row['name']}  {each['handler']}  after {each['attempts']}: {each['reason']}")
    click.echo(f"{len(rows)} events")


@outbox.command()
@click.argument("event_id", type=click.UUID, required=False)
@click.option("--handler", help="Only what this handler gave up.")
def replay(event_id: UUID | None, handler: str | None) -> None:
    """Deliver again what was given up: of one event, of one handler, or all."""
    from application.operations.dead_letters import ReplayDeadLetters, replay_dead_letters
    from domain.operations.dead_letters import DeadLetterNotFound

    command = ReplayDeadLetters(actor_id=None, event_id=event_id, handler=handler)
    with _system() as running:
        use = running.dependencies
        try:
            replayed = replay_dead_letters(command, uow=use.new_uow(), clock=use.clock)
        except DeadLetterNotFound as error:
            raise click.ClickException(f"nothing of {event_id} was given up") from error
    click.echo(f"{replayed} deliveries are due again")


@main.group()
def notifications() -> None:
    """Messages by mail, text and push."""


@notifications.command("send-again")
@click.argument("booking_number")
@click.option("--what", type=click.Choice(["confirmation", "cancellation", "reminder"]), default="confirmation")
def send_again(booking_number: str, what: str) -> None:
    """Send what of a booking's message was refused or skipped; what was sent is not sent twice."""
    from domain.sales.booking_errors import BookingNotFound
    from workers import notification_worker

    send = {
        "confirmation": notification_worker.send_booking_confirmation,
        "cancellation": notification_worker.send_booking_cancelled,
        "reminder": notification_worker.send_payment_reminder,
    }[what]
    with _system() as running:
        try:
            due = send(running, booking_number)
        except BookingNotFound as error:
            raise click.ClickException(f"there is no booking {booking_number}") from error
    click.echo(f"{due} messages are due again")


@main.group()
def payments() -> None:
    """Payments and their providers."""


payments_commands.add_to(payments, _system)


@main.group()
def users() -> None:
    """People and their roles."""


@users.command(name="invite")
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, help="Such as SUPER_ADMIN; more than one may be given.")
@click.option("--locale", type=click.Choice(["ar", "en"]), default="en", help="The language of the mail.")
def invite_user(email: str, roles: tuple[str, ...], locale: str) -> None:
    """Invite somebody, such as the first administrator: prints the link, and mails it."""
    from application.identity.invitations import Invite, invite, make_link
    from domain.shared.errors import InvalidValue

    asked = Invite(email=email, roles=roles, locale=locale, invited_by=None, granter_roles=frozenset({"SUPER_ADMIN"}))
    with _system() as running:
        use = running.dependencies
        try:
            invitation_id = invite(asked, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        except InvalidValue as error:
            raise click.ClickException(error.faults[0].detail) from error
        made = make_link(invitation_id, public_url=use.public_url, uow=use.new_uow(), clock=use.clock)
    if made is None:
        raise click.ClickException("somebody withdrew the invitation, or accepted it, in this moment")
    click.echo(f"Invited {made[0].email} as {', '.join(made[0].roles)}; the mail is on its way.")
    click.echo(f"The link, good once within seven days: {made[1]}")


@main.group("settings")
def system_settings() -> None:
    """The system's settings, which staff change while it runs."""


@system_settings.command("list")
def list_settings() -> None:
    """Say every setting and its value."""
    from domain.operations.settings import SETTINGS

    with _system() as running:
        for key, known in SETTINGS.items():
            click.echo(f"{key} = {json.dumps(running.dependencies.system_settings.value(known), ensure_ascii=False)}")


@system_settings.command("get")
@click.argument("key")
def get_setting(key: str) -> None:
    """Say one setting's value, as JSON."""
    with _system() as running:
        known = _setting(key)
        click.echo(json.dumps(running.dependencies.system_settings.value(known), ensure_ascii=False))


@system_settings.command("set")
@click.argument("key")
@click.argument("value")
def set_setting(key: str, value: str) -> None:
    """Choose a setting's value, given as JSON; what is no JSON is taken as text."""
    from application.operations.settings import ChangeSetting, change_setting
    from domain.shared.errors import InvalidValue

    with _system() as running:
        use, known = running.dependencies, _setting(key)
        command = ChangeSetting(key=key, value=_json_or_text(value), actor_id=None)
        try:
            change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
        except InvalidValue as error:
            raise click.ClickException(f"{key} takes {known.kind.accepts}") from error
        use.system_settings.forget()
        click.echo(f"{key} = {json.dumps(use.system_settings.value(known), ensure_ascii=False)}")


def _setting(key: str) -> Setting[Any]:
    from domain.operations.settings import SettingNotFound, setting_of

    try:
        return setting_of(key)
    except SettingNotFound as error:
        raise click.ClickException(f"there is no setting {key!r}; `altayar settings list` names them") from error


def _json_or_text(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


@main.group()
def keys() -> None:
    """The keys of encrypted fields."""


@keys.command()
def rotate() -> None:
    """Put every encrypted field under the first of FIELD_ENCRYPTION_KEYS; afterwards the others can go.

    May be stopped, started again, and run by several at once.
    """
    from infrastructure.database.key_rotation import UnreadableField, count_encrypted, rotate_keys
    from security.field_encryption import FernetEncryption

    with _system() as running:
        encryption = FernetEncryption(running.settings.field_encryption_keys)
        try:
            with click.progressbar(length=count_encrypted(running.database), label="Rotating keys") as bar:
                renewed = rotate_keys(running.database, encryption.renewed, bar.update)
        except UnreadableField as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{renewed} fields were put under the first key; every field is")


@main.group()
def db() -> None:
    """Migrations of the database."""


db.add_command(backup_commands.backup)
db.add_command(backup_commands.restore)
db.add_command(backup_commands.drill)


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the database forward to a revision (the newest)."""
    from infrastructure.database.migrations import upgrade as migrate
    from infrastructure.database.roles import ensure_roles

    with _servers() as settings:
        migrate(ensure_roles(settings.database_url), revision)


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the database back to a revision; what later ones added is lost."""
    from infrastructure.database.migrations import downgrade as migrate
    from infrastructure.database.roles import addresses_from

    with _servers() as settings:
        migrate(addresses_from(settings.database_url), revision)


@db.command()
def current() -> None:
    """Say which revision the database is at, and which one this release expects."""
    from infrastructure.database.migrations import current_revision, newest_revision
    from infrastructure.database.roles import addresses_from

    with _servers() as settings:
        at = current_revision(addresses_from(settings.database_url).owner)
        click.echo(f"at {at or 'none'}, newest {newest_revision()}")


@db.command()
@click.option("-m", "--message", required=True, help="What it does; becomes part of the file's name.")
@click.option("--empty", is_flag=True, help="Do not look for differences between tables and database.")
def revision(message: str, empty: bool) -> None:
    """Write a new migration from the differences between the declared tables and the database."""
    from alembic import command

    from infrastructure.database.migrations import configuration
    from infrastructure.database.roles import addresses_from

    with _servers() as settings:
        config = configuration(addresses_from(settings.database_url).owner)
        command.revision(config, message, autogenerate=not empty)


if __name__ == "__main__":
    main(prog_name="altayar")
