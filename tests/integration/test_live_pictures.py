"""Live pictures: from whoever watches a camera, through a real broker, to whoever may see them."""

import json
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from detection.admin import live_stream
from detection.models import AuditRecord, Camera, StationAccess
from detection.transport import viewers
from detection.transport.live import LivePicture, LivePictures
from detection.transport.viewers import Viewers
from simulators.demo.processes import free_port
from tests.conftest import REPOSITORY
from tests.rows import JPEG, a_camera, officer
from tests.services import wait_until

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KINDS = ("stream", "still", "picture")


@pytest.fixture
def pictures(broker: "redis.Redis", broker_url: str, settings: Settings) -> LivePictures:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": broker_url})
    return LivePictures(broker)


def address(kind: str, camera: Camera) -> str:
    return reverse(f"admin:detection_camera_{kind}", args=(camera.pk,))


def test_the_latest_still_is_shown_with_the_time_at_which_it_was_taken(
    pictures: LivePictures,
) -> None:
    camera = a_camera()
    pictures.post_still(camera.pk, LivePicture(AT, JPEG))
    response = officer("ann", "view_camera").get(address("still", camera))
    assert response.content == JPEG
    assert response.headers["X-Captured-At"] == "2026-01-02T03:04:05.000+00:00"


def test_without_a_still_there_is_nothing(pictures: LivePictures) -> None:
    response = officer("ann", "view_camera").get(address("still", a_camera()))
    assert response.status_code == HTTPStatus.NOT_FOUND


def test_a_large_picture_of_now_goes_before_one_of_the_last_minutes(
    pictures: LivePictures,
) -> None:
    camera = a_camera()
    client = officer("ann", "view_camera")
    pictures.post_large(camera.pk, LivePicture(AT, JPEG + b" of before"))
    assert client.get(address("picture", camera)).content == JPEG + b" of before"
    assert pictures.is_wanted(camera.pk)
    pictures.post(camera.pk, LivePicture(AT, JPEG))
    assert client.get(address("picture", camera)).content == JPEG
    assert AuditRecord.objects.filter(action="live_viewed").count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_camera_of_another_station_is_not_there(kind: str, pictures: LivePictures) -> None:
    camera = a_camera(station_id=8)
    client = officer("ann", "view_camera")
    StationAccess.objects.update(all_stations=False, stations=[3])
    pictures.post_still(camera.pk, LivePicture(AT, JPEG))
    assert client.get(address(kind, camera)).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_see_no_camera_is_refused(kind: str, pictures: LivePictures) -> None:
    client: Client = officer("ann", "view_episode")
    assert client.get(address(kind, a_camera())).status_code == HTTPStatus.FORBIDDEN


# --- the stream ----------------------------------------------------------------------------------


@dataclass
class Part:
    """One part of a stream, as a browser reads it."""

    heads: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, str]:
        return dict(json.loads(self.body))


def parts_of(response: Any) -> Iterator[Part]:
    """The parts, as they come."""
    for chunk in response.streaming_content:
        head, _, rest = chunk.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == "--picture"
        heads = dict(line.split(": ", 1) for line in lines[1:])
        yield Part(heads, rest[: int(heads["Content-Length"])])


def look(client: Client, camera: Camera, *, tells: bool = True) -> Any:
    accept = "multipart/mixed" if tells else "image/*"
    return client.get(address("stream", camera), headers={"accept": accept})


def leave(response: Any) -> None:
    """As a browser that goes; Django's own way would also close the connection of this test."""
    response._iterator.close()


def set_environment(settings: Settings, **changes: object) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)


def test_a_stream_brings_each_new_picture_with_its_boxes_and_its_age(
    pictures: LivePictures,
) -> None:
    camera = a_camera()
    box = {"id": 3, "label": "person", "confidence": 0.9, "xyxy": [0, 0, 1, 1], "suspect": True}
    now = datetime.now(UTC)
    pictures.post(camera.pk, LivePicture(AT, JPEG, [box], now - timedelta(seconds=2)))
    response = look(officer("ann", "view_camera"), camera)
    assert response.headers["Content-Type"] == "multipart/mixed; boundary=picture"
    stream = parts_of(response)
    first = next(stream)
    assert first.body == JPEG
    assert json.loads(first.heads["X-Boxes"]) == [box]
    assert first.heads["X-Captured-At"] == "2026-01-02T03:04:05.000+00:00"
    assert 2.0 <= float(first.heads["X-Age-Seconds"]) < 4.0
    assert pictures.is_wanted(camera.pk)
    pictures.post(camera.pk, LivePicture(AT, JPEG + b"2", None, now))
    second = next(stream)
    assert (second.body, second.heads["X-Boxes"]) == (JPEG + b"2", "null")
    assert next(stream).said == {}, "no newer picture: it only says that it is there"


def test_a_plain_image_gets_pictures_and_nothing_else(pictures: LivePictures) -> None:
    camera = a_camera()
    pictures.post(camera.pk, LivePicture(AT, JPEG))
    response = look(officer("ann", "view_camera"), camera, tells=False)
    assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
    part = next(parts_of(response))
    assert part.heads["Content-Type"] == "image/jpeg"
    assert "X-Boxes" not in part.heads


def test_a_stream_ends_after_its_minutes_and_says_so(
    pictures: LivePictures, settings: Settings, broker_url: str
) -> None:
    set_environment(settings, live_minutes=1 / 60)
    camera = a_camera()
    client = officer("ann", "view_camera")
    last = list(parts_of(look(client, camera)))[-1]
    assert last.said == {"ended": "limit"}
    assert Viewers.connect(broker_url).count() == 0


def test_a_stream_of_a_camera_that_nobody_watches_ends_by_itself(
    pictures: LivePictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "SILENCE_SECONDS", 0.3)
    assert list(parts_of(look(officer("ann", "view_camera"), a_camera())))[-1].said == {
        "ended": "silent"
    }


def test_who_opens_too_many_loses_the_oldest(pictures: LivePictures, settings: Settings) -> None:
    set_environment(settings, live_viewers_each=1)
    camera = a_camera()
    client = officer("ann", "view_camera")
    first, second = look(client, camera), look(client, camera)
    assert list(parts_of(first))[-1].said == {"ended": "displaced"}
    assert next(parts_of(second)).said == {}


def test_a_full_site_refuses_and_frees_the_place_of_who_leaves(
    pictures: LivePictures, settings: Settings
) -> None:
    set_environment(settings, live_viewers=1)
    camera = a_camera()
    ann, bob = officer("ann", "view_camera"), officer("bob", "view_camera")
    watching = look(ann, camera)
    next(parts_of(watching))
    refused = look(bob, camera)
    assert (refused.status_code, refused.json()) == (503, {"ended": "full"})
    leave(watching)
    assert look(bob, camera).status_code == HTTPStatus.OK


def test_a_web_process_that_died_frees_its_places(
    pictures: LivePictures, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "LAPSES_SECONDS", 0.3)
    places = Viewers.connect(broker_url)
    assert places.enter(1, each=4, site=1) is not None, "and is never heard of again"
    assert places.enter(2, each=4, site=1) is None
    wait_until(lambda: places.enter(2, each=4, site=1), "the place lapses")


def test_rights_that_are_taken_away_end_a_stream(
    pictures: LivePictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "RIGHTS_SECONDS", 0.0)
    response = look(officer("ann", "view_camera"), a_camera())
    StationAccess.objects.update(all_stations=False, stations=[3])
    assert list(parts_of(response))[-1].said == {"ended": "forbidden"}


def test_a_stretch_of_watching_is_on_record_once(pictures: LivePictures) -> None:
    camera = a_camera()
    client = officer("ann", "view_camera")
    for _ in range(2):
        leave(look(client, camera))
    (record,) = AuditRecord.objects.filter(action="live_viewed")
    assert (record.username, record.label) == ("ann", "Camera 1")


def test_without_redis_there_is_no_picture_and_no_error(settings: Settings) -> None:
    set_environment(settings, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    camera = a_camera()
    client = officer("ann", "view_camera")
    assert look(client, camera).json() == {"ended": "away"}
    for kind in ("still", "picture"):
        assert client.get(address(kind, camera)).status_code == HTTPStatus.NOT_FOUND


def test_there_are_threads_left_for_pages_when_as_many_watch_as_may(settings: Settings) -> None:
    conf = runpy.run_path(str(REPOSITORY / "gunicorn.conf.py"))
    assert conf["threads"] == settings.ENVIRONMENT.live_viewers + 8
