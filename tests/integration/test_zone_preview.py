"""Who would have triggered yesterday: the rules themselves, on the tracks that were kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.track_log import TrackLog
from detection.domain.tracks import Track
from detection.models import Camera, Schedule, Zone
from detection.models import TrackLog as Row
from detection.services import track_logs
from detection.services.track_logs import keep_pages
from detection.services.zone_drafts import DraftError, Drawing, ZoneDraft
from detection.services.zone_preview import Found, look_back
from tests.rows import a_camera

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LEFT = [(0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0)]


@pytest.fixture
def camera() -> Camera:
    return a_camera()


def walk(
    camera: Camera, *, hours_ago: float, seconds: float, x: float = 0.2, key: int = 1
) -> datetime:
    """Somebody stands at x for so long and is gone then; returns when they came."""
    log = TrackLog()
    began = NOW - timedelta(hours=hours_ago)
    frames = round(seconds * 4)
    for number in range(frames + 8):
        tracks = [Track(key, "person", 0.9, Box(x - 0.02, 0.3, x + 0.02, 0.6))]
        log.see(Moment(began + timedelta(seconds=number / 4), tracks if number < frames else []))
    log.end()
    keep_pages(camera_id=camera.pk, log=log)
    return began


def drawn(name: str = "yard", **fields: Any) -> ZoneDraft:
    given: dict[str, Any] = {"kind": "restricted", "corners": LEFT}
    return ZoneDraft.model_validate({"name": name, **given, **fields})


def tried(camera: Camera, *zones: ZoneDraft, **options: Any) -> Found:
    return look_back(camera, Drawing(zones=list(zones)), until=NOW, **options)


def told(found: Found) -> list[tuple[str, float, bool]]:
    """Zone, seconds after the first sample until the alert, whether it became a crime."""
    return [
        (t.zone, (t.alerted_at - t.started_at).total_seconds(), t.confirmed_at is not None)
        for t in found.triggers
    ]


def test_who_stood_in_the_zone_would_have_triggered_it_at_its_thresholds(camera: Camera) -> None:
    came = walk(camera, hours_ago=5, seconds=12)
    found = tried(camera, drawn())
    assert told(found) == [("yard", 1.0, True)]
    (trigger,) = found.triggers
    assert trigger.started_at == came
    assert trigger.rules == ("trespassing",)
    assert trigger.place == pytest.approx((0.2, 0.6), abs=1e-3)


def test_who_passed_beside_it_or_before_yesterday_would_not(camera: Camera) -> None:
    walk(camera, hours_ago=5, seconds=12, x=0.8)
    walk(camera, hours_ago=25, seconds=12)
    assert told(tried(camera, drawn())) == []


def test_the_zones_are_those_that_are_drawn_and_not_those_that_are_kept(camera: Camera) -> None:
    corners = [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0]]
    Zone.objects.create(camera=camera, name="kept", kind="restricted", polygon=corners)
    walk(camera, hours_ago=1, seconds=12)
    assert told(tried(camera)) == []


def test_options_and_thresholds_of_the_drawn_zone_hold(camera: Camera) -> None:
    walk(camera, hours_ago=1, seconds=12)
    slow = drawn(settings={"trespassing": {"dwell_seconds": 60}})
    assert [crime for _, _, crime in told(tried(camera, slow))] == [False]
    deaf = drawn(settings={"thresholds": {"trespassing": {"alert": 98, "crime": 99}}})
    assert told(tried(camera, deaf)) == []


def test_the_hours_of_the_drawn_zone_hold(camera: Camera) -> None:
    walk(camera, hours_ago=1, seconds=12)
    week = Schedule.objects.create(name="day", lines="mon-sun 00:00-24:00 day")
    by_night = {"trespassing": {"armed_in": ["night"]}}
    assert len(tried(camera, drawn(settings=by_night)).triggers) == 1, "no schedule: all is armed"
    assert told(tried(camera, drawn(settings=by_night, schedule=week.pk))) == []


def test_who_is_under_a_drawn_mask_is_not_seen(camera: Camera) -> None:
    walk(camera, hours_ago=1, seconds=12)
    assert told(tried(camera, drawn(), drawn("tree", kind="mask"))) == []


def test_a_zone_that_is_switched_off_is_not_tried(camera: Camera) -> None:
    walk(camera, hours_ago=1, seconds=12)
    assert told(tried(camera, drawn(enabled=False))) == []


def test_two_visits_are_two_alerts_the_newest_first(camera: Camera) -> None:
    first = walk(camera, hours_ago=5, seconds=3)
    second = walk(camera, hours_ago=2, seconds=3, key=2)
    assert [t.started_at for t in tried(camera, drawn()).triggers] == [second, first]


def test_a_stay_longer_than_a_page_is_one_alert(camera: Camera) -> None:
    walk(camera, hours_ago=2, seconds=900)
    assert Row.objects.count() == 5, "of one, one, two and four minutes, and the rest"
    assert len(tried(camera, drawn()).triggers) == 1


def test_it_ends_when_its_time_is_over_and_says_from_when_it_looked(camera: Camera) -> None:
    walk(camera, hours_ago=5, seconds=12)
    walk(camera, hours_ago=2, seconds=12)
    found = tried(camera, drawn(), budget=-1.0)
    assert found.triggers == []
    assert found.covered_from is not None
    assert abs((found.covered_from - (NOW - timedelta(hours=2))).total_seconds()) < 20


def test_a_rule_that_needs_pictures_is_said_to_be_left_out(camera: Camera) -> None:
    found = tried(camera, drawn("window", kind="protected"), drawn())
    assert found.left_out == {"window": ["vandalism"], "yard": []}


def test_ways_are_told_for_the_picture(camera: Camera) -> None:
    log = TrackLog()
    for number in range(40):
        x = 0.1 + number * 0.02
        box = Box(x - 0.02, 0.3, x + 0.02, 0.6)
        log.see(Moment(NOW - timedelta(hours=1, seconds=-number), [Track(1, "person", 0.9, box)]))
    log.end()
    keep_pages(camera_id=camera.pk, log=log)
    (way,) = tried(camera).ways
    assert way[0] == pytest.approx((0.1, 0.6), abs=1e-3)
    assert len(way) == 40


def test_a_torn_page_costs_only_itself(camera: Camera) -> None:
    walk(camera, hours_ago=5, seconds=12)
    Row.objects.create(
        camera=camera,
        began_at=NOW - timedelta(hours=2),
        ended_at=NOW - timedelta(hours=2),
        content=b"torn",
    )
    assert len(tried(camera, drawn()).triggers) == 1


def test_a_drawing_with_a_fault_is_refused(camera: Camera) -> None:
    with pytest.raises(DraftError, match="at least 3 corners"):
        tried(camera, drawn(corners=[(0.1, 0.1), (0.2, 0.2)]))


def test_a_page_that_the_database_does_not_take_is_said_to_be_lost_and_the_next_is_kept(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = TrackLog()
    for hours in (2, 1):
        log.see(
            Moment(NOW - timedelta(hours=hours), [Track(1, "person", 0.9, Box(0, 0, 0.5, 0.5))])
        )
        log.end()

    def refuse(**_: object) -> Row:
        raise OperationalError("database is locked")

    with monkeypatch.context() as away:
        away.setattr(track_logs, "keep_page", refuse)
        track_logs.keep_pages(camera_id=camera.pk, log=log)
    assert "a page of its tracks is lost: database is locked" in caplog.text
    track_logs.keep_pages(camera_id=camera.pk, log=log)
    assert [row.began_at for row in Row.objects.all()] == [NOW - timedelta(hours=1)]
