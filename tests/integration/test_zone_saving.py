"""Drawn zones are kept all at once or not at all, by who may, and are on record."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from detection.admin import zone_editor
from detection.models import AuditRecord, Camera, Schedule, Zone
from detection.rules.zone_file import read_zones
from detection.services.setups import SetupReader, sections, settings_of
from detection.services.zones import mark_of, zones_of
from tests.rows import FRAGMENTS, a_camera, officer

pytestmark = pytest.mark.django_db

YARD = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
LAWN = [[0.2, 0.2], [0.3, 0.2], [0.3, 0.4]]


@pytest.fixture
def camera() -> Camera:
    return a_camera()


@pytest.fixture
def page() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def a_zone(camera: Camera, name: str = "yard", **fields: Any) -> Zone:
    given: dict[str, Any] = {"kind": "restricted", "polygon": YARD}
    return Zone.objects.create(camera=camera, name=name, **{**given, **fields})


def drawn(name: str = "yard", **fields: Any) -> dict[str, Any]:
    return {"id": None, "name": name, "kind": "restricted", "corners": YARD, **fields}


def send(page: Client, camera: Camera, *zones: Any, mark: str | None = None) -> Any:
    """As the editor does, with the mark of what is stored now."""
    mark = mark_of(zones_of(camera)) if mark is None else mark
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    body = json.dumps({"mark": mark, "zones": zones})
    return page.post(address, body, content_type="application/json")


def faults(answer: HttpResponse) -> list[tuple[int | None, str, int | None, str]]:
    assert answer.status_code == 422
    told = json.loads(answer.content)["faults"]
    return [(one["zone"], one["field"], one["corner"], one["message"]) for one in told]


def test_zones_are_added_changed_and_deleted_in_one_go_and_each_is_on_record(
    page: Client, camera: Camera
) -> None:
    kept, gone = a_zone(camera), a_zone(camera, "lawn")
    answer = send(page, camera, drawn("yard", id=kept.pk, corners=LAWN), drawn("dock"))
    assert answer.json()["ok"], answer.json()
    assert {zone.name: zone.polygon for zone in Zone.objects.all()} == {"yard": LAWN, "dock": YARD}
    records = {r.action: r for r in AuditRecord.objects.filter(object_type="detection.zone")}
    assert records["changed"].details == {"fields": {"polygon": [YARD, LAWN]}}
    assert records["deleted"].details["before"]["name"] == "lawn"
    assert records["deleted"].object_id == str(gone.pk)
    assert records["added"].details["after"]["corners"] == YARD
    assert {record.username for record in records.values()} == {"boss"}


def test_what_is_saved_is_in_the_next_setup_that_a_watch_reads(
    page: Client, camera: Camera
) -> None:
    reader = SetupReader(camera.pk)
    assert reader.load().zones == ()
    week = Schedule.objects.create(name="week", lines="mon-sun 00:00-24:00 closed")
    layer = {"trespassing": {"dwell_seconds": 3}, "thresholds": {"trespassing": {"crime": 90}}}
    send(page, camera, drawn(schedule=week.pk, settings=layer))
    (zone,) = reader.load().zones
    assert (zone.name, zone.settings) == ("yard", layer)
    assert zone.schedule is not None


def test_a_zone_that_nobody_touched_is_not_changed_by_a_save(page: Client, camera: Camera) -> None:
    fine = [[0.1234567, 0.1], [0.9, 0.1], [0.5, 0.9]]
    zone = a_zone(camera, polygon=fine)
    answer = send(page, camera, drawn(id=zone.pk, corners=fine))
    assert answer.json()["message"] == "Nothing was changed."
    assert not AuditRecord.objects.filter(object_type="detection.zone").exists()


@pytest.mark.parametrize(
    ("zone", "fault"),
    [
        (drawn(corners=YARD[:2]), (0, "corners", None, "a zone needs at least 3 corners, this")),
        (drawn(corners=[[0, 0], [2, 0], [1, 1]]), (0, "corners", 2, "corner 2 is at (2, 0), out")),
        (drawn(corners=[[0, 0], [1, 1], [1, 0], [0, 1]]), (0, "corners", None, "the edges of the")),
        (drawn(corners=[[0, 0], [1, 1], [2, 2]]), (0, "corners", 3, "corner 3 is at (2, 2)")),
        (drawn(corners=[[0, 0], ["a", 1]]), (0, "corners", 2, "Input should be a valid number")),
        (drawn(kind="entry_line"), (0, "corners", None, "a line has 2 points, this one has 3")),
        (drawn(kind="cloud"), (0, "kind", None, "Input should be 'restricted'")),
        (drawn(" "), (0, "name", None, "it needs a name")),
        (drawn("x" * 101), (0, "name", None, "String should have at most 100")),
        (drawn(schedule=999), (0, "schedule", None, "this schedule is not there any more")),
        (drawn(id=999), (0, "id", None, "it is no zone of this camera")),
        (drawn(password="x"), (0, "password", None, "Extra inputs are not permitted")),
        (
            drawn(settings={"trespassing": {"dwell": 1}}),
            (0, "trespassing.dwell", None, "trespassing.dwell: no such option"),
        ),
        (
            drawn(settings={"thresholds": {"trespassing": {"alert": 90}}}),
            (0, "thresholds.trespassing.alert", None, "thresholds.trespassing.alert: crime (80)"),
        ),
    ],
)
def test_what_cannot_be_is_told_by_zone_and_corner_and_nothing_is_kept(
    zone: dict[str, Any], fault: tuple[int, str, int | None, str], page: Client, camera: Camera
) -> None:
    ((number, field, corner, message),) = faults(send(page, camera, zone, drawn("sound")))
    assert (number, field, corner) == fault[:3]
    assert message.startswith(fault[3])
    assert not Zone.objects.exists()


def test_all_faults_are_told_at_once(page: Client, camera: Camera) -> None:
    told = faults(send(page, camera, drawn(corners=YARD[:2]), drawn(), drawn("")))
    assert [(zone, field) for zone, field, _, _ in told] == [
        (1, "name"),
        (0, "corners"),
        (2, "name"),
    ]


def test_a_mask_has_no_hours(page: Client, camera: Camera) -> None:
    week = Schedule.objects.create(name="week")
    told = faults(send(page, camera, drawn(kind="privacy", schedule=week.pk)))
    assert [(zone, field) for zone, field, _, _ in told] == [(0, "schedule")]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"zones": 1}', "9" * 2_000_000])
def test_what_is_no_drawing_is_refused(body: str, page: Client, camera: Camera) -> None:
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    assert page.post(address, body, content_type="application/json").status_code in {413, 422, 400}


def test_the_second_of_two_people_is_told_who_was_first(page: Client, camera: Camera) -> None:
    before = mark_of(zones_of(camera))
    first = officer("first", "view_zone", "add_zone")
    assert send(first, camera, drawn("theirs")).status_code == 200
    answer = send(page, camera, drawn("mine"), mark=before)
    assert answer.status_code == 409
    assert answer.json()["message"] == "first changed these zones meanwhile. Nothing was saved."
    assert [zone.name for zone in Zone.objects.all()] == ["theirs"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("add_zone", "You may not add zones. Nothing was saved."),
        ("change_zone", "You may not change zones. Nothing was saved."),
        ("delete_zone", "You may not delete zones. Nothing was saved."),
    ],
)
def test_each_act_needs_its_permission_and_a_refused_one_undoes_the_others(
    missing: str, said: str, camera: Camera
) -> None:
    kept, _ = a_zone(camera), a_zone(camera, "lawn")
    rights = {"view_zone", "add_zone", "change_zone", "delete_zone"} - {missing}
    answer = send(officer("some", *rights), camera, drawn(id=kept.pk, corners=LAWN), drawn("dock"))
    assert answer.status_code == 403
    assert answer.json()["message"] == said
    assert {zone.name: zone.polygon for zone in Zone.objects.all()} == {"yard": YARD, "lawn": YARD}
    assert not AuditRecord.objects.filter(object_type="detection.zone").exists()


def test_without_the_right_to_see_zones_there_is_no_editor(camera: Camera) -> None:
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    assert officer("stranger", "view_camera").get(address).status_code == 403


def test_the_editor_costs_the_same_however_many_zones_there_are(
    page: Client, camera: Camera, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        a_zone(camera, f"zone {number}")
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    page.get(address)
    with django_assert_max_num_queries(14):
        body = page.get(address).content.decode()
    assert not [fragment for fragment in FRAGMENTS if fragment in body]


def test_a_broken_zone_can_be_opened_and_mended(page: Client, camera: Camera) -> None:
    zone = a_zone(camera, polygon="round", rule_settings=["odd"])
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    assert page.get(address).status_code == 200
    assert send(page, camera, drawn(id=zone.pk)).status_code == 200
    zone.refresh_from_db()
    assert (zone.polygon, zone.rule_settings) == (YARD, {})


def test_what_is_exported_is_what_the_command_and_the_import_read(
    page: Client, camera: Camera
) -> None:
    a_zone(camera, rule_settings={"trespassing": {"dwell_seconds": 3}})
    a_zone(camera, "gate", kind="entry_line", polygon=[[0.1, 0.5], [0.9, 0.5]])
    answer = page.get(reverse("admin:detection_camera_zones_export", args=(camera.pk,)))
    zones = read_zones(answer.content.decode(), sections(), settings_of())
    assert [(zone.name, zone.settings) for zone in zones] == [
        ("yard", {"trespassing": {"dwell_seconds": 3}}),
        ("gate", {}),
    ]


def test_the_list_and_the_page_of_a_camera_lead_to_the_editor(page: Client, camera: Camera) -> None:
    a_zone(camera)
    address = reverse("admin:detection_camera_zones", args=(camera.pk,))
    for where in (
        reverse("admin:detection_camera_change", args=(camera.pk,)),
        reverse("admin:detection_zone_changelist"),
        reverse("admin:detection_zone_change", args=(Zone.objects.get().pk,)),
    ):
        assert f'href="{address}"' in page.get(where).content.decode(), where
    assert page.get(reverse("admin:detection_zone_add")).status_code == 302


@pytest.mark.parametrize("name", ["a\0b", "yard\ngate", "\x1b[31mred"])
def test_a_name_is_one_line_that_a_database_takes(page: Client, camera: Camera, name: str) -> None:
    ((zone, field, _, _),) = faults(send(page, camera, drawn(name)))
    assert (zone, field) == (0, "name")


def test_trials_are_few_at_a_time_and_one_of_each_officer(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = reverse("admin:detection_camera_zones_preview", args=(camera.pk,))
    first, second, third = (officer(name, "view_zone") for name in ("rana", "omar", "lea"))

    def ask(client: Client) -> int:
        body = json.dumps({"zones": [drawn()]})
        return client.post(address, body, content_type="application/json").status_code

    met: list[int] = []

    def meanwhile(*_: Any, **__: Any) -> dict[str, Any]:
        match len(met):
            case 0:  # while the first one's goes on
                met.append(ask(first))
                met.append(ask(second))
            case 1:  # and while the second's goes on beside it
                met.append(ask(third))
        return {}

    monkeypatch.setattr(zone_editor, "preview_answer", meanwhile)
    assert ask(first) == 200
    assert met == [429, 429, 200]
    monkeypatch.undo()
    assert [ask(client) for client in (first, second, third)] == [200, 200, 200]
