"""A camera that is begun anew, and one that is removed: at the services, the workers, the pages."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from detection import signals
from detection.models import AuditRecord, Camera, CameraState, Claim, Episode, StationAccess
from detection.ports import ListedCamera
from detection.services import claims
from detection.services.camera_life import remove_cameras, restart_camera
from detection.services.cameras import upsert_listed_cameras
from detection.services.claims import NotWanted, WatchCounters
from detection.services.coverage import follow_duties
from integrations.models import Siren
from simulators.tapo import SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import PASSWORD
from tests.rows import FRAGMENTS, a_camera, a_claim, a_delivery, an_episode, officer
from tests.services import wait_until
from tests.watched import use, watched

pytestmark = pytest.mark.django_db(transaction=True)


def take(camera: Camera) -> claims.Lease:
    lease = claims.take_lease(
        camera_id=camera.pk, instance="i", worker="w", max_cameras=9, at=claims.database_now()
    )
    assert lease is not None
    return lease


def renew(lease: claims.Lease) -> None:
    claims.renew_lease(
        lease=lease,
        at=claims.database_now(),
        last_frame_at=None,
        counters=WatchCounters(),
        frames_per_second=0.0,
    )


def rung() -> list[int]:
    Claim.objects.update(rung_at=None)
    found = claims.cameras_to_ring(at=claims.database_now(), listed_within_seconds=60)
    return [ring.camera_id for ring in found]


def listed(camera: Camera) -> ListedCamera:
    return ListedCamera(camera.external_id, camera.name, "rtsp://new:word@10.0.0.1/stream2")


def page(camera: Camera, kind: str = "change") -> str:
    return reverse(f"admin:detection_camera_{kind}", args=(camera.pk,))


# --- beginning anew ------------------------------------------------------------------------------


def test_a_watcher_lets_go_once_of_a_camera_that_is_to_begin_anew() -> None:
    camera = a_camera(retry_at=timezone.now() + timedelta(minutes=5))
    lease = take(camera)
    renew(lease)
    restart_camera(camera_id=camera.pk, at=claims.database_now())
    with pytest.raises(NotWanted, match="taken anew"):
        renew(lease)
    claims.give_lease_back(lease=lease)
    assert rung() == [camera.pk], "not only after its pause"
    renew(take(camera))  # the new watch goes on


def test_restart_is_for_who_may_change_cameras_of_the_station_and_is_on_record() -> None:
    camera = a_camera(station_id=3)
    a_claim(camera)
    looks = officer("looks", "view_camera")
    may = officer("may", "view_camera", "change_camera")
    elsewhere = officer("elsewhere", "view_camera", "change_camera")
    StationAccess.objects.filter(user__username="elsewhere").update(
        all_stations=False, stations=[8]
    )
    assert looks.post(page(camera, "restart")).status_code == HTTPStatus.FORBIDDEN
    assert elsewhere.post(page(camera, "restart")).status_code == HTTPStatus.NOT_FOUND
    assert may.get(page(camera, "restart")).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert Claim.objects.get().restart_at is None
    assert may.post(page(camera, "restart")).status_code == HTTPStatus.FOUND
    assert Claim.objects.get().restart_at is not None
    (record,) = AuditRecord.objects.filter(action="changed")
    assert record.details == {"said": "Asked for its watch to begin anew."}


def test_a_real_watch_begins_anew(
    broker: "redis.Redis", broker_url: str, tapo: SimulatedTapo, settings: Settings
) -> None:
    use(settings, redis_url=broker_url, siren_enabled=False)
    camera = Camera.objects.create(registry="local", external_id=1, stream_url=tapo.rtsp_url)
    with watched(camera, broker_url):
        wait_until(lambda: tapo.active_clients == 1, "it is watched", 60)
        token = Claim.objects.get().token
        restart_camera(camera_id=camera.pk, at=claims.database_now())
        wait_until(lambda: Claim.objects.get().token == token + 1, "it is taken anew", 40)
        wait_until(lambda: tapo.total_sessions == 2, "over a new connection", 40)
        assert tapo.active_clients == 1


# --- removing ------------------------------------------------------------------------------------


def test_a_removed_camera_keeps_its_episodes_and_loses_its_credentials() -> None:
    camera = a_camera(profile="night")
    episode = an_episode(camera)
    delivery = a_delivery(episode)
    assert [gone.pk for gone in remove_cameras(camera_ids=[camera.pk])] == [camera.pk]
    camera = Camera.objects.get()
    assert camera.removed_at is not None
    assert (camera.name, camera.enabled, camera.address) == ("Camera 1", False, "10.0.0.1")
    assert {camera.stream_url, camera.username, camera.password, camera.control_password} == {""}
    assert Episode.objects.get() == episode
    assert delivery.pk == episode.deliveries.get().pk
    assert remove_cameras(camera_ids=[camera.pk]) == [], "once"


def test_a_removed_camera_is_neither_rung_nor_on_duty() -> None:
    camera, other = a_camera(1), a_camera(2)
    follow_duties(at=timezone.now())
    remove_cameras(camera_ids=[camera.pk])
    follow_duties(at=timezone.now())
    assert camera.duties.get().ended_at is not None
    assert rung() == [other.pk]
    Camera.objects.update(enabled=True)  # as an old page might
    assert rung() == [other.pk]


def test_its_watcher_lets_go_and_its_back_end_is_told(
    broker: "redis.Redis", broker_url: str, tapo: SimulatedTapo, settings: Settings
) -> None:
    use(settings, redis_url=broker_url, siren_enabled=False)
    camera = Camera.objects.create(registry="local", external_id=1, stream_url=tapo.rtsp_url)
    with watched(camera, broker_url):
        wait_until(lambda: tapo.active_clients == 1, "it is watched", 60)
        remove_cameras(camera_ids=[camera.pk])
        wait_until(lambda: tapo.active_clients == 0, "nobody reads it", 30)
        wait_until(lambda: Claim.objects.get().expires_at is None, "its lease is given back", 30)
    camera.refresh_from_db()
    assert camera.state == CameraState.IDLE


def test_a_camera_that_counts_at_its_back_end_is_rung_once_more_to_be_released() -> None:
    camera = a_camera(registry="laravel")
    claim = a_claim(camera, lease_seconds=-1)
    Claim.objects.filter(pk=claim.pk).update(holder="node-1")
    remove_cameras(camera_ids=[camera.pk])
    (ring,) = claims.cameras_to_ring(at=claims.database_now(), listed_within_seconds=60)
    assert (ring.camera_id, ring.holder) == (camera.pk, "node-1")


def test_its_siren_can_still_be_reached_when_it_is_told_of_the_removal() -> None:
    camera = a_camera()
    told: list[str] = []

    def listen(camera: Camera, **_: Any) -> None:
        told.append(camera.password)

    signals.camera_removed.connect(listen)
    try:
        remove_cameras(camera_ids=[camera.pk])
    finally:
        signals.camera_removed.disconnect(listen)
    assert told == ["pa55/w@rd?x"]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_siren_that_sounds_is_silenced(
    broker: "redis.Redis",
    broker_url: str,
    tapo: SimulatedTapo,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    siren_site.leave_only_tapo(settings)
    siren_site.set_environment(settings, redis_url=broker_url, siren_seconds=60.0)
    with siren_site.process_that_answers(monkeypatch):
        camera = a_camera(
            username="admin",
            password=PASSWORD,
            control_password="",
            control_address=f"{tapo.host}:{tapo.control_port}",
        )
        Siren.objects.create(
            camera=camera, method="tapo", wanted_until=timezone.now() + timedelta(minutes=1)
        )
        tapo.switch_siren("start", PASSWORD)
        wait_until(lambda: tapo.siren_on, "it sounds")
        remove_cameras(camera_ids=[camera.pk])
        wait_until(lambda: not tapo.siren_on, "it is silent", 15)


def test_a_camera_of_our_own_stays_removed_and_one_that_is_listed_again_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    own, theirs = a_camera(1), a_camera(2, registry="laravel")
    remove_cameras(camera_ids=[own.pk, theirs.pk])
    upsert_listed_cameras(registry="laravel", listed=[listed(theirs)], at=timezone.now())
    own.refresh_from_db()
    theirs.refresh_from_db()
    assert own.removed_at is not None
    assert (theirs.removed_at, theirs.enabled) == (None, True)
    assert theirs.stream_url == "rtsp://new:word@10.0.0.1/stream2"
    assert "camera 2 of “laravel” was removed, but is listed again: it is back" in caplog.text


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def boss() -> Client:
    return officer(
        "boss", "view_camera", "change_camera", "delete_camera", "view_episode", "view_zone"
    )


def test_removing_is_for_who_may_delete_and_asks_first(boss: Client) -> None:
    camera = a_camera()
    operator = officer("operator", "view_camera", "change_camera")
    assert operator.post(page(camera, "remove"), {"sure": "yes"}).status_code == 403
    chosen = {"action": "remove", "_selected_action": [camera.pk]}
    operator.post("/admin/detection/camera/", {**chosen, "sure": "yes"})
    assert b"Remove this camera?" in boss.get(page(camera, "remove")).content
    assert b"Remove this camera?" in boss.post("/admin/detection/camera/", chosen).content
    assert Camera.objects.get().removed_at is None
    assert boss.post("/admin/detection/camera/", {**chosen, "sure": "yes"}).status_code == 302
    assert Camera.objects.get().removed_at is not None


def test_django_s_own_deletion_is_gone(boss: Client) -> None:
    camera = a_camera()
    boss.post("/admin/detection/camera/", {
        "action": "delete_selected", "_selected_action": [camera.pk], "post": "yes",
    })  # fmt: skip
    assert boss.post(page(camera, "delete"), {"post": "yes"}).status_code == 403
    assert Camera.objects.exists()


def test_a_removed_camera_is_listed_only_where_it_is_asked_for_and_changed_by_nobody(
    boss: Client,
) -> None:
    camera, other = a_camera(1), a_camera(2)
    remove_cameras(camera_ids=[camera.pk])
    shown = boss.get("/admin/detection/camera/").content.decode()
    assert "Camera 2" in shown and "Camera 1" not in shown
    removed = boss.get("/admin/detection/camera/?removed=yes").content.decode()
    assert "Camera 1" in removed and "Camera 2" not in removed
    told = boss.get(page(camera)).content.decode()
    assert "Removed on" in told and not any(secret in told for secret in FRAGMENTS)
    assert boss.post(page(camera), {"name": "Renamed"}).status_code == HTTPStatus.FORBIDDEN
    enable = {"action": "enable", "_selected_action": [camera.pk], "removed": "yes"}
    boss.post("/admin/detection/camera/?removed=yes", enable)
    camera.refresh_from_db()
    assert (camera.name, camera.enabled) == ("Camera 1", False)
    for kind in ("stream", "still", "picture"):
        assert boss.get(page(camera, kind)).status_code == HTTPStatus.NOT_FOUND
    assert other.removed_at is None


def test_episodes_of_a_removed_camera_are_read_as_before(boss: Client) -> None:
    camera = a_camera()
    episode = an_episode(camera)
    remove_cameras(camera_ids=[camera.pk])
    listed_page = boss.get("/admin/detection/episode/").content.decode()
    assert "Camera 1" in listed_page
    told = boss.get(reverse("admin:detection_episode_change", args=(episode.pk,)))
    assert told.status_code == HTTPStatus.OK
    assert "Camera 1" in told.content.decode()


def queries_of(client: Client, address: str) -> int:
    client.get(address)  # what is asked once in a process
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def test_the_page_costs_no_query_per_episode_or_trouble(boss: Client) -> None:
    camera = a_camera()
    an_episode(camera)
    few = queries_of(boss, page(camera))
    for hours in range(20):
        at = timezone.now() - timedelta(hours=hours)
        an_episode(camera, started_at=at)
        camera.health_events.create(kind="black", began_at=at, ended_at=at)
    assert queries_of(boss, page(camera)) == few


def test_the_list_costs_no_query_per_camera(boss: Client) -> None:
    a_camera(1)
    few = queries_of(boss, "/admin/detection/camera/")
    for number in range(2, 40):
        a_camera(number)
    assert queries_of(boss, "/admin/detection/camera/") == few
