"""A zone is drawn in a browser while its camera is watched, and the next intruder triggers it."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from simulators.demo.processes import free_port
from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo
from tests import services
from tests.browser.chromium import find_chromium
from tests.e2e.cluster import Cluster

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

OFFICER = ("boss", "a-long-password-of-this-test")
FOLLOWED = "camera 1: its zones, settings or hours changed"
MOST_SECONDS = 5.0  # from the save until the watch goes by it


@pytest.fixture
def page() -> "Iterator[Page]":
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium here: `make browser` looks for one (CRIMEOPS_CHROMIUM names it)")
    from playwright.sync_api import sync_playwright  # slow to import, and only needed here

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        with closing(browser):
            yield browser.new_page(viewport={"width": 1440, "height": 900})


def serve_admin(cluster: Cluster) -> str:
    """The admin as it is run, on the cluster's database; its address."""
    name, password = OFFICER
    code = (
        "from django.contrib.auth.models import User; "
        f"User.objects.create_superuser('{name}', password='{password}')"
    )
    cluster.manage("shell", "--no-imports", "-c", code)
    cluster.manage("collectstatic", "--no-input", "--verbosity=0")
    address = f"127.0.0.1:{free_port()}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "crimeops.wsgi",
        "--bind",
        address,
        "--no-control-socket",
    ]
    cluster.processes.start("web", command, cluster.environment)

    def answers() -> bool:
        cluster.processes.check()
        try:
            with urlopen(f"http://{address}/admin/login/", timeout=2):
                return True
        except OSError:
            return False

    services.wait_until(answers, "the admin answers", 30)
    return f"http://{address}"


def log_in(page: "Page", address: str) -> None:
    page.goto(f"{address}/admin/login/")
    page.locator("[name=username]").fill(OFFICER[0])
    page.locator("[name=password]").fill(OFFICER[1])
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/admin/")


def draw(page: "Page", corners: list[tuple[float, float]]) -> None:
    """Click corner by corner on the camera's own picture, and on the first again."""
    page.wait_for_function("!document.getElementById('zone-picture').hidden")
    page.get_by_role("button", name="Restricted").click()
    box = page.locator("#zone-board").bounding_box()
    assert box is not None
    for x, y in [*corners, corners[0]]:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.get_by_label("Name").fill("yard")


def test_a_zone_that_is_drawn_triggers_at_the_next_intruder_without_a_restart(
    tmp_path: Path,
    broker_url: str,
    model_dir: Path,
    empty_scene: Path,
    scene: Path,
    page: "Page",
) -> None:
    camera = SimulatedTapo(user="operator", password="camera-password", clip=empty_scene)
    database = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with Cluster(tmp_path, broker_url, database, model_dir, [camera]) as cluster:
        cluster.settings["TAPO_CONTROL_PORT"] = str(camera.control_port)
        cluster.list_cameras()
        address = serve_admin(cluster)
        cluster.start()
        cluster.wait_for_state(1, "running", seconds=40)
        log_in(page, address)
        (row,) = cluster.rows("SELECT id FROM detection_camera")
        page.goto(f"{address}/admin/detection/camera/{row['id']}/zones/")

        draw(page, [(x, y) for x, y in RESTRICTED_ZONE])
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector("#zone-status[data-tone=good]")
        saved = time.monotonic()
        followed = lambda: FOLLOWED in cluster.everything_written()  # noqa: E731 — said twice
        services.wait_until(followed, "the watch goes by the new zone", MOST_SECONDS)
        print(f"from the save until the watch goes by it: {time.monotonic() - saved:.1f} s")

        camera.switch_clip(scene)
        services.wait_until(lambda: cluster.backend.stops, "the alert is stopped", 60)
        assert any(call.action == "start" for call in camera.siren_calls)
        episode = cluster.rows("SELECT * FROM detection_episode ORDER BY started_at")[0]
        assert episode["crime_type"] == "trespassing"
        assert "“yard”" in episode["reason"]

        cluster.processes.stop("streams-gpu")  # its last page of tracks is written then
        kept = cluster.rows("SELECT length(content) AS bytes FROM detection_tracklog")
        assert 0 < sum(row["bytes"] for row in kept) < 20_000
        page.get_by_role("button", name="Who would have triggered?").click()
        page.wait_for_selector(".zone-trigger", state="attached")
        (count,) = page.locator(".zone-day-count").all_text_contents()
        assert count.startswith("1 alert")
        cluster.processes.stop("web")
