"""Which servers the system stands on: those the settings name, those that run, or ones started for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Settings, load_settings
from infrastructure.embedded.errors import ServerRefused
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.embedded.servers import check_servers, reachable_servers, started_servers, with_running_servers
from tests.launcher.processes import discard_servers

pytestmark = pytest.mark.database


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings({"ALTAYAR_HOME": str(home)}, root=home.parent)


@pytest.fixture
def given(home: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two servers that are none of the home folder's own."""
    other = home.with_name("somebody's servers")
    with EmbeddedPostgres(other, settings={"fsync": "off"}) as database, EmbeddedRedis(other) as redis:
        yield database, redis
    discard_servers(other)


def test_empty_addresses_start_servers_that_stop_at_the_end(settings: Settings, home: Path) -> None:
    with started_servers(settings) as servers:
        assert [server.name for server in servers.embedded] == ["postgres", "valkey"]
        check_servers(servers.settings)
    assert EmbeddedPostgres(home).running_url() is None
    assert EmbeddedRedis(home).running_url() is None


def test_given_servers_are_used_and_left_running(settings: Settings, home: Path, given: tuple[str, str]) -> None:
    database, redis = given
    with started_servers(replace(settings, database_url=database, redis_url=redis)) as servers:
        assert servers.embedded == ()
        assert not (home / "postgres").exists()
    check_servers(servers.settings)


def test_one_may_be_given_and_the_other_embedded(settings: Settings, given: tuple[str, str]) -> None:
    with started_servers(replace(settings, database_url=given[0])) as servers:
        assert [server.name for server in servers.embedded] == ["valkey"]


def test_a_command_beside_a_running_system_uses_its_servers(settings: Settings) -> None:
    with started_servers(settings) as servers:
        with reachable_servers(settings) as found:
            assert found.database_url == servers.settings.database_url
            assert found.redis_url == servers.settings.redis_url
        check_servers(servers.settings)


def test_without_a_running_system_the_addresses_stay_empty(settings: Settings, home: Path) -> None:
    assert with_running_servers(settings) == settings
    assert not (home / "postgres").exists()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("DATABASE_URL", {"database_url": "postgresql://nobody:none@127.0.0.1:1/none"}),
        ("REDIS_URL", {"redis_url": "redis://127.0.0.1:1/0"}),
    ],
)
def test_a_given_server_that_does_not_answer_is_named(
    settings: Settings, given: tuple[str, str], name: str, changes: dict[str, str]
) -> None:
    reachable = replace(settings, database_url=given[0], redis_url=given[1])
    with pytest.raises(ServerRefused, match=name):
        check_servers(replace(reachable, **changes))
