"""The page of one episode in a real browser: watching, deciding, and what is missing."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import timezone

from detection.models import (
    Camera,
    Episode,
    EvidenceFile,
    EvidenceKind,
    ReviewStep,
    Verdict,
    Zone,
)
from detection.services.review_steps import Actor
from detection.services.reviews import review_episode
from tests.browser import filmed
from tests.browser.desk import Desk
from tests.browser.filmed import a_bare_episode, a_filmed_episode
from tests.rows import a_camera, a_delivery, a_file

if TYPE_CHECKING:
    from playwright.sync_api import Page

YARD = [[0.1, 0.3], [0.9, 0.3], [0.9, 0.9], [0.1, 0.9]]
GATE = [[0.5, 0.2], [0.5, 0.9]]  # downwards: what is right of it lies on the left of the picture


@pytest.fixture
def camera() -> Camera:
    camera = a_camera(1, name="North yard", station_id=7)
    Zone.objects.create(camera=camera, name="Yard", kind="restricted", polygon=YARD)
    Zone.objects.create(camera=camera, name="Gate", kind="entry_line", polygon=GATE)
    return camera


def open_page(desk: Desk, episode: Episode, query: str = "") -> "Page":
    """The page with its scripts at work."""
    desk.page.set_default_timeout(10_000)
    desk.open("detection_episode_change", episode.pk, query=query)
    desk.page.wait_for_selector("#episode.ep-scripted [data-clock]:not(:empty)", state="attached")
    return desk.page


def seek(page: "Page", second: float) -> None:
    """Show the frame of this second, and wait until it is on the screen."""
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.evaluate(
        "([second, lead]) => new Promise((seen) => {"
        "  const video = document.querySelector('video');"
        "  video.requestVideoFrameCallback(() => seen());"
        "  video.currentTime = second + lead + 0.001; })",
        [second, filmed.LEAD],
    )


def frame_of(page: "Page", track: int) -> dict[str, float]:
    """Where a track's box is drawn, as shares of the picture (its bars not counted)."""
    script = """(track) => {
      const box = document.querySelector(`[data-track="${track}"] > rect`).getBoundingClientRect();
      const video = document.querySelector('video');
      const room = video.getBoundingClientRect();
      const scale = Math.min(room.width / video.videoWidth, room.height / video.videoHeight);
      const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
      const left = room.left + (room.width - width) / 2;
      const top = room.top + (room.height - height) / 2;
      return { left: (box.left - left) / width, top: (box.top - top) / height,
               right: (box.right - left) / width, bottom: (box.bottom - top) / height };
    }"""
    found: dict[str, float] = page.evaluate(script, track)
    return found


# --- boxes over the picture ----------------------------------------------------------------------


@pytest.mark.parametrize("width", [1440, 700, 390])
def test_a_box_lies_on_what_it_is_about(desk: Desk, camera: Camera, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 1.0)  # of the clip: 6.0, an analysed frame
    box = frame_of(page, 7)
    assert box["left"] == pytest.approx(0.30, abs=0.01)
    assert box["right"] == pytest.approx(0.50, abs=0.01)
    assert (box["top"], box["bottom"]) == pytest.approx((0.4, 0.6), abs=0.01)


def test_a_box_is_on_its_way_between_two_analysed_frames(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 2.1)  # between 2.0 and 2.2
    assert frame_of(page, 7)["left"] == pytest.approx(0.05 * 7.1, abs=0.005)


def test_no_box_is_drawn_where_its_track_has_ended(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 5.0)
    assert page.locator("[data-track='7']").count() == 1
    seek(page, 5.6)
    assert page.locator("[data-track='7']").count() == 0
    assert page.locator("[data-track='3']").count() == 1, "another goes on"


def test_layers_are_switched_by_keys_and_stay_so_on_the_next_page(
    desk: Desk, camera: Camera
) -> None:
    episode = a_filmed_episode(camera)
    page = open_page(desk, episode)
    seek(page, 1.0)
    assert page.locator(".ep-zone").count() == 2 and page.locator(".ep-box").count() == 2
    assert "person 7 · 90 %" in (page.locator("[data-track='7']").text_content() or "")
    page.keyboard.press("b")
    assert page.locator(".ep-box").count() == 0
    page.keyboard.press("z")
    assert page.locator(".ep-zones").is_hidden()
    page = open_page(desk, episode)
    seek(page, 1.0)
    assert page.locator(".ep-box").count() == 0
    assert page.locator("[data-do=boxes]").get_attribute("aria-pressed") == "false"


def test_an_entry_line_shows_by_an_arrow_where_inside_is(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 0)
    gate = page.locator(".ep-zone-entry_line")
    assert "Gate" in (gate.text_content() or "")
    line, shaft = (gate.locator("polyline").nth(n).bounding_box() for n in (0, 1))
    assert line and shaft and shaft["x"] < line["x"] - 5, "right of a line drawn downwards is left"


# --- the player and the line of time -------------------------------------------------------------


def test_one_begins_to_look_three_seconds_before_it_became_suspicious(
    desk: Desk, camera: Camera
) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    assert page.locator(".ep-still").is_visible(), "the surest moment, until one plays"
    page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('video').paused")
    began = page.evaluate("document.querySelector('video').currentTime")
    assert filmed.LEAD - 3 <= began < filmed.LEAD - 2
    page.wait_for_function("document.querySelector('video').currentTime > 2.5")
    page.keyboard.press("Space")
    assert page.evaluate("document.querySelector('video').paused")
    assert page.locator(".ep-still").is_hidden()


def test_frames_are_stepped_one_by_one(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 1.0)
    clock = page.locator("[data-clock]")
    for key, shown in ((".", "+1.1 s"), (".", "+1.2 s"), (",", "+1.1 s")):
        page.keyboard.press(key)
        clock.filter(has_text=shown).wait_for()


def test_the_line_of_time_seeks_by_mouse_and_by_keyboard(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    slider = page.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    place = slider.bounding_box()
    assert place
    page.mouse.click(place["x"] + place["width"] * 0.75, place["y"] + place["height"] / 2)
    # The clip is all that there is to show: 12 s, of which three quarters are 9.
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 9) < 0.1")
    assert float(slider.get_attribute("aria-valuenow") or 0) == pytest.approx(4.0, abs=0.1)
    assert "21:30:04" in (slider.get_attribute("aria-valuetext") or "")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 8) < 0.1")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('video').currentTime < 0.05")
    page.locator("[data-mark^=confirmed]").click()
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 9) < 0.1")


def test_labels_of_marks_never_cover_each_other(desk: Desk, camera: Camera) -> None:
    episode = a_filmed_episode(camera)
    desk.on_a_phone()
    page = open_page(desk, episode)
    page.wait_for_selector(".ep-label")
    boxes = [label.bounding_box() for label in page.locator(".ep-label").all()]
    assert len(boxes) == 4
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one and other
            apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            below = (
                one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
            )
            assert apart or below, (one, other)


def test_a_long_episode_is_looked_at_more_closely(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    ticks = page.locator("[data-axis] span")
    page.wait_for_function("document.querySelectorAll('[data-axis] span').length > 3")
    widest = ticks.first.text_content()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert ticks.first.text_content() != widest
    page.keyboard.press("0")
    assert ticks.first.text_content() == widest


def test_the_peak_is_repeated(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.locator("[data-do=speed]").select_option("2")
    page.evaluate(
        "() => { window.jumps = []; const video = document.querySelector('video');"
        " video.addEventListener('seeking', () => window.jumps.push(video.currentTime)); }"
    )
    page.keyboard.press("p")
    page.wait_for_function("window.jumps.length >= 2", timeout=20_000)
    # Surest (95 %) from 3.8 s on, which is 8.8 of the clip: one begins two seconds before it.
    assert page.evaluate("window.jumps") == pytest.approx([6.8, 6.8], abs=0.25)


def test_boxes_lie_right_on_the_full_screen_as_well(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    seek(page, 1.0)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.wait_for_function(
        "document.querySelector('[data-stage]').getBoundingClientRect().width > 1300"
    )
    box = frame_of(page, 7)
    assert (box["left"], box["bottom"]) == pytest.approx((0.30, 0.6), abs=0.01)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")


def test_each_rule_has_a_line_of_its_own(desk: Desk, camera: Camera) -> None:
    episode = a_bare_episode(camera)
    a_file(episode, EvidenceKind.RECORDING, filmed.recording(rules=("trespassing", "loitering")))
    page = open_page(desk, episode)
    page.wait_for_selector(".ep-line-1", state="attached")
    assert page.locator("[data-legend] span").all_inner_texts() == ["Trespassing", "Loitering"]
    assert page.locator(".ep-level").count() == 2


# --- what is missing -----------------------------------------------------------------------------


def said(page: "Page") -> str:
    return " ".join(part for part in page.locator(".ep-missing p:visible").all_inner_texts())


def test_an_open_episode_says_that_the_video_comes_and_shows_it_without_a_reload(
    desk: Desk, camera: Camera
) -> None:
    episode = a_bare_episode(camera, status="confirmed", ended_at=None, verdict="unreviewed")
    a_file(episode, EvidenceKind.SNAPSHOT, filmed.snapshot())
    page = open_page(desk, episode)
    assert "appears here by itself" in said(page)
    assert page.locator(".ep-still").is_visible() and page.locator("video").is_hidden()
    a_file(episode, EvidenceKind.CLIP, filmed.clip(), facts=filmed.clip_facts())
    a_file(episode, EvidenceKind.RECORDING, filmed.recording())
    page.locator("video").wait_for(state="visible")
    seek(page, 1.0)
    page.wait_for_selector("[data-track='7']", state="attached")
    assert said(page) == ""


MISSING = {
    "clip removed by retention": "It was older than evidence is kept",
    "no clip": "No video was kept",
    "no recording": "what the rules saw was not kept",
    "clip damaged": "cannot be played",
    "clip not there": "cannot be played",
    "recording damaged": "is damaged",
    "recording late": "Boxes begin late",
    "recording cut": "Boxes end early",
    "clip cut": "not whole",
    "nothing at all": "No video was kept",
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_said_and_the_page_stays_of_use(
    desk: Desk, camera: Camera, case: str
) -> None:
    episode = a_bare_episode(camera)
    _keep(episode, case)
    page = open_page(desk, episode)
    page.wait_for_function(
        "(words) => document.querySelector('.ep-missing').innerText.includes(words)",
        arg=MISSING[case],
    )
    if case == "nothing at all":
        assert page.get_by_text("No picture was kept").is_visible()
    elif "clip" in case and case != "clip cut":
        assert page.locator(".ep-still").is_visible()
        assert page.locator(".ep-controls").is_hidden()
    page.wait_for_selector(".ep-line", state="attached")
    page.keyboard.press("c")
    page.get_by_text("Recorded: confirmed.").wait_for()
    desk.script_errors.clear()  # of files that are meant to be missing


def _keep(episode: Episode, case: str) -> None:
    if case == "nothing at all":
        return
    a_file(episode, EvidenceKind.SNAPSHOT, filmed.snapshot())
    if case != "no clip":
        film = b"no film" if case == "clip damaged" else filmed.clip()
        file = a_file(
            episode, EvidenceKind.CLIP, film, facts=filmed.clip_facts(is_cut=case == "clip cut")
        )
        if case == "clip not there":
            default_storage.delete(file.name)
        if case == "clip removed by retention":
            EvidenceFile.objects.filter(pk=file.pk).update(
                removed_at=timezone.now(), removed_why="age"
            )
    if case != "no recording":
        late, cut = case == "recording late", case == "recording cut"
        content = filmed.recording(late=late, cut=cut, starts=3 if late else 0)
        if case == "recording damaged":
            content = content[:200]
        a_file(episode, EvidenceKind.RECORDING, content)


def test_an_episode_of_a_camera_that_was_removed_keeps_its_page(desk: Desk, camera: Camera) -> None:
    episode = a_filmed_episode(camera)
    Camera.objects.filter(pk=camera.pk).update(removed_at=timezone.now())
    page = open_page(desk, episode)
    assert page.get_by_text("removed since").is_visible()


# --- deciding ------------------------------------------------------------------------------------


def verdict_of(episode: Episode) -> tuple[str, str]:
    episode.refresh_from_db()
    return episode.verdict, episode.dismiss_reason


def test_a_queue_is_reviewed_by_keyboard_alone(desk: Desk, camera: Camera) -> None:
    """Open the queue's first, play, see a box, confirm, undo, dismiss with a reason, go on."""
    first = a_filmed_episode(camera)
    second = a_bare_episode(
        camera, started_at=filmed.BEGAN - timedelta(hours=1), crime_type="theft", confirmed_at=None
    )
    page = open_page(desk, first, query="?_changelist_filters=verdict%3Dunreviewed")
    page.keyboard.press("Space")
    page.wait_for_selector(".ep-suspect", state="attached", timeout=20_000)
    page.keyboard.press("Space")
    page.keyboard.press("c")
    page.get_by_text("Recorded: confirmed.").wait_for()
    assert verdict_of(first) == ("confirmed", "")
    page.keyboard.press("u")
    page.get_by_text("Undone: confirmed.").wait_for()
    assert verdict_of(first) == ("unreviewed", "")
    page.keyboard.press("d")
    page.keyboard.press("2")
    page.get_by_text("Recorded: dismissed (Authorised person).").wait_for()
    assert verdict_of(first) == ("dismissed", "authorised")
    page.keyboard.press("j")
    page.wait_for_url(f"**/{second.pk}/change/?_changelist_filters=verdict%3Dunreviewed")
    page.wait_for_selector("#episode.ep-scripted")
    page.keyboard.press("q")
    page.wait_for_url("**/admin/detection/episode/?verdict=unreviewed")


def test_after_a_verdict_one_goes_on_to_the_next_and_can_still_undo(
    desk: Desk, camera: Camera
) -> None:
    first = a_bare_episode(camera)
    second = a_bare_episode(camera, started_at=filmed.BEGAN - timedelta(hours=1))
    page = open_page(desk, first)
    page.get_by_role("button", name="Go on after a verdict").click()
    page.keyboard.press("c")
    page.wait_for_url(f"**/{second.pk}/change/")
    page.get_by_text("Recorded: confirmed.").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Undone: confirmed.").wait_for()
    assert verdict_of(first) == ("unreviewed", "")


def test_the_other_acts_are_a_key_each(desk: Desk, camera: Camera) -> None:
    episode = a_bare_episode(camera)
    page = open_page(desk, episode)
    page.keyboard.press("e")
    page.get_by_text("a superior is asked").wait_for()
    page.keyboard.press("h")
    page.get_by_text("On hold: nothing of it is removed.").wait_for()
    page.get_by_role("button", name="End hold").wait_for()
    page.keyboard.press("n")
    page.keyboard.type("c is for cat")
    page.get_by_role("button", name="Add note").click()
    page.get_by_text("Noted.").wait_for()
    episode.refresh_from_db()
    assert episode.escalated_at and episode.held_at
    assert "c is for cat" in episode.note and episode.verdict == "unreviewed"
    page.locator("[data-act-done=noted]").wait_for()
    assert page.locator("[data-act-done]").count() == 4, "they are in the history, with the look"


def test_the_siren_of_an_open_episode_is_a_key_away(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_bare_episode(camera, status="suspicious", ended_at=None))
    button = page.locator("[data-part=bar]").get_by_role("button", name="Siren off")
    assert button.get_attribute("aria-keyshortcuts") == "s"
    address = button.evaluate("button => button.form.action")
    assert address.endswith("/off/")


def test_the_second_of_two_reviewers_is_told(desk: Desk, camera: Camera) -> None:
    episode = a_bare_episode(camera)
    page = open_page(desk, episode)
    other = User.objects.create_user("mona", is_staff=True)
    review_episode(episode_id=episode.pk, verdict=Verdict.DISMISSED, by=Actor(other), reason="test")
    page.keyboard.press("c")
    page.get_by_role("alert").get_by_text("mona has already set this episode").wait_for()
    assert verdict_of(episode) == ("dismissed", "test")
    page.get_by_text("Dismissed (Test or drill) by mona").first.wait_for()
    desk.script_errors.clear()  # Chromium names each answer of 409


def test_a_decision_of_somebody_else_shows_by_itself(desk: Desk, camera: Camera) -> None:
    episode = a_bare_episode(camera, status="suspicious", ended_at=None)
    page = open_page(desk, episode)
    other = User.objects.create_user("mona", is_staff=True)
    review_episode(episode_id=episode.pk, verdict=Verdict.CONFIRMED, by=Actor(other))
    page.get_by_role("alert").get_by_text("Meanwhile: Confirmed by mona").wait_for()


def test_keys_are_left_alone_while_one_writes_or_holds_another_key(
    desk: Desk, camera: Camera
) -> None:
    episode = a_bare_episode(camera)
    page = open_page(desk, episode)
    page.keyboard.press("Control+c")
    page.keyboard.press("n")
    page.keyboard.type("d2c")
    assert page.locator("#note-text").input_value() == "d2c"
    page.keyboard.press("Escape")
    assert page.locator("#note-text").is_hidden()
    assert not ReviewStep.objects.filter(episode=episode).exists()


def test_the_keys_are_named_on_a_page_of_their_own(desk: Desk, camera: Camera) -> None:
    page = open_page(desk, a_bare_episode(camera))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    named = " ".join(dialog.locator("kbd").all_inner_texts())
    on_buttons = {
        key
        for keys in page.locator("[data-key]").evaluate_all(
            "all => all.map(one => one.dataset.key)"
        )
        for key in keys.split()
        if len(key) == 1 and key.isalpha()
    }
    assert on_buttons and all(key in named for key in on_buttons)
    assert desk.barriers() == []
    page.keyboard.press("Escape")
    assert dialog.is_hidden()


# --- for everybody -------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
def test_the_page_has_no_barrier_and_no_sideways_scrolling(
    desk: Desk, camera: Camera, dark: bool, phone: bool
) -> None:
    episode = a_filmed_episode(camera)
    a_delivery(episode)
    if phone:
        desk.on_a_phone()
    if dark:
        desk.in_the_dark()
    page = open_page(desk, episode)
    seek(page, 1.0)
    page.keyboard.press("d")
    assert desk.barriers() == []
    assert desk.overflow() == 0


def test_the_page_reads_from_the_right_while_time_runs_to_the_right(
    desk: Desk, camera: Camera
) -> None:
    page = open_page(desk, a_filmed_episode(camera))
    page.evaluate("document.documentElement.dir = 'rtl'")
    seek(page, 1.0)
    assert frame_of(page, 7)["left"] == pytest.approx(0.30, abs=0.01)
    ticks = [tick.bounding_box() for tick in page.locator("[data-axis] span").all()]
    assert ticks[0] and ticks[-1] and ticks[0]["x"] < ticks[-1]["x"]
    aside, main = page.locator(".ep-side").bounding_box(), page.locator(".ep-main").bounding_box()
    assert aside and main and aside["x"] < main["x"]
    assert desk.overflow() == 0


def test_deciding_works_where_the_scripts_of_the_page_do_not(desk: Desk, camera: Camera) -> None:
    episode = a_bare_episode(camera)
    page = desk.page
    page.route("**/desk/episode/*.js", lambda route: route.abort())
    desk.open("detection_episode_change", episode.pk)
    page.locator("#act-dismiss summary").click()
    page.get_by_role("button", name="Test or drill").click()
    page.get_by_text("Recorded: dismissed (Test or drill).").wait_for()
    assert verdict_of(episode) == ("dismissed", "test")
    desk.script_errors.clear()
