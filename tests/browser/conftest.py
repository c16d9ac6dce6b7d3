"""Headless Chromium and the application behind a real server, for every test of a page.

`ALTAYAR_SCREENSHOTS` names a folder where the pages that were shown are kept as pictures.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.fakes.app_server import serving

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind a real server."""
    with serving(app) as url:
        yield url


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as launched:
        yield launched


class Tab:
    """One page of the browser, and whatever it complained of or asked other hosts for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def picture(self, name: str) -> None:
        folder = os.environ.get("ALTAYAR_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    @property
    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


NewTab = Callable[..., Tab]


@pytest.fixture
def new_tab(browser: Browser) -> Iterator[NewTab]:
    contexts = []

    def opened(*, width: int = 1000, height: int = 900, scripts: bool = True) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=scripts)
        contexts.append(context)
        return Tab(context.new_page())

    yield opened
    for context in contexts:
        context.close()
