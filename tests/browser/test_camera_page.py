"""The page of a camera: what it sees now, how it is watched, and what one does about it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings

from detection.models import AuditRecord, Camera, CameraState, Claim
from detection.transport.live import LivePicture, LivePictures
from detection.transport.viewers import Viewers
from simulators.tapo import SimulatedTapo
from tests.browser.camera_stage import (
    PASSWORD,
    a_day,
    a_jpeg,
    a_yard,
    age_of,
    said_on,
    state_of,
)
from tests.browser.desk import Desk
from tests.rows import a_camera, a_claim, an_episode
from tests.services import valkey, wait_until
from tests.watched import load_small_detector, use, watched

BOX = {"id": 7, "label": "person", "confidence": 0.9, "xyxy": [0.3, 0.2, 0.5, 0.9]}


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
def pictures(redis_url: str, settings: Settings) -> Iterator[LivePictures]:
    use(settings, redis_url=redis_url, siren_enabled=False)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        yield LivePictures(client)


@pytest.fixture
def tapo(rendered_scene: Path) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="operator", password=PASSWORD, clip=rendered_scene) as simulated:
        yield simulated


def a_picture(age_seconds: float = 0.0, *, suspect: bool = False) -> LivePicture:
    taken = datetime.now(UTC) - timedelta(seconds=age_seconds)
    return LivePicture(taken, a_jpeg(), [{**BOX, "suspect": suspect}], taken)


def red_pixels(desk: Desk) -> int:
    """How many pixels of the shown picture have the colour of a suspect's box."""
    return int(
        desk.page.evaluate(
            """() => {
                const canvas = document.querySelector(".cam-picture");
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                let found = 0;
                for (let i = 0; i < data.length; i += 4)
                    if (data[i] === 239 && data[i + 1] === 68 && data[i + 2] === 68) found += 1;
                return found;
            }"""
        )
    )


# --- the live picture ----------------------------------------------------------------------------


def test_a_camera_that_is_watched_is_seen_live_with_boxes_over_one_connection(
    desk: Desk, pictures: LivePictures, redis_url: str, tapo: SimulatedTapo, model_dir: Path
) -> None:
    camera = a_yard(tapo)
    with watched(camera, redis_url, load_small_detector(model_dir)):
        wait_until(lambda: pictures.still(camera.pk), "a still", 60)
        assert pictures.newest(camera.pk) is None, "nobody looks: nothing is encoded for them"
        desk.open("detection_camera_change", camera.pk)
        wait_until(lambda: state_of(desk.page) == "still", "the still is shown, not as live")
        desk.page.get_by_role("button", name="Watch live").click()
        wait_until(lambda: state_of(desk.page) == "live", "it is live")
        wait_until(
            lambda: any(box["label"] == "person" for box in _boxes(pictures, camera)),
            "the intruder is followed",
            40,
        )
        assert age_of(desk.page).startswith("Live")
        assert (tapo.total_sessions, tapo.active_clients) == (1, 1)
        assert desk.barriers() == []
        desk.page.get_by_role("button", name="Stop").click()
        assert state_of(desk.page) != "live"
        wait_until(lambda: pictures.newest(camera.pk) is None, "nothing is encoded any more", 20)
        wait_until(lambda: Viewers.connect(redis_url).count() == 0, "its place is free")
    assert tapo.total_sessions == 1
    assert AuditRecord.objects.filter(action="live_viewed", username="boss").count() == 1


def _boxes(pictures: LivePictures, camera: Camera) -> list[dict[str, object]]:
    picture = pictures.newest(camera.pk)
    return (picture.boxes or []) if picture else []


def test_boxes_are_switched_off(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera()
    pictures.post(camera.pk, a_picture(suspect=True))
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("button", name="Watch live").click()
    wait_until(lambda: red_pixels(desk) > 200, "the suspect's box is drawn")
    desk.page.get_by_role("button", name="Boxes").click()
    assert red_pixels(desk) == 0


def test_an_old_picture_never_looks_live(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera()
    pictures.post_still(camera.pk, a_picture(age_seconds=125))
    desk.open("detection_camera_change", camera.pk)
    expect(desk.page.locator(".cam-age-text")).to_have_text("Not live: 2 min old")
    assert state_of(desk.page) == "old"
    pictures.post(camera.pk, a_picture())
    desk.page.get_by_role("button", name="Watch live").click()
    wait_until(lambda: state_of(desk.page) == "live", "it is live")
    wait_until(lambda: state_of(desk.page) == "old", "no newer one comes: it is greyed", 15)
    assert age_of(desk.page).startswith("Not live")


def test_a_stream_that_brings_nothing_says_so(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera(state=CameraState.ERROR, reason="unreachable: the camera cannot be reached")
    desk.open("detection_camera_change", camera.pk)
    expect(desk.page.locator(".cam-empty")).to_be_visible()
    expect(desk.page.locator(".cam-trouble")).to_contain_text("the camera cannot be reached")
    desk.page.get_by_role("button", name="Watch live").click()
    wait_until(lambda: "No new picture comes" in said_on(desk.page), "it is said", 15)


def test_the_page_asks_whether_somebody_still_watches(
    desk: Desk, pictures: LivePictures, settings: Settings
) -> None:
    use(settings, live_minutes=2 / 60)
    camera = a_camera()
    pictures.post(camera.pk, a_picture())
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("button", name="Watch live").click()
    go_on = desk.page.get_by_role("button", name="Go on watching")
    expect(go_on).to_be_visible(timeout=15_000)
    assert said_on(desk.page).startswith("Still watching?")
    go_on.click()
    expect(desk.page.get_by_role("button", name="Stop")).to_be_visible()


def test_a_site_that_is_full_says_so(
    desk: Desk, pictures: LivePictures, redis_url: str, settings: Settings
) -> None:
    use(settings, live_viewers=1)
    assert Viewers.connect(redis_url).enter(99, each=4, site=1)
    desk.open("detection_camera_change", a_camera().pk)
    desk.page.get_by_role("button", name="Watch live").click()
    wait_until(lambda: "As many people watch" in said_on(desk.page), "it is said")
    desk.script_errors.clear()  # Chromium itself names the 503


def test_who_leaves_the_page_frees_the_place_within_seconds(
    desk: Desk, pictures: LivePictures, redis_url: str
) -> None:
    camera = a_camera()
    pictures.post(camera.pk, a_picture())
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("button", name="Watch live").click()
    wait_until(lambda: Viewers.connect(redis_url).count() == 1, "somebody watches")
    desk.open("index")
    wait_until(lambda: Viewers.connect(redis_url).count() == 0, "nobody does", 6)


# --- the rest of the page ------------------------------------------------------------------------


def test_the_page_tells_of_the_day_and_of_what_was_wrong(
    desk: Desk, pictures: LivePictures
) -> None:
    camera = a_camera()
    a_day(camera)
    desk.open("detection_camera_change", camera.pk)
    strip = desk.page.locator(".cam-strip")
    expect(strip).to_have_attribute("aria-label", "Not watched 2 times, for 42 min 0 s in all.")
    assert strip.locator(".cam-blind").count() == 2
    assert strip.locator(".cam-episode").count() == 2
    desk.page.get_by_text("When and why it was not watched").click()
    rows = desk.page.locator(".cam-more table").first.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("30 min 0 s")
    expect(rows.nth(0)).to_contain_text("covered")
    expect(rows.nth(1)).to_contain_text("nobody watched it")


def test_one_click_arms_the_camera(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera()
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("button", name="Night").click()
    expect(desk.page.get_by_role("button", name="Night")).to_have_attribute("aria-pressed", "true")
    camera.refresh_from_db()
    assert camera.profile == "night"


def test_restart_asks_the_watcher_to_let_go(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera(state=CameraState.RUNNING)
    a_claim(camera)
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("button", name="Restart").click()
    expect(desk.page.get_by_text("taken anew within half a minute")).to_be_visible()
    assert Claim.objects.get().restart_at is not None


def test_removing_asks_first_and_keeps_what_the_camera_saw(
    desk: Desk, pictures: LivePictures
) -> None:
    camera = a_camera()
    a_day(camera)
    desk.open("detection_camera_change", camera.pk)
    desk.page.get_by_role("link", name="Remove").click()
    assert desk.barriers() == []
    desk.page.get_by_role("button", name="Remove").click()
    expect(desk.page.get_by_text("Their episodes and evidence are kept")).to_be_visible()
    expect(desk.page.locator("#result_list")).to_have_count(0)
    desk.open("detection_camera_change", camera.pk)
    expect(desk.page.get_by_role("heading", name="Removed on")).to_be_visible()
    expect(desk.page.locator(".cam-rows").first).to_contain_text("Trespassing")
    assert desk.page.locator("#cam-live").count() == 0
    assert desk.barriers() == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_usable_by_everybody(desk: Desk, pictures: LivePictures, dark: bool) -> None:
    camera = a_camera()
    a_day(camera)
    pictures.post_still(camera.pk, a_picture())
    if dark:
        desk.in_the_dark()
    desk.open("detection_camera_change", camera.pk)
    wait_until(lambda: state_of(desk.page) == "still", "the still is shown")
    assert desk.barriers() == []
    desk.page.locator("#settings > summary").click()
    assert desk.barriers() == []


def test_the_pages_fit_a_phone(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera(name="A name that is as long as such names are in real cities", pk=4711)
    a_day(camera)
    pictures.post_still(camera.pk, a_picture())
    desk.on_a_phone()
    for name, arguments in (
        ("detection_camera_change", (camera.pk,)),
        ("detection_camera_add", ()),
        ("detection_camera_changelist", ()),
        ("detection_camera_remove", (camera.pk,)),
    ):
        desk.open(name, *arguments)
        assert desk.overflow() == 0, name


def test_the_list_shows_each_camera_s_still_and_greys_an_old_one(
    desk: Desk, pictures: LivePictures
) -> None:
    new, old, none = (a_camera(number) for number in (1, 2, 3))
    pictures.post_still(new.pk, a_picture())
    pictures.post_still(old.pk, a_picture(age_seconds=600))
    desk.open("detection_camera_changelist")
    stills = desk.page.locator(".cam-still")
    expect(stills).to_have_count(2)
    expect(desk.page.locator(".cam-stale")).to_contain_text("10 min")
    expect(desk.page.locator(f'[data-live="{none.pk}:still"]')).to_have_text("no picture")
    assert desk.barriers() == []


def test_the_list_fits_a_screen(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera(1, name="Yard camera 1", station_id=1)
    pictures.post_still(camera.pk, a_picture())
    an_episode(camera, status="confirmed", ended_at=None)
    a_claim(camera)
    desk.open("detection_camera_changelist")
    wider = "t => t.scrollWidth - t.parentElement.clientWidth"
    assert desk.page.locator("#result_list").evaluate(wider) <= 0


# --- adding a camera -----------------------------------------------------------------------------


def type_in(desk: Desk, url: str, user: str = "", password: str = "") -> None:
    desk.open("detection_camera_add")
    for name, value in (("stream_url", url), ("username", user), ("password", password)):
        desk.page.locator(f"[name=new_{name}]").fill(value)
    desk.page.get_by_role("button", name="Try the stream").click()


def test_a_stream_is_tried_before_it_is_saved(
    desk: Desk, pictures: LivePictures, tapo: SimulatedTapo
) -> None:
    url = f"rtsp://127.0.0.1:{tapo.rtsp_port}/stream2"
    type_in(desk, url, "operator", PASSWORD)
    said = desk.page.locator("#cam-probe .cam-said")
    expect(said).to_contain_text("640 × 360 pixels, H264, about 15 frames a second", timeout=15_000)
    shown = desk.page.get_by_alt_text("First picture of the stream")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") == 640
    assert desk.barriers() == []
    wait_until(lambda: tapo.active_clients == 0, "the server has hung up")
    assert tapo.total_sessions == 1
    desk.page.locator("[name=name]").fill("Back door")
    desk.page.get_by_role("button", name="Save", exact=True).click()
    expect(desk.page.locator("#result_list")).to_contain_text("Back door")
    assert Camera.objects.get().stream_url == tapo.rtsp_url
    assert desk.page.get_by_text("without having tried").count() == 0
    assert PASSWORD not in desk.page.content()


def test_a_stream_that_cannot_be_opened_says_what_to_do_and_may_be_saved_with_a_warning(
    desk: Desk, pictures: LivePictures, tapo: SimulatedTapo
) -> None:
    type_in(desk, f"rtsp://127.0.0.1:{tapo.rtsp_port}/stream2", "operator", "wrong-w0rd")
    said = desk.page.locator("#cam-probe .cam-said")
    expect(said).to_contain_text("refuses the user name or the password", timeout=15_000)
    assert "wrong-w0rd" not in desk.page.content()
    desk.page.locator("[name=name]").fill("Back door")
    desk.page.get_by_role("button", name="Save", exact=True).click()
    expect(desk.page.get_by_text("Saved without having tried its stream")).to_be_visible()


def test_a_stream_that_is_watched_is_not_opened_a_second_time(
    desk: Desk, pictures: LivePictures, tapo: SimulatedTapo
) -> None:
    a_yard(tapo)
    type_in(desk, f"rtsp://127.0.0.1:{tapo.rtsp_port}/stream2", "operator", PASSWORD)
    said = desk.page.locator("#cam-probe .cam-said")
    expect(said).to_contain_text("“Yard gate” reads this stream already")
    assert tapo.total_sessions == 0


def test_an_address_outside_the_cameras_networks_is_refused_unasked(
    desk: Desk, pictures: LivePictures, tapo: SimulatedTapo, settings: Settings
) -> None:
    from ipaddress import ip_network

    use(settings, camera_networks=[ip_network("10.0.0.0/8")])
    type_in(desk, tapo.rtsp_url)
    said = desk.page.locator("#cam-probe .cam-said")
    expect(said).to_contain_text("lies outside of CAMERA_NETWORKS")
    assert tapo.total_sessions == 0


def test_time_stands_by_the_readers_zone(desk: Desk, pictures: LivePictures) -> None:
    camera = a_camera()
    picture = a_picture()
    pictures.post_still(camera.pk, picture)
    desk.open("detection_camera_change", camera.pk)
    local = timezone.localtime(picture.captured_at)
    expect(desk.page.locator(".cam-captured")).to_have_text(f"{local:%Y-%m-%d %H:%M:%S}")
