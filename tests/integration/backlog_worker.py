"""A worker process on the quick queue, with the gateways that its settings name."""

from __future__ import annotations

from sqlalchemy.engine import URL

from application.subscriptions import QUICK
from config.settings import Settings
from infrastructure.bootstrap import bootstrap
from infrastructure.database.transaction import Database
from workers.main import QuickWorker, work
from workers.process import Stop


def main(settings: Settings, app_url: URL) -> None:
    """Work until told to stop."""
    stop = Stop()
    stop.listen()
    running = bootstrap(settings, database=Database(app_url))
    work(QuickWorker, [QUICK], running, stop)
    running.close()
