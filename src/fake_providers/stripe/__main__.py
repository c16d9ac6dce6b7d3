"""Run the server: `python -m fake_providers.stripe --port 9020 --books stripe.sqlite`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET, StripeServer


def main() -> None:
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("ENVIRONMENT: this provider takes no money and is refused in production")
    parser = argparse.ArgumentParser(prog="fake_providers.stripe", description="Stripe's API on loopback.")
    parser.add_argument("--port", type=int, default=9020)
    parser.add_argument("--books", type=Path, required=True, help="the SQLite file of objects and calls")
    parser.add_argument("--api-key", default=TEST_KEY, help="the only key that is let in; its mode is the account's")
    parser.add_argument("--webhook-url", default="", help="where events are sent to")
    parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET, help="two, separated by a comma, sign twice")
    told = parser.parse_args()
    server = StripeServer(
        told.books,
        port=told.port,
        api_key=told.api_key,
        webhook_url=told.webhook_url,
        webhook_secrets=tuple(told.webhook_secret.split(",")),
    )
    sys.stdout.write(f"listening on {server.address}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
