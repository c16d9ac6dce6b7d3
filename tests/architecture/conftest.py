"""The application as it is put together, without a server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from config.settings import load_settings
from infrastructure.bootstrap import bootstrap


@pytest.fixture(scope="module")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application; what it would connect to is not there."""
    home: Path = tmp_path_factory.mktemp("home")
    settings = load_settings(
        {
            "ENVIRONMENT": "test",
            "ALTAYAR_HOME": str(home),
            "DATABASE_URL": "postgresql://owner:owner@127.0.0.1:1/nothing",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        root=home,
    )
    running = bootstrap(settings)
    yield create_app(running=running)
    running.close()


@pytest.fixture(scope="module")
def document(bare_app: Flask) -> dict[str, Any]:
    """The OpenAPI document as clients get it."""
    found: dict[str, Any] = bare_app.test_client().get("/openapi.json").json
    return found
