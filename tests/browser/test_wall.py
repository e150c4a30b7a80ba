"""The wall in a real browser: it lives, it says when it does not, and everybody can use it."""

import re

from django.utils import timezone
from playwright.sync_api import expect

from detection.models import Camera, Claim
from tests.browser.desk import Desk
from tests.rows import a_camera, a_claim, an_episode

SOON_MS = 15_000


def a_watched_camera(number: int) -> Camera:
    camera = a_camera(number, state="running")
    a_claim(camera, lease_seconds=600, frame_age=-300)
    return camera


def test_a_tile_changes_and_comes_first_when_its_camera_is_in_trouble(desk: Desk) -> None:
    cameras = [a_watched_camera(number) for number in (1, 2, 3)]
    desk.open("wall")
    expect(desk.page.locator(".wall-tile .wall-name").first).to_have_text("Camera 1")
    Claim.objects.filter(camera=cameras[2]).update(last_frame_at=timezone.now().replace(year=2020))
    first = desk.page.locator(".wall-tile").first
    expect(first.locator(".wall-name")).to_have_text("Camera 3", timeout=SOON_MS)
    expect(first.locator(".wall-state")).to_have_text("No frames")
    expect(first).to_have_class(re.compile("wall-bad"))


def test_an_open_episode_is_shown_and_leads_to_its_page(desk: Desk) -> None:
    camera = a_watched_camera(1)
    desk.open("wall")
    episode = desk.page.locator(".wall-episode")
    expect(episode).to_be_hidden()
    opened = an_episode(camera, status="suspicious", ended_at=None)
    expect(episode).to_have_text("Trespassing: Suspicious", timeout=SOON_MS)
    assert str(opened.pk) in (episode.get_attribute("href") or "")


def test_a_new_camera_appears_by_itself(desk: Desk) -> None:
    desk.open("wall")
    expect(desk.page.get_by_text("No camera to show yet")).to_be_visible()
    a_watched_camera(1)
    expect(desk.page.locator(".wall-tile")).to_have_count(1, timeout=SOON_MS)
    a_watched_camera(2)
    expect(desk.page.locator(".wall-tile")).to_have_count(2, timeout=SOON_MS)


def test_a_silent_server_is_said_over_all_tiles_until_it_answers(desk: Desk) -> None:
    a_watched_camera(1)
    desk.open("wall")
    alarm = desk.page.locator("#wall-alarm")
    expect(alarm).to_be_hidden()
    desk.page.context.set_offline(True)
    expect(alarm).to_contain_text("The server does not answer", timeout=SOON_MS)
    expect(desk.page.locator("#wall")).to_have_class(re.compile("wall-silent"))
    desk.page.context.set_offline(False)
    expect(alarm).to_be_hidden(timeout=SOON_MS)
    desk.script_errors.clear()  # the browser's own word for each request that found no network


def test_who_was_logged_out_is_told_so(desk: Desk) -> None:
    a_watched_camera(1)
    desk.open("wall")
    desk.page.context.clear_cookies()
    alarm = desk.page.locator("#wall-alarm")
    expect(alarm).to_contain_text("You are logged out", timeout=SOON_MS)


def test_columns_and_order_are_kept_for_the_next_time(desk: Desk) -> None:
    for number in (1, 2, 3):
        a_watched_camera(number)
    Camera.objects.filter(name="Camera 3").update(state="error", reason="refused")
    desk.open("wall")
    desk.page.select_option("#wall-columns", "3")
    desk.page.select_option("#wall-order", "name")
    for _ in range(2):
        expect(desk.page.locator(".wall-name").first).to_have_text("Camera 1")
        boxes = [tile.bounding_box() for tile in desk.page.locator(".wall-tile").all()]
        assert len({box["y"] for box in boxes if box}) == 1
        desk.page.reload()


def test_120_cameras_fit_and_nobody_is_shut_out(desk: Desk) -> None:
    for number in range(1, 121):
        a_watched_camera(number)
    Camera.objects.filter(external_id__in=(5, 6)).update(state="error", reason="refused")
    desk.open("wall")
    assert desk.barriers() == []
    desk.in_the_dark()
    assert desk.barriers() == []
    desk.on_a_phone()
    desk.open("wall")
    assert desk.overflow() == 0
    assert desk.barriers() == []
