"""The wall: what each tile says, to whom, and at what price."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from detection.models import Camera, StationAccess
from detection.transport.live import LivePicture, LivePictures
from tests.rows import FRAGMENTS, JPEG, a_camera, a_claim, an_episode, officer

pytestmark = pytest.mark.django_db
STATES = "/admin/wall/states/"


@pytest.fixture
def pictures(broker: "redis.Redis", broker_url: str, settings: Settings) -> LivePictures:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": broker_url})
    return LivePictures(broker)


@pytest.fixture
def viewer() -> Client:
    return officer("viewer", "view_camera")


def a_watched_camera(number: int, **fields: Any) -> Camera:
    camera = a_camera(number, state="running", **fields)
    a_claim(camera)
    return camera


def tiles(client: Client, query: str = "") -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = client.get(STATES + query).json()["tiles"]
    return shown


def test_a_tile_says_how_its_camera_is(viewer: Client, pictures: LivePictures) -> None:
    camera = a_watched_camera(1)
    taken = timezone.now() - timedelta(seconds=4)
    pictures.post_still(camera.pk, LivePicture(taken, JPEG))
    (tile,) = tiles(viewer)
    assert (tile["name"], tile["state"], tile["tone"]) == ("Camera 1", "Running", "good")
    assert tile["still_at"] == pytest.approx(taken.timestamp(), abs=0.001)
    assert tile["picture"].startswith("picture of ")
    assert tile["is_old"] is False
    assert tile["armed"] == "all armed"


def test_a_camera_that_only_seems_watched_is_never_green(
    viewer: Client, pictures: LivePictures
) -> None:
    a_camera(1, state="running")
    a_claim(a_camera(2, state="running"), frame_age=60)
    a_claim(a_camera(3, state="running"), lease_seconds=-1)
    shown = tiles(viewer)
    assert [tile["tone"] for tile in shown] == ["bad", "bad", "bad"]
    assert [tile["state"] for tile in shown] == ["Not watched", "No frames", "Not watched"]
    assert all(tile["remark"] for tile in shown)


def test_a_picture_that_is_old_or_absent_says_so(viewer: Client, pictures: LivePictures) -> None:
    old = a_watched_camera(1)
    a_watched_camera(2)
    pictures.post_still(old.pk, LivePicture(timezone.now() - timedelta(minutes=5), JPEG))
    shown = tiles(viewer)
    assert [tile["is_old"] for tile in shown] == [True, True]
    assert shown[0]["picture"].startswith("picture of 5 min")
    assert (shown[1]["still_at"], shown[1]["picture"]) == (None, "")


def test_crimes_come_first_then_cameras_in_trouble(viewer: Client, pictures: LivePictures) -> None:
    a_watched_camera(1)
    a_camera(2, state="error", reason="no route")
    an_episode(a_watched_camera(3), status="suspicious", ended_at=None)
    an_episode(a_watched_camera(4), status="confirmed", ended_at=None)
    a_camera(5, enabled=False)
    answer = viewer.get(STATES).json()
    names = [tile["name"] for tile in answer["tiles"]]
    assert names == ["Camera 4", "Camera 3", "Camera 2", "Camera 1", "Camera 5"]
    assert answer["tiles"][0]["episode"] == "Trespassing: Confirmed"
    assert answer["summary"] == "3 of 4 cameras are watched · 2 open episodes"


def test_one_sees_the_cameras_of_ones_stations_only(pictures: LivePictures) -> None:
    a_watched_camera(1, station_id=1)
    a_watched_camera(2, station_id=2)
    client = officer("local", "view_camera")
    StationAccess.objects.update(all_stations=False, stations=[2])
    assert [tile["name"] for tile in tiles(client)] == ["Camera 2"]
    assert [tile["name"] for tile in tiles(client, "?station=1")] == ["Camera 2"]


def test_a_station_can_be_chosen(viewer: Client, pictures: LivePictures) -> None:
    a_watched_camera(1, station_id=1)
    a_watched_camera(2, station_id=2)
    a_watched_camera(3, station_id=None)
    assert [tile["name"] for tile in tiles(viewer, "?station=2")] == ["Camera 2"]
    assert [tile["name"] for tile in tiles(viewer, "?station=none")] == ["Camera 3"]
    assert len(tiles(viewer, "?station=99'")) == 3


def test_a_camera_that_was_removed_is_not_shown(viewer: Client, pictures: LivePictures) -> None:
    a_watched_camera(1, removed_at=timezone.now())
    assert tiles(viewer) == []
    assert "No camera to show yet" in viewer.get("/admin/wall/").content.decode()


def test_who_may_not_see_cameras_sees_no_wall() -> None:
    client = officer("nobody")
    assert client.get("/admin/wall/").status_code == 403
    assert client.get(STATES).status_code == 403
    assert Client().get(STATES).status_code == 302


def test_the_wall_stands_while_redis_is_away(viewer: Client, settings: Settings) -> None:
    away = {"redis_url": "redis://127.0.0.1:1/0"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=away)
    a_watched_camera(1)
    answer = viewer.get(STATES).json()
    assert answer["pictures"] == "Redis is out of reach: no picture is renewed."
    assert answer["tiles"][0]["tone"] == "good"


def test_120_cameras_cost_as_many_queries_as_one(viewer: Client, pictures: LivePictures) -> None:
    counts = []
    for number in (1, 120):
        for each in range(Camera.objects.count() + 1, number + 1):
            an_episode(a_watched_camera(each), status="suspicious", ended_at=None)
        with CaptureQueriesContext(connection) as asked:
            assert len(tiles(viewer)) == number
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 8  # session, user, two of rights, stations …


def test_no_secret_is_on_the_wall(viewer: Client, pictures: LivePictures) -> None:
    a_camera(1, state="error", reason="rtsp://wachmann-17:pa55/w@rd?x@10.1.2.3/ refused")
    Camera.objects.get().password  # noqa: B018 — decrypting remembers the secret
    for page in ("/admin/wall/", STATES):
        text = viewer.get(page).content.decode()
        assert not [part for part in FRAGMENTS if part in text]
