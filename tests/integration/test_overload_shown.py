"""An operator sees which cameras are overloaded, by how much, and how many they are."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from detection.admin.watch_health import judge, overloaded
from detection.models import Camera, CameraState, Claim
from detection.services import claims
from detection.services.claims import Lease, WatchCounters

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def a_watched_camera(number: int, *, analysed: float, state: str = "running") -> Camera:
    now = timezone.now()
    camera = Camera.objects.create(external_id=number, name=f"Camera {number}", state=state)
    Claim.objects.create(camera=camera, token=7, expires_at=now + timedelta(seconds=10))
    claims.renew_lease(
        lease=Lease(camera.pk, 7),
        at=now,
        last_frame_at=now,
        counters=WatchCounters(wanted_per_second=3.0, analysed_per_second=analysed),
        frames_per_second=15.0,
    )
    return Camera.objects.select_related("claim").get(pk=camera.pk)


@pytest.mark.parametrize(
    ("analysed", "word", "remark"),
    [
        (3.0, "Running", ""),
        (2.4, "Running", ""),
        (1.2, "Overloaded", "overloaded: analysed 1.2 of 3.0 frames/s"),
    ],
)
def test_a_camera_that_is_analysed_too_rarely_says_so(
    page: Client, analysed: float, word: str, remark: str
) -> None:
    camera = a_watched_camera(1, analysed=analysed)
    health = judge(camera, timezone.now())
    assert (health.word, health.remark) == (word, remark)
    assert overload_is_counted(page) == (word == "Overloaded")
    listed = page.get("/admin/detection/camera/?watch=overloaded").content.decode()
    assert ("Camera 1" in listed) == (word == "Overloaded")
    claim = page.get(f"/admin/detection/claim/{camera.claim.pk}/change/").content.decode()
    assert f"analysed {analysed} of 3.0" in claim


@pytest.mark.parametrize("state", [CameraState.ERROR, CameraState.STARTING, CameraState.IDLE])
def test_a_camera_that_does_not_run_has_other_troubles(state: str) -> None:
    camera = a_watched_camera(1, analysed=0.0, state=state)
    assert judge(camera, timezone.now()).word != "Overloaded"
    assert not Camera.objects.filter(overloaded(timezone.now())).exists()


def test_a_new_watcher_begins_without_the_figures_of_the_last() -> None:
    camera = a_watched_camera(1, analysed=1.0)
    claims.give_lease_back(lease=Lease(camera.pk, 7))
    taken = claims.take_lease(
        camera_id=camera.pk, instance="a", worker="b", max_cameras=9, at=timezone.now()
    )
    assert taken is not None
    claim = Claim.objects.get(camera=camera)
    assert (claim.wanted_per_second, claim.analysed_per_second) == (0, 0)


def overload_is_counted(page: Client) -> bool:
    overview = page.get("/admin/").content.decode()
    assert "Cameras overloaded" in overview
    return "fewer frames analysed than wanted" in overview
