"""Payment providers for the demo: fakes on loopback, each a process of its own with books of its own."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infrastructure.embedded.processes import die_with_parent

START_SECONDS: Final = 60.0
_ANNOUNCED: Final = "listening on "


class ProviderNotStarted(Exception):
    """A fake provider did not begin to listen; the message has what it said instead."""


@dataclass(frozen=True, slots=True)
class Providers:
    """Where the fakes listen; requests under `/_control` say what their customers do."""

    fawaterk: str
    stripe: str
    settings: Mapping[str, str]
    """What makes the system use them, as in `.env`."""


@contextmanager
def fake_providers(folder: Path, root: Path, *, backend: str) -> Iterator[Providers]:
    """Both fakes, told of `backend` as the merchant; they are gone afterwards. Raises ProviderNotStarted."""
    vendor_key, card_key, card_secret = (secrets.token_hex(24) for _ in range(3))
    card_key = f"sk_test_{card_key}"
    client_id, client_secret = "demo-client", secrets.token_hex(24)
    with (
        _process(
            "fake_providers.fawaterk", folder, root,
            "--api-key", vendor_key, "--client-id", client_id, "--client-secret", client_secret,
        ) as fawaterk,
        _process(
            "fake_providers.stripe", folder, root,
            "--api-key", card_key, "--webhook-secret", card_secret,
            "--webhook-url", f"{backend}/api/v1/payments/webhooks/stripe",
        ) as stripe,
    ):  # fmt: skip
        yield Providers(
            fawaterk,
            stripe,
            {
                "PAYMENT_GATEWAYS": "sandbox,fawaterk,stripe,manual",
                "FAWATERK_BASE_URL": f"{fawaterk}/api/v2",
                "FAWATERK_API_VERSION": "v2",
                "FAWATERK_API_KEY": vendor_key,
                "FAWATERK_WEBHOOK_SECRET": "",
                "FAWATERK_CLIENT_ID": client_id,
                "FAWATERK_CLIENT_SECRET": client_secret,
                "STRIPE_API_BASE": stripe,
                "STRIPE_API_KEY": card_key,
                "STRIPE_WEBHOOK_SECRET": card_secret,
            },
        )


@contextmanager
def _process(module: str, folder: Path, root: Path, *words: str) -> Iterator[str]:
    """The fake as a process; the address that it announces."""
    log = folder / f"{module}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", "--books", str(folder / f"{module}.sqlite"), *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root / "src"), "ENVIRONMENT": "development"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        process.wait(30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = log.read_text("utf-8", "replace")
        found = next((line for line in said.splitlines() if line.startswith(_ANNOUNCED)), None)
        if found is not None:
            return found.removeprefix(_ANNOUNCED).strip()
        if process.poll() is not None or time.monotonic() > deadline:
            raise ProviderNotStarted("\n".join(said.splitlines()[-10:]))
        time.sleep(0.1)
