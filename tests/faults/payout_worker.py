"""A worker of the documents queue, as `altayar worker documents` is one: each job runs in a fork, its work-horse."""

from __future__ import annotations

from sqlalchemy.engine import URL

from application.subscriptions import DOCUMENTS
from config.settings import Settings
from domain.shared.clock import Clock
from infrastructure.bootstrap import bootstrap
from infrastructure.database.transaction import Database
from workers.main import ForkingWorker, work
from workers.process import Stop


def main(settings: Settings, app_url: URL, clock: Clock) -> None:
    """Work until killed."""
    running = bootstrap(settings, database=Database(app_url), clock=clock)
    work(ForkingWorker, [DOCUMENTS], running, Stop())
