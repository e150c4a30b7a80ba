"""A camera that its registry took back while its watch ends: claimed again by nobody."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from crimeops import adapters
from detection import reclaiming, watching
from detection.models import Camera, Claim
from detection.pipeline import Verdict
from detection.reclaiming import Reclaim
from detection.services import claims
from detection.services.claims import Lease
from integrations.laravel.client import LaravelOptions
from integrations.laravel.registry import LaravelRegistry
from simulators.laravel import LaravelSimulator, SimulatedCamera
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "the-key-of-this-test"
HERE = "127.0.0.1"


@pytest.fixture
def backend() -> Iterator[LaravelSimulator]:
    """It has freed the one camera, and takes its time over a claim."""
    yard = SimulatedCamera(id=1, name="Yard", ip_address=HERE, rtsp_url=f"rtsp://{HERE}/stream2")
    with LaravelSimulator(KEY, [yard]) as simulator:
        simulator.fault("hang:1", "/cameras/1/claim")
        adapters.forget()
        yield simulator
        adapters.forget()


@pytest.fixture
def camera() -> Camera:
    return Camera.objects.create(registry="laravel", name="Yard", external_id=1)


@pytest.fixture
def registry(backend: LaravelSimulator) -> LaravelRegistry:
    return LaravelRegistry(LaravelOptions(base_url=backend.url, api_key=KEY))


def take(camera: Camera) -> Lease:
    at = claims.database_now()
    lease = claims.take_lease(
        camera_id=camera.pk, instance=HERE, worker="streams@here", max_cameras=10, at=at
    )
    assert lease is not None
    claims.note_held(lease=lease, held=True, at=at)
    return lease


def end_while_it_is_claimed(
    lease: Lease, camera: Camera, registry: LaravelRegistry, monkeypatch: pytest.MonkeyPatch
) -> threading.Thread:
    """The watch is told to stop while the back end has not answered; returns who waits for it."""
    monkeypatch.setattr(reclaiming, "CLOSE_SECONDS", 0.1)
    reclaim = Reclaim(lease, camera, registry)
    reclaim.attempt()
    asking = reclaim._attempt
    assert asking is not None
    settled = reclaim.close()
    assert not settled
    watching._release(lease, camera, registry, Verdict(gave_up=False), settled)
    assert asking.is_alive()
    return asking


def test_a_claim_that_is_granted_after_the_watch_is_released_again(
    camera: Camera,
    backend: LaravelSimulator,
    registry: LaravelRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = end_while_it_is_claimed(take(camera), camera, registry, monkeypatch)
    claim = Claim.objects.get()
    assert (claim.holder, claim.expires_at) == (HERE, None), "if we died now, who would tell?"
    asking.join(10)
    assert [call.method for call in backend.calls] == ["DELETE", "POST", "DELETE"]
    assert backend.claims == {}
    assert Claim.objects.get().holder == ""


def test_a_claim_that_is_granted_late_is_left_to_the_next_watcher_of_the_instance(
    camera: Camera,
    backend: LaravelSimulator,
    registry: LaravelRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = end_while_it_is_claimed(take(camera), camera, registry, monkeypatch)
    take(camera)
    asking.join(10)
    assert backend.claims == {1: HERE}
    assert Claim.objects.get().holder == HERE


def test_a_claim_that_is_granted_in_time_is_noted(
    camera: Camera, backend: LaravelSimulator, registry: LaravelRegistry
) -> None:
    lease = take(camera)
    Camera.objects.update(listed_at=claims.database_now() + timedelta(milliseconds=1))
    wait_until(lambda: claims.was_taken_back(lease=lease), "it is listed as free")
    reclaim = Reclaim(lease, camera, registry)
    reclaim.attempt()
    wait_until(lambda: not claims.was_taken_back(lease=lease), "it is claimed again")
    assert reclaim.close()
    assert backend.claims == {1: HERE}
