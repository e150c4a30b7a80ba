"""Zones drawn in a real Chromium: by mouse, finger and keyboard, kept at once or not at all."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from detection.admin import live_pictures
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.track_log import TrackLog
from detection.domain.tracks import Track
from detection.models import AuditRecord, Camera, Schedule, StationAccess, Zone
from detection.services.setups import load_setup
from detection.services.track_logs import keep_pages
from tests.browser.desk import Desk
from tests.rows import a_camera

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator

YARD = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7]]
GATE = [[0.3, 0.5], [0.7, 0.5]]


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    monkeypatch.setattr(live_pictures, "PATIENCE_SECONDS", 0.1)  # nobody watches it: none comes
    return a_camera()


def a_zone(camera: Camera, name: str = "yard", **fields: Any) -> Zone:
    given: dict[str, Any] = {"kind": "restricted", "polygon": YARD}
    return Zone.objects.create(camera=camera, name=name, **{**given, **fields})


def open_editor(desk: Desk, camera: Camera) -> None:
    """A camera that nobody watches has no picture: the editor says so, and is to be usable."""
    desk.open("detection_camera_zones", camera.pk)
    desk.page.locator("#zone-no-picture").wait_for()
    desk.script_errors.clear()  # the console names the picture that is not there


def at(desk: Desk, x: float, y: float) -> tuple[float, float]:
    """A place of the picture in pixels of the window."""
    box = desk.page.locator("#zone-board").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def click(desk: Desk, *places: tuple[float, float]) -> None:
    for place in places:
        desk.page.mouse.click(*at(desk, *place))


def drag(desk: Desk, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = desk.page.mouse
    mouse.move(*at(desk, *start))
    mouse.down()
    mouse.move(*at(desk, *end), steps=5)
    mouse.up()


def shape(desk: Desk, name: str) -> "Locator":
    return desk.page.locator(f"#zone-board [role=button][aria-label^='{name}']")


def press(desk: Desk, *keys: str) -> None:
    for key in keys:
        desk.page.keyboard.press(key)


def heard(desk: Desk) -> str:
    return desk.page.locator("#zone-aloud").text_content() or ""


def save(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Save", exact=True).click()
    desk.page.wait_for_selector("#zone-status[data-tone=good]")


def corners_of(name: str) -> list[list[float]]:
    """In hundredths of the picture."""
    return [[round(x, 2), round(y, 2)] for x, y in Zone.objects.get(name=name).polygon]


# --- by mouse -------------------------------------------------------------------------------------


def test_a_zone_is_drawn_by_mouse_kept_and_on_record(desk: Desk, camera: Camera) -> None:
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Restricted").click()
    click(desk, (0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.1))
    desk.page.get_by_label("Name").fill("gate")
    save(desk)
    zone = Zone.objects.get()
    assert (zone.name, zone.kind, zone.camera) == ("gate", "restricted", camera)
    assert corners_of("gate") == [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]
    (record,) = AuditRecord.objects.filter(object_type="detection.zone")
    assert (record.action, record.username) == ("added", "boss")


def test_what_is_saved_is_what_the_watch_reads(desk: Desk, camera: Camera) -> None:
    week = Schedule.objects.create(name="Office hours")
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Restricted").click()
    click(desk, (0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.1))
    desk.page.get_by_label("Hours").select_option(str(week.pk))
    desk.page.locator("[name='trespassing.dwell_seconds']").fill("9")
    desk.page.locator("#zone-rules summary", has_text="Thresholds").click()
    desk.page.locator("[name='thresholds.trespassing.alert']").fill("60")
    assert "9 set here" in desk.page.locator(
        "[data-option='trespassing.dwell_seconds']"
    ).inner_text().replace("\n", " ").replace("SET HERE", "set here")
    save(desk)
    (zone,) = load_setup(camera.pk).zones
    assert zone.settings == {
        "trespassing": {"dwell_seconds": 9},
        "thresholds": {"trespassing": {"alert": 60}},
    }
    assert zone.schedule is not None


def test_a_corner_is_moved_and_held_within_the_picture(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    drag(desk, (0.6, 0.2), (0.8, 0.4))
    drag(desk, (0.2, 0.7), (-0.1, 0.9))
    save(desk)
    assert corners_of("yard") == [[0.2, 0.2], [0.8, 0.4], [0.6, 0.7], [0.0, 0.9]]


def test_a_whole_zone_is_moved_as_far_as_the_picture_goes(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    drag(desk, (0.4, 0.3), (0.9, 0.4))
    save(desk)
    assert corners_of("yard") == [[0.6, 0.3], [1.0, 0.3], [1.0, 0.8], [0.6, 0.8]]


def test_a_corner_is_put_on_an_edge(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    drag(desk, (0.4, 0.2), (0.4, 0.1))
    save(desk)
    assert corners_of("yard") == [[0.2, 0.2], [0.4, 0.1], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7]]


def test_an_entry_line_is_drawn_and_its_direction_turned(desk: Desk, camera: Camera) -> None:
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Entry line").click()
    click(desk, (0.3, 0.5), (0.7, 0.5))
    desk.page.get_by_label("Name").fill("gate")
    arrow = desk.page.locator(".zone-arrow")
    before = arrow.get_attribute("d")
    desk.page.get_by_role("button", name="Turn its direction").click()
    assert arrow.get_attribute("d") != before
    save(desk)
    assert corners_of("gate") == [[0.7, 0.5], [0.3, 0.5]]


def test_the_arrow_points_where_the_rule_takes_the_inside_to_be(desk: Desk, camera: Camera) -> None:
    gate = a_zone(camera, "gate", kind="entry_line", polygon=GATE)
    open_editor(desk, camera)
    path = desk.page.locator(".zone-arrow").get_attribute("d") or ""
    tip_y = float(path.split("L")[1].split("M")[0].split()[1])
    height = float((desk.page.locator("#zone-board").get_attribute("viewBox") or "").split()[3])
    line = gate.to_domain().line
    assert line is not None
    above, below = line.start._replace(x=0.5, y=0.4), line.start._replace(x=0.5, y=0.6)
    assert line.is_entered(above, below), "from above to below is inwards"
    assert tip_y > 0.5 * height


def test_a_zone_is_deleted_and_the_deletion_undone(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    desk.page.get_by_role("button", name="Delete zone").click()
    assert shape(desk, "yard").count() == 0
    desk.page.get_by_role("button", name="Undo").click()
    assert shape(desk, "yard").count() == 1
    desk.page.get_by_role("button", name="Do again").click()
    save(desk)
    assert not Zone.objects.exists()
    (record,) = AuditRecord.objects.filter(action="deleted")
    assert record.details["before"]["corners"] == YARD


def test_undo_reaches_back_over_a_save_and_to_the_very_beginning(
    desk: Desk, camera: Camera
) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    drag(desk, (0.6, 0.2), (0.8, 0.4))
    save(desk)
    drag(desk, (0.2, 0.2), (0.1, 0.1))
    press(desk, "Control+z", "Control+z")
    save(desk)
    assert corners_of("yard") == YARD
    press(desk, "Control+Shift+z")
    save(desk)
    assert corners_of("yard")[1] == [0.8, 0.4]


# --- by keyboard alone ----------------------------------------------------------------------------


def test_a_zone_is_drawn_named_and_kept_without_a_mouse(desk: Desk, camera: Camera) -> None:
    open_editor(desk, camera)
    press(desk, "n")
    assert heard(desk).startswith("Drawing: Restricted.")
    press(desk, "Space", *["Shift+ArrowRight"] * 2, "Space", *["Shift+ArrowDown"] * 3)
    assert heard(desk) == "60 %, 65 %"
    press(desk, "Space", "Enter")
    assert heard(desk) == "Restricted 1 is drawn."
    press(desk, "Enter")  # to its name
    press(desk, "Control+a")
    desk.page.keyboard.type("dock")
    desk.page.get_by_role("button", name="Save", exact=True).focus()
    press(desk, "Enter")
    desk.page.wait_for_selector("#zone-status[data-tone=good]")
    assert corners_of("dock") == [[0.5, 0.5], [0.6, 0.5], [0.6, 0.65]]


def test_corners_are_reached_moved_added_and_removed_by_keys(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    desk.page.locator("#zone-stage").focus()
    press(desk, "Tab")  # the zone, which is chosen thereby
    press(desk, "Tab")  # its first corner
    label = desk.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == "Corner 1 of 4 of yard, at 20 %, 20 %"
    press(desk, "ArrowLeft", "Shift+ArrowUp")
    assert heard(desk) == "Moved to 19 %, 15 %."
    press(desk, "+")
    assert heard(desk) == "Corner added; 5 now."
    press(desk, "Tab", "Tab", "Delete")
    assert heard(desk) == "Corner removed; 4 left."
    save(desk)
    assert corners_of("yard") == [[0.19, 0.15], [0.4, 0.17], [0.6, 0.2], [0.2, 0.7]]


def test_the_last_three_corners_stay_and_a_zone_is_removed_by_delete(
    desk: Desk, camera: Camera
) -> None:
    a_zone(camera, polygon=YARD[:3])
    open_editor(desk, camera)
    shape(desk, "yard").focus()
    press(desk, "Tab", "Delete")
    assert heard(desk) == "A zone needs at least 3 corners; this one has 2."
    shape(desk, "yard").focus()
    press(desk, "Delete")
    assert heard(desk) == "yard removed."
    save(desk)
    assert not Zone.objects.exists()


def test_escape_gives_a_drawing_up(desk: Desk, camera: Camera) -> None:
    open_editor(desk, camera)
    press(desk, "n", "Space", "Escape")
    assert heard(desk) == "Drawing cancelled."
    assert desk.page.locator("#zone-drawing").is_hidden()
    assert desk.page.locator("#zone-save").is_disabled()


# --- what cannot be -------------------------------------------------------------------------------


def test_crossing_edges_are_said_at_once_and_cannot_be_saved(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    drag(desk, (0.2, 0.2), (0.5, 0.9))
    faults = desk.page.locator("#zone-faults")
    assert faults.inner_text() == "The edges of the zone cross; draw it without crossings."
    assert desk.page.locator(".zone-fault").count() == 2
    assert desk.page.locator("#zone-save").is_disabled()
    press(desk, "Control+z")
    assert faults.inner_text() == ""


def test_two_zones_of_one_name_are_said_at_once(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    a_zone(camera, "lawn", polygon=[[0.7, 0.2], [0.9, 0.2], [0.9, 0.4]])
    open_editor(desk, camera)
    desk.page.locator(".zone-row", has_text="lawn").click()
    desk.page.get_by_label("Name").fill("yard")
    told = desk.page.locator("#zone-faults").inner_text()
    assert told == "Another zone of this camera has this name."


def test_two_zones_may_swap_their_names(desk: Desk, camera: Camera) -> None:
    first, second = (
        a_zone(camera),
        a_zone(camera, "lawn", polygon=[[0.7, 0.2], [0.9, 0.2], [0.9, 0.4]]),
    )
    open_editor(desk, camera)
    for row, name in ((0, "between"), (1, "yard"), (0, "lawn")):
        desk.page.locator(".zone-row").nth(row).click()
        desk.page.get_by_label("Name").fill(name)
    save(desk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, second.name) == ("lawn", "yard")


def test_an_option_that_the_rule_does_not_take_is_marked_at_its_field(
    desk: Desk, camera: Camera
) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    desk.page.locator("[name='trespassing.least_height']").fill("7")
    desk.page.get_by_role("button", name="Save", exact=True).click()
    option = desk.page.locator("[data-option='trespassing.least_height']")
    option.locator("[data-fault]").wait_for()
    assert "less than or equal to 1" in option.inner_text()
    desk.script_errors.clear()  # the refusal
    desk.page.locator("[name='trespassing.least_height']").fill("0.3")
    save(desk)
    assert Zone.objects.get().rule_settings == {"trespassing": {"least_height": 0.3}}


def test_who_saves_second_is_told_and_loses_nothing(desk: Desk, camera: Camera) -> None:
    zone = a_zone(camera)
    open_editor(desk, camera)
    Zone.objects.filter(pk=zone.pk).update(name="moved")
    AuditRecord.objects.create(
        at=timezone.now(), username="colleague", action="changed",
        object_type="detection.zone", object_id=str(zone.pk),
    )  # fmt: skip
    click(desk, (0.4, 0.3))
    desk.page.get_by_label("Name").fill("mine")
    desk.page.get_by_role("button", name="Save", exact=True).click()
    desk.page.locator("#zone-status[data-tone=bad]").wait_for()
    told = desk.page.locator("#zone-status").inner_text()
    assert told == "colleague changed these zones meanwhile. Nothing was saved."
    assert desk.page.get_by_label("Name").input_value() == "mine"
    desk.script_errors.clear()  # the refusal
    desk.page.get_by_role("button", name="Load theirs and lose mine").click()
    desk.page.locator(".zone-row", has_text="moved").wait_for()
    desk.page.locator("#zone-no-picture").wait_for()
    desk.script_errors.clear()
    assert Zone.objects.get().name == "moved"


def test_leaving_with_changes_asks(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    click(desk, (0.4, 0.3))
    press(desk, "ArrowRight")
    asked: list[str] = []

    def leave(dialog: "Dialog") -> None:
        asked.append(dialog.type)
        dialog.accept()

    desk.page.on("dialog", leave)
    desk.open("index")
    assert asked == ["beforeunload"]


# --- by finger, small, dark, from right to left ---------------------------------------------------


def on_a_touch_screen(desk: Desk, camera: Camera) -> Desk:
    assert desk.page.context.browser is not None
    context = desk.page.context.browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.add_cookies(desk.page.context.cookies())  # type: ignore[arg-type]  # its own type
    phone = Desk(context.new_page(), desk.address, desk.officer)
    open_editor(phone, camera)
    return phone


def swipe(desk: Desk, start: tuple[float, float], right: float, down: float) -> None:
    """A finger that goes so far, in shares of the picture; the browser decides what scrolls."""
    box = desk.page.locator("#zone-board").bounding_box()
    assert box is not None
    x, y = at(desk, *start)
    session = desk.page.context.new_cdp_session(desk.page)
    way = {"xDistance": right * box["width"], "yDistance": down * box["height"]}
    gesture = {"x": x, "y": y, **way, "gestureSourceType": "touch", "preventFling": True}
    session.send("Input.synthesizeScrollGesture", gesture)


def test_a_finger_draws_and_drags_without_scrolling(desk: Desk, camera: Camera) -> None:
    phone = on_a_touch_screen(desk, camera)
    phone.page.get_by_role("button", name="Restricted").tap()
    phone.page.locator("#zone-board").scroll_into_view_if_needed()
    for place in ((0.2, 0.2), (0.7, 0.2), (0.7, 0.8), (0.21, 0.22)):  # near the first closes it
        phone.page.touchscreen.tap(*at(phone, *place))
    before = phone.page.evaluate("[scrollX, scrollY]")
    swipe(phone, (0.7, 0.8), -0.3, -0.2)
    assert phone.page.evaluate("[scrollX, scrollY]") == before
    phone.page.get_by_role("button", name="Save", exact=True).tap()
    phone.page.wait_for_selector("#zone-status[data-tone=good]")
    corners = corners_of("Restricted 1")
    assert corners[:2] == [[0.2, 0.2], [0.7, 0.2]]
    assert corners[2] == pytest.approx([0.4, 0.6], abs=0.06), "less what a finger may tremble"
    phone.page.context.close()


def test_a_finger_scrolls_the_page_except_on_what_it_can_drag(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    phone = on_a_touch_screen(desk, camera)

    def left_to_the_browser(selector: str) -> str:
        return str(
            phone.page.locator(selector).first.evaluate("e => getComputedStyle(e).touchAction")
        )

    assert left_to_the_browser("#zone-board") == "manipulation"  # pans and pinches
    assert left_to_the_browser(".zone-shape") == "auto"
    phone.page.touchscreen.tap(*at(phone, 0.4, 0.4))
    assert left_to_the_browser(".zone-shape") == "none"
    assert left_to_the_browser(".zone-grip") == "none"
    phone.page.context.close()


def test_handles_are_large_enough_for_a_finger(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    phone = on_a_touch_screen(desk, camera)
    phone.page.touchscreen.tap(*at(phone, 0.4, 0.4))
    box = phone.page.locator(".zone-grip").first.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 43.5
    phone.page.context.close()


def test_a_small_screen_zooms_and_still_draws_where_it_is_touched(
    desk: Desk, camera: Camera
) -> None:
    desk.on_a_phone()
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Larger").click()
    desk.page.get_by_role("button", name="Larger").click()
    assert desk.page.locator("#zone-zoomed").inner_text() == "200 %"
    assert desk.overflow() == 0
    desk.page.get_by_role("button", name="Restricted").click()
    desk.page.locator("#zone-stage").scroll_into_view_if_needed()
    click(desk, (0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.4))
    save(desk)
    assert corners_of("Restricted 1") == [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6]]


@pytest.mark.parametrize("where", ["wide", "phone", "dark", "rtl"])
def test_the_editor_is_usable_by_everybody(desk: Desk, camera: Camera, where: str) -> None:
    a_zone(camera)
    a_zone(camera, "gate", kind="entry_line", polygon=GATE, enabled=False)
    a_zone(camera, "hidden", kind="privacy", polygon=[[0.7, 0.2], [0.9, 0.2], [0.9, 0.4]])
    if where == "phone":
        desk.on_a_phone()
    open_editor(desk, camera)
    change = {"dark": "classList.add('dark')", "rtl": "dir = 'rtl'"}.get(where)
    if change:
        desk.page.evaluate(f"document.documentElement.{change}")
    desk.page.locator(".zone-row", has_text="yard").click()
    desk.page.locator(".zone-elsewhere > summary").click()
    assert desk.barriers() == []
    assert desk.overflow() == 0


# --- the preview ----------------------------------------------------------------------------------


def test_a_drawn_zone_shows_who_would_have_triggered_it_before_it_is_saved(
    desk: Desk, camera: Camera
) -> None:
    log, began = TrackLog(), timezone.now() - timedelta(hours=3)
    for number in range(60):
        tracks = [Track(1, "person", 0.9, Box(0.28, 0.1, 0.32, 0.3 + number / 1000))]
        log.see(Moment(began + timedelta(seconds=number / 2), tracks if number < 50 else []))
    log.end()
    keep_pages(camera_id=camera.pk, log=log)
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Restricted").click()
    click(desk, (0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5), (0.1, 0.1))
    desk.page.get_by_role("button", name="Who would have triggered?").click()
    desk.page.locator(".zone-trigger").wait_for()
    assert desk.page.locator(".zone-day-count").inner_text() == "1 alert, 1 of them a crime"
    assert desk.page.locator(".zone-tick.is-crime").count() == 1
    trigger = desk.page.locator(".zone-trigger").inner_text()
    assert "Trespassing 95 %" in trigger
    desk.page.locator(".zone-trigger").click()
    assert not Zone.objects.exists()
    assert desk.barriers() == []


def test_without_any_track_the_preview_says_why_it_is_empty(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    open_editor(desk, camera)
    desk.page.get_by_role("button", name="Who would have triggered?").click()
    desk.page.locator(".zone-day").wait_for()
    assert (
        "Nothing is on record of who was here in the last 24 hours"
        in desk.page.locator("#zone-result").inner_text()
    )


# --- rights, and experts --------------------------------------------------------------------------


def test_who_may_only_look_sees_the_zones_and_no_tools(desk: Desk, camera: Camera) -> None:
    a_zone(camera)
    officer = desk.officer
    officer.is_superuser = False
    officer.is_staff = True
    officer.save()
    officer.user_permissions.set(Permission.objects.filter(codename="view_zone"))
    StationAccess.objects.create(user=officer, all_stations=True)
    open_editor(desk, camera)
    desk.page.locator(".zone-row", has_text="yard").click()
    assert desk.page.get_by_label("Name").is_disabled()
    assert desk.page.locator(".zone-grip").count() == 0
    assert desk.page.get_by_role("button", name="Save", exact=True).count() == 0
    assert desk.barriers() == []


def test_a_file_of_zones_is_read_and_is_in_force_once_it_is_saved(
    desk: Desk, camera: Camera
) -> None:
    kept = a_zone(camera)
    open_editor(desk, camera)
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Import JSON").click()
    chooser.value.set_files("docs/samples/zones.json")
    desk.page.locator(".zone-row", has_text="steel door").wait_for()
    assert Zone.objects.count() == 1
    save(desk)
    assert Zone.objects.filter(camera=camera).count() == 7
    kept.refresh_from_db()
    assert kept.rule_settings["trespassing"]["dwell_seconds"] == 6, "the file's yard, the same row"
