"""The pages in a real Chromium, served by Django itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.browser.chromium import find_chromium
from tests.browser.desk import Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.live_server_helper import LiveServer

# Playwright keeps an event loop in this thread, and Django would take our queries for its own.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


# How long a page takes to show something says how busy the machine is.
PATIENCE_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One for each module: while it is there, nothing else in this thread can run a loop."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium here: `make browser` looks for one (CRIMEOPS_CHROMIUM names it)")
    from playwright.sync_api import expect, sync_playwright  # slow to import, only needed here

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def _evidence_of_this_test(settings: Settings, tmp_path: Path) -> None:
    default: dict[str, Any] = settings.STORAGES["default"]
    options = {**default["OPTIONS"], "location": tmp_path / "evidence"}
    settings.STORAGES = {**settings.STORAGES, "default": {**default, "OPTIONS": options}}


@pytest.fixture
def desk(
    browser: "Browser", live_server: "LiveServer", _evidence_of_this_test: None
) -> Iterator[Desk]:
    """A superuser's browser at 1440 × 900; any error of a script fails the test."""
    boss = User.objects.create_superuser("boss", password="x")
    client = Client()
    client.force_login(boss)
    session = client.cookies["sessionid"].value
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    desk = Desk(context.new_page(), live_server.url, boss)
    yield desk
    context.close()
    assert not desk.script_errors, desk.script_errors
