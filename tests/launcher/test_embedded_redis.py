"""The embedded Valkey: private, durable across restarts, and not hindered by what a killed run left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import redis
from limits.storage import storage_from_string

from infrastructure.embedded.errors import AlreadyRunning
from infrastructure.embedded.redis import EmbeddedRedis

pytestmark = pytest.mark.database


def test_it_listens_on_a_private_socket_and_on_no_port(home: Path) -> None:
    valkey = EmbeddedRedis(home)
    with valkey as url, redis.Redis.from_url(url) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert (valkey.folder.sockets / "valkey.sock").stat().st_mode & 0o077 == 0


def test_its_address_also_serves_the_rate_limiter(home: Path) -> None:
    with EmbeddedRedis(home) as url:
        assert storage_from_string(f"redis+{url}").check()


def test_what_was_queued_is_there_after_a_restart(home: Path) -> None:
    with EmbeddedRedis(home) as url, redis.Redis.from_url(url) as connection:
        connection.rpush("queue", "job")
    with EmbeddedRedis(home) as url, redis.Redis.from_url(url) as connection:
        assert connection.lrange("queue", 0, -1) == [b"job"]


def test_a_server_that_was_killed_starts_again(home: Path) -> None:
    valkey = EmbeddedRedis(home)
    valkey.start()
    assert valkey.process_id is not None
    os.kill(valkey.process_id, signal.SIGKILL)
    while valkey.is_alive():
        time.sleep(0.01)
    assert valkey.running_url() is None
    valkey.stop()
    with valkey as url, redis.Redis.from_url(url) as connection:
        assert connection.ping()


def test_a_second_launcher_is_told_which_process_runs_it(home: Path) -> None:
    with EmbeddedRedis(home) as url:
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
            EmbeddedRedis(home).start()
        assert EmbeddedRedis(home).running_url() == url


def test_nothing_is_written_outside_its_folder(home: Path) -> None:
    before = set(Path.cwd().iterdir())
    with EmbeddedRedis(home) as url, redis.Redis.from_url(url) as connection:
        connection.set("key", "value")
        connection.bgrewriteaof()
    assert set(Path.cwd().iterdir()) == before
    assert {entry.name for entry in home.iterdir()} == {"valkey", "valkey.lock"}
