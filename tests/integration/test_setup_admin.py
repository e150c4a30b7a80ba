"""The pages of settings, schedules and profiles, as operators use them."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import JSONField, Value
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from detection.models import AuditRecord, Camera, Schedule, Site, Zone
from tests.integration.test_access import browser, somebody
from tests.integration.test_admin import change, text
from tests.rows import a_camera

pytestmark = pytest.mark.django_db

CORNERS = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
WEEK = "mon-sun 00:00-24:00 day"


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def page() -> Client:
    return browser(User.objects.create_superuser("boss", password="x"))


def a_zone(camera: Camera, **fields: Any) -> Zone:
    given = {"name": "gate", "kind": "restricted", "polygon": CORNERS}
    return Zone.objects.create(camera=camera, **{**given, **fields})


def settings_of(row: Any) -> str:
    return change(row).replace("/change/", "/settings/")


def mark(body: str) -> str:
    """What the page sends back to say which settings it has shown."""
    found = re.search(r'name="seen" value="(\w+)"', body)
    assert found
    return found[1]


def send(page: Client, row: Any, **options: Any) -> Any:
    """Fill in fields, all others empty; `thresholds__theft__alert` is a field's name."""
    seen = mark(text(page.get(settings_of(row))))
    sent = {name.replace("__", "."): value for name, value in options.items()}
    return page.post(settings_of(row), {"seen": seen, **sent})


def part(body: str, field: str) -> str:
    """The part of a page that is about one option."""
    found = re.search(
        rf'<div class="co-option[^>]*>(?:(?!<div class="co-option).)*?name="{field}"'
        r"(?:(?!<div class=\"co-option).)*",
        body,
        re.DOTALL,
    )
    assert found, field
    return re.sub(r"\s+", " ", found[0])


# --- seeing ---------------------------------------------------------------------------------------


def test_each_option_shows_what_it_does_what_is_in_force_and_whose_word_that_is(
    page: Client, settings: Settings
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"loitering_dwell_seconds": 75.0, "alert_threshold": 45.0}
    )
    camera = a_camera(rule_settings={"trespassing": {"dwell_seconds": 7}})
    zone = a_zone(camera, rule_settings={"trespassing": {"armed_in": ["closed"]}})
    layer = {"trespassing": {"enabled": False}, "thresholds": {"theft": {"alert": 60}}}
    Site.objects.create(pk=1, rule_settings=layer)
    body = text(page.get(settings_of(camera)))
    own = part(body, r"trespassing\.dwell_seconds")
    assert 'value="7"' in own
    assert "In force: <b>7</b>" in own and "set here" in own
    assert "Stay in a restricted zone that makes trespassing a crime." in own
    environments = part(body, r"loitering\.dwell_seconds")
    assert 'placeholder="75"' in environments and "<b>75</b> <span>environment" in environments
    assert "value=" not in environments
    assert "<b>no</b> <span>site" in part(body, r"trespassing\.enabled")
    assert "<b>0.15</b> <span>default" in part(body, r"loitering\.radius")
    assert "<b>60</b> <span>site" in part(body, r"thresholds\.theft\.alert")
    assert "<b>45</b> <span>environment" in part(body, r"thresholds\.robbery\.alert")
    assert "<b>80</b> <span>default" in part(body, r"thresholds\.theft\.crime")
    of_the_zone = text(page.get(settings_of(zone)))
    assert "<b>7</b> <span>camera" in part(of_the_zone, r"trespassing\.dwell_seconds")
    assert "<b>closed</b>" in part(of_the_zone, r"trespassing\.armed_in")


def test_a_zone_offers_the_rules_that_look_at_its_kind_and_thresholds_of_what_they_say_of_it(
    page: Client,
) -> None:
    camera = a_camera()
    names = r'name="([\w.]+)\.[\w]+"'
    body = text(page.get(settings_of(a_zone(camera, kind="loitering"))))
    assert "trespassing" not in re.findall(names, body)
    assert "loitering" in re.findall(names, body)
    assert "least_confidence" not in body
    offered = set(re.findall(r'name="thresholds\.(\w+)\.', body))
    assert offered == {"suspicious_activity"}
    mask = a_zone(camera, name="tree", kind="mask")
    assert "Nothing to set" in text(page.get(settings_of(mask)))


# --- changing -------------------------------------------------------------------------------------


def test_only_what_was_filled_in_is_kept_and_emptying_it_inherits_again(page: Client) -> None:
    camera = a_camera()
    response = send(
        page,
        camera,
        trespassing__dwell_seconds="2.5",
        trespassing__armed_in=["night", "closed"],
        loitering__enabled="false",
        thresholds__theft__alert="65",
    )
    assert response.status_code == 302
    camera.refresh_from_db()
    assert camera.rule_settings == {
        "trespassing": {"armed_in": ["night", "closed"], "dwell_seconds": 2.5},
        "loitering": {"enabled": False},
        "thresholds": {"theft": {"alert": 65}},
    }
    send(page, camera, trespassing__dwell_seconds="3")
    camera.refresh_from_db()
    assert camera.rule_settings == {"trespassing": {"dwell_seconds": 3}}
    records = AuditRecord.objects.filter(action="changed").order_by("pk")
    assert records[1].details == {
        "settings": {
            "loitering.enabled": [False, None],
            "thresholds.theft.alert": [65, None],
            "trespassing.armed_in": [["night", "closed"], None],
            "trespassing.dwell_seconds": [2.5, 3],
        }
    }
    assert [(r.username, r.label, r.address) for r in records] == [
        ("boss", "Camera 1", "127.0.0.1"),
        ("boss", "Camera 1", "127.0.0.1"),
    ]
    assert "Changed settings." in text(page.get(change(camera).replace("change", "history")))
    send(page, camera, trespassing__dwell_seconds="3")
    assert records.count() == 2, "nothing was changed"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("trespassing.dwell_seconds", "-1", "Ensure this value is greater than or equal to 0."),
        ("trespassing.dwell_seconds", "long", "Enter a number."),
        ("trespassing.dwell_seconds", "nan", "Enter a number."),
        ("loitering.radius", "0", "Input should be greater than 0"),
        ("loitering.radius", "2", "Ensure this value is less than or equal to 1."),
        ("trespassing.armed_in", "dusk", "Select a valid choice. dusk is not one of"),
        ("trespassing.enabled", "perhaps", "Select a valid choice. perhaps is not one of"),
        ("thresholds.theft.alert", "101", "Ensure this value is less than or equal to 100."),
        ("thresholds.theft.alert", "90", "crime (80) must be above alert (90)"),
        ("thresholds.theft.crime", "40", "crime (40) must be above alert (50)"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_is_saved(
    field: str, value: str, said: str, page: Client
) -> None:
    camera = a_camera(rule_settings={"loitering": {"dwell_seconds": 9}})
    sent = {field.replace(".", "__"): value}
    body = text(send(page, camera, loitering__dwell_seconds="8", **sent))
    assert "Nothing was saved" in body
    assert said in part(body, re.escape(field))
    assert 'value="8"' in part(body, r"loitering\.dwell_seconds"), "what was typed is kept"
    camera.refresh_from_db()
    assert camera.rule_settings == {"loitering": {"dwell_seconds": 9}}


def test_the_site_is_told_which_camera_a_threshold_would_upset(page: Client) -> None:
    a_camera(name="Gate", rule_settings={"thresholds": {"theft": {"alert": 75}}})
    site = Site.objects.create(pk=1)
    body = text(send(page, site, thresholds__theft__crime="70"))
    assert "at camera “Gate”: crime (70) must be above alert (75)" in body
    site.refresh_from_db()
    assert site.rule_settings == {}


def test_who_saves_what_another_has_changed_meanwhile_is_told(page: Client) -> None:
    camera = a_camera()
    seen = mark(text(page.get(settings_of(camera))))
    send(page, camera, loitering__radius="0.3")
    response = page.post(
        settings_of(camera), {"seen": seen, "loitering.radius": "0.2"}, follow=True
    )
    assert "Somebody changed these settings meanwhile" in text(response)
    camera.refresh_from_db()
    assert camera.rule_settings == {"loitering": {"radius": 0.3}}


def test_what_is_stored_broken_is_shown_and_corrected_by_saving(page: Client) -> None:
    stored = {"gone": {"x": 1}, "loitering": {"radius": 5}, "trespassing": {"dwell_seconds": 6}}
    camera = a_camera(rule_settings=stored)
    body = text(page.get(settings_of(camera)))
    assert "gone: no such rule" in body
    assert "loitering.radius: Input should be less than or equal to 1" in body
    assert "<b>0.15</b> <span>default" in part(body, r"loitering\.radius")
    send(page, camera, trespassing__dwell_seconds="6")
    camera.refresh_from_db()
    assert camera.rule_settings == {"trespassing": {"dwell_seconds": 6}}
    for garbage in ([1], "x", 7, Value(None, JSONField())):
        Camera.objects.update(rule_settings=garbage)
        assert "settings are sections of options" in text(page.get(settings_of(camera)))
        assert page.get(change(camera)).status_code == 200


# --- who may --------------------------------------------------------------------------------------


def test_an_operator_sets_cameras_of_the_own_station_and_only_sees_the_site() -> None:
    ours, theirs = a_camera(1, station_id=3), a_camera(2, station_id=7)
    site, week = Site.objects.create(pk=1), Schedule.objects.create(name="week", lines=WEEK)
    operator = browser(somebody("operator", 3))
    assert send(operator, ours, loitering__radius="0.3").status_code == 302
    for row in (theirs, a_zone(theirs)):
        assert operator.get(settings_of(row)).status_code == 404
        assert operator.post(settings_of(row), {}).status_code == 404
    body = text(operator.get(settings_of(site)))
    assert ">Save<" not in body and "disabled" in part(body, r"loitering\.radius")
    for address in (settings_of(site), f"{change(site)[:-7]}arm/", change(site), change(week)):
        assert operator.post(address, {"profile": "day"}).status_code == 403
    assert "Arm as" not in text(operator.get(change(site)))
    chosen = {"action": "arm_as_night", "_selected_action": [ours.pk, theirs.pk]}
    operator.post("/admin/detection/camera/", chosen)
    assert list(Camera.objects.order_by("pk").values_list("profile", flat=True)) == ["night", ""]


def test_a_viewer_sees_settings_and_changes_none() -> None:
    camera = a_camera(station_id=3)
    viewer = browser(somebody("viewer", 3))
    body = text(viewer.get(settings_of(camera)))
    assert ">Save<" not in body and "but not change them" in body
    assert viewer.post(settings_of(camera), {"loitering.radius": "0.3"}).status_code == 403
    camera.refresh_from_db()
    assert camera.rule_settings == {}


def test_what_concerns_all_cameras_is_changed_only_by_who_sees_them_all() -> None:
    site = Site.objects.create(pk=1)
    boss = browser(somebody("supervisor"))
    assert send(boss, site, loitering__radius="0.3").status_code == 302
    deputy = somebody("operator", 3, name="deputy")
    deputy.user_permissions.set(permissions("change_site", "change_schedule", "add_schedule"))
    client = browser(User.objects.get(pk=deputy.pk))
    assert client.post(settings_of(site), {}).status_code == 403
    assert client.get("/admin/detection/schedule/add/").status_code == 403


def permissions(*names: str) -> Any:
    return Permission.objects.filter(codename__in=names)


def test_settings_ask_a_stranger_to_log_in() -> None:
    assert Client().get(settings_of(a_camera())).status_code == 302


# --- profiles and schedules -------------------------------------------------------------------


def test_lists_and_pages_say_what_is_in_force_and_why(page: Client) -> None:
    camera = a_camera(profile="night")
    a_camera(2)
    body = text(page.get("/admin/detection/camera/"))
    assert "by hand" in body and "no schedule: every rule is armed" in body
    week = Schedule.objects.create(name="Weekdays", lines=WEEK)
    Site.objects.create(pk=1, schedule=week)
    body = text(page.get("/admin/detection/camera/"))
    assert "by schedule “Weekdays”" in body
    assert "by hand" in text(page.get(change(camera)))
    overview = text(page.get("/admin/"))
    assert "by schedule “Weekdays”; 1 camera armed by hand" in overview
    Site.objects.update(profile="closed")
    assert "by hand, at the site" in text(page.get("/admin/detection/camera/"))
    Site.objects.update(profile="")
    Schedule.objects.update(lines="mon 00:00-24:00 day")
    assert "schedule “Weekdays” is broken" in text(page.get("/admin/detection/camera/"))


def test_the_list_of_one_site_leads_straight_to_it(page: Client) -> None:
    response = page.get("/admin/detection/site/")
    assert (response.status_code, response["Location"]) == (302, "/admin/detection/site/1/change/")
    assert page.get("/admin/detection/site/add/").status_code == 403
    assert page.get("/admin/detection/site/1/delete/").status_code == 403
    assert page.get("/admin/detection/site/1/arm/").status_code == 405
    page.post("/admin/detection/site/1/arm/", {"profile": "dusk"})
    assert Site.objects.get().profile == ""


def test_a_schedule_with_a_gap_is_refused_at_its_lines(page: Client) -> None:
    sent = {"name": "week", "lines": "mon-fri 00:00-24:00 day"}
    body = text(page.post("/admin/detection/schedule/add/", sent))
    assert "a gap: nothing holds from sat 00:00 to sun 24:00" in body
    assert not Schedule.objects.exists()
    sent["lines"] += "\nsat,sun 00:00-24:00 closed"
    assert page.post("/admin/detection/schedule/add/", sent).status_code == 302
    week = Schedule.objects.get()
    body = text(page.get(change(week)))
    assert "sun 00:00-24:00 closed" in body, "the drawn week names its hours"
    (record,) = AuditRecord.objects.filter(action="added")
    assert (record.label, record.object_type) == ("week", "detection.schedule")


def test_a_schedule_in_use_says_by_whom_and_is_not_deleted(page: Client) -> None:
    week = Schedule.objects.create(name="week", lines=WEEK)
    Site.objects.create(pk=1, schedule=week)
    a_camera(1, schedule=week)
    a_camera(2, schedule=week)
    assert "the site and 2 cameras" in text(page.get("/admin/detection/schedule/"))
    page.post(change(week).replace("change", "delete"), {"post": "yes"})
    assert Schedule.objects.exists()


def test_more_schedules_cost_no_more_queries(page: Client) -> None:
    Schedule.objects.create(name="week", lines=WEEK)
    page.get("/admin/detection/schedule/")
    with CaptureQueriesContext(connection) as few:
        page.get("/admin/detection/schedule/")
    for number in range(20):
        week = Schedule.objects.create(name=f"week {number}", lines=WEEK)
        a_camera(number, schedule=week)
    with CaptureQueriesContext(connection) as many:
        page.get("/admin/detection/schedule/")
    assert len(many) == len(few)


# --- zones and warnings -----------------------------------------------------------------------


def test_the_page_of_a_camera_says_what_its_setup_does_not_watch(page: Client) -> None:
    camera = a_camera()
    assert "What this setup does not watch" not in text(page.get(change(camera)))
    camera.schedule = Schedule.objects.create(name="days", lines=WEEK)
    camera.rule_settings = {"trespassing": {"armed_in": ["night"]}, "loitering": {"radius": 7}}
    camera.save()
    a_zone(camera)
    a_zone(camera, name="back", enabled=False)
    body = text(page.get(change(camera)))
    for said in (
        "Settings of the camera, not used: loitering.radius: Input should be less than or equal",
        "Zone “back” is switched off.",
        "Zone “gate” (restricted) is never watched: trespassing is armed by night only, and the "
        "schedule has day only.",
    ):
        assert said in body
