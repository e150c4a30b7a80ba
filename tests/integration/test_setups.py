"""What a watch reads of its camera's setup: cheaply, whatever is broken in it, and at once."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from detection.domain.schedules import Profile
from detection.evidence.privacy import hide
from detection.models import AuditRecord, Camera, Schedule, Site, Trouble, Zone
from detection.rules.contradictions import contradictions
from detection.rules.setup import CameraSetup
from detection.rules.trespassing import TrespassingOptions
from detection.services import claims, setups
from detection.services.holding import Holding, Mark
from detection.services.setups import SetupReader, examine, load_setup
from tests.integration.test_upkeep import Scene, a_watch, upkeeps
from tests.services import wait_until

CORNERS = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
WEEK = "mon-sun 00:00-24:00 day"
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


@pytest.fixture
def camera(db: None) -> Camera:
    return Camera.objects.create(registry="local", external_id=1, name="Yard")


def a_zone(camera: Camera, name: str = "gate", **fields: Any) -> Zone:
    given = {"kind": "restricted", "polygon": CORNERS}
    return Zone.objects.create(camera=camera, name=name, **{**given, **fields})


# --- zones with hours of their own ------------------------------------------------------------


def test_a_zone_goes_by_its_own_schedule_and_by_the_cameras_where_that_is_broken(
    camera: Camera,
) -> None:
    a_zone(camera, "gate", schedule=Schedule.objects.create(name="always", lines=WEEK))
    a_zone(camera, "lawn", schedule=Schedule.objects.create(name="torn", lines="mon 1-2 day"))
    draft = examine(camera.pk)
    assert draft.setup.zone_profiles_at(NOON) == {"gate": Profile.DAY}
    assert [zone.name for zone in draft.setup.zones] == ["gate", "lawn"]
    (fault,) = draft.camera_faults
    assert fault.startswith("schedule “torn” of zone “lawn”, not used, the camera's hours hold")


# --- cost -------------------------------------------------------------------------------------


def test_reading_a_setup_costs_two_queries_whatever_is_in_it(
    camera: Camera, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    week = Schedule.objects.create(name="week", lines=WEEK)
    Site.objects.create(pk=1, schedule=week)
    for number in range(10):
        a_zone(camera, f"zone {number}")
    reader = SetupReader(camera.pk)
    reader.load()
    with django_assert_num_queries(2):
        setup = reader.load()
    assert len(setup.zones) == 10
    assert setup.profile_at(NOON) is Profile.DAY


def test_nothing_is_checked_again_while_nothing_changes(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = a_zone(camera)
    reader = SetupReader(camera.pk)
    first = reader.load()
    monkeypatch.setattr(setups, "_build", None)
    assert reader.load() is first
    monkeypatch.undo()
    zone.delete()
    assert reader.load().zones == ()


def test_no_credential_is_decrypted_for_it(camera: Camera) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE detection_camera SET password = 'what no key has written'")
    with pytest.raises(ImproperlyConfigured):
        Camera.objects.get()
    assert load_setup(camera.pk).zones == ()


# --- what is broken ---------------------------------------------------------------------------


@pytest.fixture
def broken(camera: Camera) -> Camera:
    """A row of each kind that no page of ours would have let through."""
    bad = Schedule.objects.create(name="holes", lines="mon 00:00-24:00 day")
    Site.objects.create(pk=1, rule_settings=["x"], profile="dusk", schedule=bad)
    layer = {"trespassing": {"dwell_seconds": "long"}, "loitering": {"radius": 0.3}}
    Camera.objects.filter(pk=camera.pk).update(rule_settings=layer, profile="dawn")
    a_zone(camera, "bow", polygon=[[0, 0], [1, 1], [1, 0], [0, 1]])
    a_zone(camera, "fog", kind="cloud")
    a_zone(camera, "none", polygon="round")
    a_zone(camera, "step", kind="entry_line")
    a_zone(camera, "yard", rule_settings={"trespassing": {"dwell_seconds": -1, "radius": 1}})
    return camera


def test_what_is_broken_is_left_out_and_the_rest_is_watched(broken: Camera) -> None:
    setup = load_setup(broken.pk)
    assert [zone.name for zone in setup.zones] == ["fog", "yard"]
    assert setup.zones[1].settings == {}
    assert setup.settings.of("trespassing", TrespassingOptions).dwell_seconds == 4
    assert setup.settings.merged("loitering")["radius"] == 0.3
    assert setup.profile_at(NOON) is None


def test_each_thing_that_is_broken_is_named(broken: Camera) -> None:
    draft = examine(broken.pk)
    assert draft.site_faults == (
        'settings of the site, not used: settings are sections of options, like {"loitering": {…}}',
        "profile of the site, not used: there is no “dusk”",
        "schedule “holes”, not used, everything is armed: "
        "a gap: nothing holds from tue 00:00 to sun 24:00",
    )
    said = "\n".join(draft.camera_faults)
    for part in (
        "settings of the camera, not used: trespassing.dwell_seconds: Input should be a valid num",
        "profile of the camera, not used: there is no “dawn”",
        "zone “bow” is not watched: the edges of the zone cross",
        "privacy mask “fog” cannot be read, so the whole picture is hidden wherever it is kept or "
        "shown; draw it again: 'cloud' is not a valid ZoneKind",
        "zone “none” is not watched: each corner is a pair [x, y]",
        "zone “step” is not watched: a line has 2 points, this one has 3",
        "settings of zone “yard”, not used: trespassing.dwell_seconds: Input should be greater",
        "settings of zone “yard”, not used: trespassing.radius: no such option",
    ):
        assert part in said


@pytest.mark.parametrize(
    "damage",
    [
        {"polygon": [[0.2, 0.2], [0.4, 0.2]]},
        {"polygon": "round"},
        {"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]},
        {"polygon": [[0.2, 0.2], [0.4, 0.2], [0.4, 7]]},
        {"polygon": {}},
        {"kind": "privat"},
    ],
)
def test_a_privacy_mask_that_cannot_be_read_hides_the_whole_picture_and_blinds_no_rule(
    camera: Camera, damage: dict[str, Any]
) -> None:
    a_zone(camera, "bed", **{"kind": "privacy", **damage})
    a_zone(camera, "gate")
    draft = examine(camera.pk)
    picture = np.full((36, 64, 3), 200, np.uint8)
    assert (hide(picture, draft.setup.zones) == 32).all()
    assert [zone.is_overlooked for zone in draft.setup.zones] == [False, False]
    assert contradictions(draft.setup, setups.rule_types()) == []
    (said,) = draft.camera_faults
    assert said.startswith("privacy mask “bed” cannot be read, so the whole picture is hidden")
    SetupReader(camera.pk).load()
    assert "“bed” cannot be read" in Trouble.objects.get().text


def test_a_privacy_mask_with_broken_settings_keeps_its_shape(camera: Camera) -> None:
    a_zone(camera, "bed", kind="privacy", rule_settings=["x"])
    (zone,) = load_setup(camera.pk).zones
    assert [list(corner) for corner in zone.outline] == CORNERS
    assert zone.is_overlooked


def test_it_is_named_once_and_no_more_when_it_is_mended(
    broken: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    reader = SetupReader(broken.pk)
    with caplog.at_level(logging.ERROR, "detection.services.setups"):
        for _ in range(5):
            reader.load()
    assert len(caplog.records) == 11
    assert sorted(Trouble.objects.values_list("subject", flat=True)) == [
        f"setup of camera {broken.pk}",
        "setup of the site",
    ]
    Zone.objects.all().delete()
    Camera.objects.update(rule_settings={}, profile="")
    reader.load()
    assert [trouble.subject for trouble in Trouble.objects.all()] == ["setup of the site"]
    Site.objects.update(rule_settings={}, profile="", schedule=None)
    reader.load()
    assert not Trouble.objects.exists()


def test_a_trouble_is_named_again_before_it_is_pruned_as_forgotten(
    broken: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = SetupReader(broken.pk)
    reader.load()
    Trouble.objects.all().delete()
    reader.load()
    assert not Trouble.objects.exists()
    monkeypatch.setattr(setups, "NAME_AGAIN_SECONDS", 0.0)
    reader.load()
    assert Trouble.objects.count() == 2


# --- whose word holds -------------------------------------------------------------------------


def test_the_hand_goes_before_the_schedule_and_the_camera_before_the_site(camera: Camera) -> None:
    def profile() -> str | None:
        return load_setup(camera.pk).profile_at(NOON)

    site = Site.objects.create(pk=1)
    assert profile() is None
    site.schedule = Schedule.objects.create(name="days", lines=WEEK)
    site.save()
    assert profile() == "day"
    camera.schedule = Schedule.objects.create(name="nights", lines=WEEK.replace("day", "night"))
    camera.save()
    assert profile() == "night"
    site.profile = "closed"
    site.save()
    assert profile() == "closed"
    camera.profile = "day"
    camera.save()
    assert profile() == "day"


# --- in a running watch -----------------------------------------------------------------------


class KnowingScene(Scene):
    """Tells the profile by which its newest frame would be judged."""

    @property
    def profile(self) -> str | None:
        return self.setup.profile_at(datetime.now(UTC))


@pytest.fixture
def running(transactional_db: None) -> Iterator[KnowingScene]:
    """A watch that goes on while the test acts."""
    camera = Camera.objects.create(registry="local", name="Yard", external_id=1)
    a_zone(camera)
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=1, at=claims.database_now()
    )
    assert lease is not None
    scene, stop = KnowingScene(), threading.Event()
    reader = SetupReader(camera.pk)
    scene.setup = reader.load()
    watch = a_watch(Holding(lease, Mark.now()), scene, stop, reader.load)
    watching = threading.Thread(target=watch.run)
    watching.start()
    try:
        wait_until(lambda: scene.judged > 3, "frames are judged")
        yield scene
    finally:
        stop.set()
        watching.join(10)
        wait_until(lambda: not upkeeps(), "the upkeep has ended")


def test_arming_by_hand_reaches_a_running_watch_within_five_seconds(running: KnowingScene) -> None:
    page = Client()
    page.force_login(User.objects.create_superuser("boss", password="x"))
    camera = Camera.objects.get()
    assert running.profile is None
    chosen = {"action": "arm_as_night", "_selected_action": [camera.pk]}
    assert page.post("/admin/detection/camera/", chosen).status_code == 302
    wait_until(lambda: running.profile == "night", "the camera is armed as night", 5)
    chosen["action"] = "arm_by_schedule"
    page.post("/admin/detection/camera/", chosen)
    Site.objects.create(pk=1)
    page.post("/admin/detection/site/1/arm/", {"profile": "closed"})
    wait_until(lambda: running.profile == "closed", "the site is armed as closed", 5)
    acts = AuditRecord.objects.filter(action="armed").order_by("pk")
    assert [(act.username, act.label, act.details["said"]) for act in acts] == [
        ("boss", "Yard", "Armed as night, by hand."),
        ("boss", "Yard", "Armed by schedule."),
        ("boss", "Site", "Armed as closed, by hand."),
    ]


def test_zones_settings_and_schedules_reach_a_running_watch_without_a_restart(
    running: KnowingScene,
) -> None:
    camera = Camera.objects.get()
    Camera.objects.update(rule_settings={"trespassing": {"dwell_seconds": 9}})

    def dwell() -> float:
        return running.setup.settings.of("trespassing", TrespassingOptions).dwell_seconds

    wait_until(lambda: dwell() == 9, "the camera's settings hold", 5)
    a_zone(camera, "door", kind="door")
    wait_until(lambda: len(running.setup.zones) == 2, "the new zone is watched", 5)
    camera.schedule = Schedule.objects.create(name="days", lines=WEEK)
    camera.save(update_fields=["schedule"])
    wait_until(lambda: running.profile == "day", "its schedule holds", 5)
    Schedule.objects.update(lines=WEEK.replace("day", "night"))
    wait_until(lambda: running.profile == "night", "its new hours hold", 5)


def test_broken_rows_do_not_end_a_running_watch(running: KnowingScene) -> None:
    Camera.objects.update(rule_settings=7, profile="dusk")
    Zone.objects.update(polygon=[[0, 0], [1, 1]])
    Site.objects.create(pk=1, rule_settings="x")
    wait_until(lambda: running.setup.zones == (), "what is broken is left out", 5)
    before = running.judged
    wait_until(lambda: running.judged > before + 20, "frames are judged on", 5)
    assert running.setup == CameraSetup(
        settings=running.setup.settings, time_zone=running.setup.time_zone
    )
