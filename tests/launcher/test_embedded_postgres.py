"""The embedded PostgreSQL: who may do what, what is kept, and what it survives."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from infrastructure.embedded.errors import AlreadyRunning, EmbeddedServerError
from infrastructure.embedded.folders import SHARED_PLACE
from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.launcher.processes import Start, discard_servers, wait_until_gone
from tests.machine import told

pytestmark = pytest.mark.database

QUICK: Mapping[str, str] = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another account")


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_the_owner_may_create_databases_and_roles_but_is_no_superuser(home: Path) -> None:
    with EmbeddedPostgres(home, settings=QUICK) as url, connect(url) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        connection.execute("CREATE ROLE somebody LOGIN")
        connection.execute("CREATE DATABASE another")
        connection.execute("CREATE EXTENSION btree_gist")
    assert rights == (False, True, True)


def test_nobody_gets_in_without_the_owners_password(home: Path) -> None:
    with EmbeddedPostgres(home, settings=QUICK) as url:
        owner = url.replace("+psycopg", "")
        password = owner.split(":")[2].split("@")[0]
        for stranger in (owner.replace(password, "guess"), owner.replace("altayar:" + password, "postgres")):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(stranger)


def test_a_second_start_finds_the_data_again(home: Path) -> None:
    with EmbeddedPostgres(home) as first_url, connect(first_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(home) as second_url, connect(second_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert first_url == second_url


def test_it_listens_on_a_private_socket_and_on_no_port(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings=QUICK)
    with postgres as url, connect(url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        sockets = postgres.folder.sockets
        assert sockets.stat().st_mode & 0o077 == 0
        assert len(str(sockets / ".s.PGSQL.5432")) <= 107


def test_a_running_server_is_found_from_elsewhere_until_it_stops(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings=QUICK)
    assert EmbeddedPostgres(home).running_url() is None
    with postgres as url:
        assert EmbeddedPostgres(home).running_url() == url
    assert EmbeddedPostgres(home).running_url() is None


def test_a_second_launcher_is_told_which_process_runs_it(home: Path) -> None:
    with (
        EmbeddedPostgres(home, settings=QUICK),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
    ):
        EmbeddedPostgres(home, settings=QUICK).start()


def test_two_checkouts_run_side_by_side(home: Path) -> None:
    other = home.with_name("another checkout")
    try:
        with EmbeddedPostgres(home, settings=QUICK) as one, EmbeddedPostgres(other, settings=QUICK) as two:
            connect(one).close()
            connect(two).close()
        assert one != two
    finally:
        discard_servers(other)


def test_lock_files_that_name_a_strangers_process_are_no_obstacle(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings=QUICK)
    with postgres:
        folder = postgres.folder
    stale = f"{os.getpid()}\n{folder.path / 'data'}\n1\n5432\n{folder.sockets}\n\n\nready\n"
    for place in (folder.path / "data" / "postmaster.pid", folder.path / ".s.PGSQL.5432.lock"):
        place.write_text(stale, "ascii")
        os.chown(place, folder.account.user, folder.account.group)
    assert postgres.running_url() is None
    with postgres as url:
        connect(url).close()


def test_a_creation_that_was_interrupted_is_begun_again(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings=QUICK)
    (postgres.folder.path / "data.new" / "base").mkdir(parents=True)
    with postgres as url:
        connect(url).close()


def test_a_server_that_was_killed_recovers_what_was_committed(home: Path) -> None:
    postgres = EmbeddedPostgres(home)
    with connect(postgres.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert postgres.process_id is not None
    os.kill(postgres.process_id, signal.SIGKILL)
    while postgres.is_alive():
        time.sleep(0.01)
    postgres.stop()
    with postgres as url, connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_launcher_that_was_killed_leaves_no_server_behind(home: Path, start_python: Start) -> None:
    launcher = start_python("-m", "tests.launcher.starts_servers", str(home))
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == "started\n"
    servers = psutil.Process(launcher.pid).children(recursive=True)
    assert {"postgres", "valkey-server"} <= {told(server.name, "") for server in servers}
    launcher.kill()
    assert wait_until_gone(servers) == []
    with EmbeddedPostgres(home, settings=QUICK) as url:
        connect(url).close()


def test_a_folder_that_cannot_be_used_is_named(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings={**QUICK, "max_connections": "none"})
    with pytest.raises(EmbeddedServerError, match="max_connections"):
        postgres.start()
    with EmbeddedPostgres(home, settings=QUICK) as url:
        connect(url).close()


@as_root
def test_below_a_folder_of_roots_own_the_data_lives_elsewhere_and_nothing_is_opened() -> None:
    private = Path(tempfile.mkdtemp(prefix="altayar-private-"))
    home = private / "checkout" / ".altayar"
    postgres = EmbeddedPostgres(home, settings=QUICK)
    try:
        with postgres as url, connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert postgres.folder.path.is_relative_to(SHARED_PLACE)
            assert postgres.folder.path.stat().st_mode & 0o077 == 0
            assert private.stat().st_mode & 0o077 == 0
        with postgres as url, connect(url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        elsewhere = postgres.folder.path
        postgres.discard()
        shutil.rmtree(private)
    assert not elsewhere.exists()


@as_root
def test_a_socket_folder_that_a_stranger_made_is_refused(home: Path) -> None:
    postgres = EmbeddedPostgres(home, settings=QUICK)
    sockets = postgres.folder.sockets
    sockets.mkdir(mode=0o700)
    try:
        os.chown(sockets, 1, 1)
        with pytest.raises(EmbeddedServerError, match="not a private folder of ours"):
            postgres.start()
    finally:
        shutil.rmtree(sockets)
