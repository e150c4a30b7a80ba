"""Flower behind the admin's login: a real one, through the web."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from detection.models import AuditRecord
from simulators.demo.processes import answers, free_port
from tests.rows import officer
from tests.services import wait_until

pytestmark = pytest.mark.django_db
PASSWORD = "flower-in-the-tests"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def flower_port(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """`celery -A crimeops flower`, as it is typed."""
    port = free_port()
    environment = os.environ | {
        "REDIS_URL": broker_url,
        "FLOWER_PORT": str(port),
        "FLOWER_BASIC_AUTH": f"crimeops:{PASSWORD}",
        "DJANGO_SETTINGS_MODULE": "crimeops.settings",
    }
    command = [str(Path(sys.executable).parent / "celery"), "-A", "crimeops", "flower"]
    log = (tmp_path_factory.mktemp("flower") / "log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, process_group=0)
    try:
        wait_until(lambda: answers(port), "Flower listens", 40)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture
def flower(flower_port: int, settings: Settings) -> None:
    given = {"flower_port": flower_port, "flower_basic_auth": f"crimeops:{PASSWORD}"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=given)


def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def test_who_may_watch_jobs_sees_flowers_pages_without_its_password(flower: None) -> None:
    client = officer("watcher", "watch_jobs")
    for path, part in (("", "Workers"), ("tasks", "Tasks"), ("broker", "Broker")):
        page = client.get(f"/flower/{path}")
        assert page.status_code == 200
        assert part in page.content.decode()
        assert 'href="/flower/static/' in page.content.decode()
        assert PASSWORD not in page.content.decode()
        assert "Set-Cookie" not in page.headers


def test_its_scripts_and_styles_come_through_too(flower: None) -> None:
    script = officer("watcher", "watch_jobs").get("/flower/static/js/flower.js")
    assert (script.status_code, "javascript" in script["Content-Type"]) == (200, True)


def test_only_its_own_script_may_stand_in_a_page(flower: None) -> None:
    client = officer("watcher", "watch_jobs")
    policy = client.get("/flower/")["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-eval" not in policy
    other = client.get("/flower/tasks")["Content-Security-Policy"]
    assert "script-src 'self';" in other


def test_flower_alone_still_wants_its_password(flower: None, flower_port: int) -> None:
    assert requests.get(f"http://127.0.0.1:{flower_port}/flower/", timeout=5).status_code == 401


@pytest.mark.parametrize("path", ["/flower/", "/flower/tasks", "/flower/api/workers"])
def test_nobody_else_is_let_in(flower: None, path: str) -> None:
    assert Client().get(path)["Location"].startswith("/admin/login/?next=/flower/")
    assert officer("officer", "view_camera", "view_claim").get(path).status_code == 403


def test_who_may_only_watch_presses_no_button(flower: None) -> None:
    client = officer("watcher", "watch_jobs")
    answer = client.post("/flower/api/worker/shutdown/somebody", headers=SAME_ORIGIN)
    assert answer.status_code == 403
    assert answer.content.decode() == "You may watch the jobs, and not steer them."
    assert not AuditRecord.objects.filter(action="changed").exists()


def test_who_may_steer_presses_it_from_our_own_pages_only_and_on_record(flower: None) -> None:
    client = officer("engineer", "watch_jobs", "steer_jobs")
    address = "/flower/api/worker/shutdown/somebody"
    for foreign in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert client.post(address, headers=foreign).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    answer = strict.post(address, headers=SAME_ORIGIN)
    assert answer.status_code == 404, "Flower itself says that it knows no such worker"
    (record,) = AuditRecord.objects.filter(action="changed")
    assert record.details == {"jobs": "POST /flower/api/worker/shutdown/somebody"}


def test_an_address_cannot_lead_out_of_flower(flower: None) -> None:
    for path in ("/flower/../admin/", "/flower//127.0.0.1:1/", "/flower/%2e%2e/metrics"):
        assert officer(path, "watch_jobs").get(path).status_code in {403, 404}


def test_a_proxy_of_the_host_does_not_get_its_password(
    flower: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert officer("watcher", "watch_jobs").get("/flower/").status_code == 200


def test_where_it_does_not_run_the_page_says_how_to_start_it(settings: Settings) -> None:
    given = {"flower_port": free_port(), "flower_basic_auth": "crimeops:x"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=given)
    page = boss().get("/flower/")
    assert page.status_code == 503
    assert "celery -A crimeops flower" in page.content.decode()


def test_without_a_password_the_page_says_how_to_set_one() -> None:
    page = boss().get("/flower/")
    assert page.status_code == 503
    assert "FLOWER_BASIC_AUTH=user:password" in page.content.decode()


def test_another_password_than_the_webs_is_said(flower: None, settings: Settings) -> None:
    given = {"flower_basic_auth": "crimeops:another"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=given)
    assert "another FLOWER_BASIC_AUTH" in boss().get("/flower/").content.decode()


def test_it_is_in_the_navigation_of_who_may_see_it() -> None:
    assert "/flower/" in officer("watcher", "watch_jobs").get("/admin/").content.decode()
    assert "/flower/" not in officer("other", "view_camera").get("/admin/").content.decode()
