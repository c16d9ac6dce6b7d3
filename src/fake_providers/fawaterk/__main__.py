"""The fake as a process of its own: `python -m fake_providers.fawaterk --books FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fake_providers import FakeInProduction
from fake_providers.fawaterk.server import FawaterkServer


def main() -> None:
    """Serve until stopped. Says why and ends with status 1 in production."""
    told = _parser().parse_args()
    try:
        server = FawaterkServer(
            told.books,
            port=told.port,
            api_key=told.api_key,
            client_id=told.client_id,
            client_secret=told.client_secret,
            huge_ids=told.huge_ids,
            automatic_webhooks=not told.no_webhooks,
        )
    except FakeInProduction as refusal:
        sys.exit(f"{refusal}")
    print(f"listening on {server.address}", flush=True)  # noqa: T201
    server.serve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fake_providers.fawaterk",
        description="Fawaterk's API v2 and v3 on loopback, for tests and the demo.",
    )
    parser.add_argument("--port", type=int, default=9010)
    parser.add_argument("--books", type=Path, required=True, help="the SQLite file of invoices, refunds and calls")
    parser.add_argument("--api-key", default="demo-vendor-key-0001")
    parser.add_argument("--client-id", default="demo-client-0001")
    parser.add_argument("--client-secret", default="demo-client-secret-0001")
    parser.add_argument("--huge-ids", action="store_true", help="ids above 2^53, sent as strings")
    parser.add_argument("--no-webhooks", action="store_true", help="send webhooks only when told to")
    return parser


if __name__ == "__main__":
    main()
