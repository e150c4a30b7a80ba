"""From a ring to a claim at the back end and back: nothing is left claimed that nobody watches."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from crimeops import adapters
from detection import watching
from detection.models import Camera, CameraState, Claim
from detection.services import claims, holding
from detection.services.claims import Ring
from detection.trackers.bytetrack import ByteTracker
from detection.transport.live import LivePictures
from detection.transport.redis import RedisTransport
from detection.watching import watch_camera
from simulators.demo.processes import free_port
from simulators.laravel import LaravelSimulator, SimulatedCamera
from tests.services import wait_until

pytestmark = pytest.mark.django_db

KEY = "the-key-of-this-test"
HERE = "127.0.0.1"


@pytest.fixture
def backend(settings: Settings) -> Iterator[LaravelSimulator]:
    """A back end with one camera, which refuses connections at once."""
    url = f"rtsp://127.0.0.1:{free_port()}/stream2"
    yard = SimulatedCamera(id=1, name="Yard", ip_address=HERE, rtsp_url=url)
    with LaravelSimulator(KEY, [yard]) as simulator:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"backend_url": simulator.url, "model_api_key": KEY, "backend_timeout": 2.0}
        )
        adapters.forget()
        yield simulator
        adapters.forget()
        assert simulator.violations == []


@pytest.fixture
def camera(backend: LaravelSimulator) -> Camera:
    url = f"rtsp://127.0.0.1:{free_port()}/stream2"
    return Camera.objects.create(registry="laravel", name="Yard", external_id=1, stream_url=url)


def watch(camera: Camera) -> bool:
    """As a worker that is told to stop as soon as it watches."""
    stop = threading.Event()
    stop.set()
    return watch_camera(
        camera_id=camera.pk,
        instance=HERE,
        worker="streams@here",
        mailbox=RedisTransport.connect(f"redis://127.0.0.1:{free_port()}/0", lambda: None),
        pictures=LivePictures.connect(f"redis://127.0.0.1:{free_port()}/0"),
        stop=stop,
        taken=lambda: None,
    )


def who_is_rung(camera: Camera) -> list[Ring]:
    Camera.objects.update(retry_at=None)
    Claim.objects.update(rung_at=None)
    return claims.cameras_to_ring(at=claims.database_now(), listed_within_seconds=60)


def test_a_camera_is_claimed_and_released_and_nobody_holds_it(
    camera: Camera, backend: LaravelSimulator
) -> None:
    assert watch(camera)
    assert [(call.method, call.status) for call in backend.calls] == [
        ("POST", 200),
        ("DELETE", 200),
    ]
    assert backend.claims == {}
    assert Claim.objects.get().holder == ""
    camera.refresh_from_db()
    assert camera.state == CameraState.IDLE


@pytest.mark.parametrize("fault", ["reset", "status:500", "not_json"])
def test_a_claim_whose_answer_was_lost_is_taken_up_at_the_next_ring(
    camera: Camera, backend: LaravelSimulator, fault: str
) -> None:
    backend.fault(fault, "/cameras/1/claim", times=1, after=True)
    watch(camera)
    assert backend.claims == {1: HERE}, "the back end counts it, though we were never told"
    camera.refresh_from_db()
    assert (camera.state, camera.reason[:12]) == (CameraState.ERROR, "not_claimed:")
    assert who_is_rung(camera) == [Ring(camera.pk, HERE)]
    watch(camera)
    assert backend.claims == {}, "claimed again, watched and released"
    assert Claim.objects.get().holder == ""


def test_a_worker_that_died_before_it_heard_that_it_has_a_camera_leaves_a_trace(
    camera: Camera, backend: LaravelSimulator
) -> None:
    class Killed(BaseException):
        """Nothing after it is done, as after kill -9."""

    registry = adapters.load("CAMERA_REGISTRIES", "laravel")
    claim = registry.claim

    def die(external_id: int) -> None:
        claim(external_id)
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "claim", die)
        with pytest.raises(Killed):
            watch(camera)
    assert backend.claims == {1: HERE}
    Claim.objects.update(expires_at=claims.database_now())
    assert who_is_rung(camera) == [Ring(camera.pk, HERE)]
    watch(camera)
    assert backend.claims == {}


def test_a_camera_that_another_has_is_left_alone_for_a_while(
    camera: Camera, backend: LaravelSimulator
) -> None:
    backend.fault("status:409", "/cameras/1/claim")
    assert watch(camera)
    claim = Claim.objects.get()
    assert (claim.holder, claim.expires_at) == ("", None)
    camera.refresh_from_db()
    assert camera.state == CameraState.IDLE
    assert camera.retry_at is not None
    assert len(backend.calls) == 1, "not released: it was never ours"


def test_an_instance_that_the_back_end_calls_full_says_so(
    camera: Camera, backend: LaravelSimulator
) -> None:
    backend.fault("status:422", "/cameras/1/claim")
    assert not watch(camera)
    claim = Claim.objects.get()
    assert (claim.holder, claim.expires_at) == ("", None)


def test_a_camera_that_was_disabled_after_its_worker_died_is_released_and_not_watched(
    camera: Camera, backend: LaravelSimulator
) -> None:
    backend.fault("reset", "/cameras/1/claim", times=1, after=True)
    watch(camera)
    Camera.objects.update(enabled=False)
    assert who_is_rung(camera) == [Ring(camera.pk, HERE)]
    watch(camera)
    assert backend.claims == {}
    assert who_is_rung(camera) == []


def test_each_call_to_the_back_end_begins_with_a_whole_lease(
    camera: Camera, backend: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.fault("reset", "/cameras/1/claim", times=1, after=True)
    watch(camera)
    assert who_is_rung(camera) == [Ring(camera.pk, HERE)]
    registry = adapters.load("CAMERA_REGISTRIES", "laravel")
    left = []

    def slow(ask: Callable[[int], None]) -> Callable[[int], None]:
        def asked(external_id: int) -> None:
            expires_at = Claim.objects.get().expires_at
            assert expires_at is not None
            left.append((expires_at - claims.database_now()).total_seconds())
            ask(external_id)
            Claim.objects.update(expires_at=claims.database_now() + timedelta(seconds=4))

        return asked

    monkeypatch.setattr(registry, "claim", slow(registry.claim))
    monkeypatch.setattr(registry, "release", slow(registry.release))
    watch(camera)
    assert backend.claims == {}
    assert len(left) == 4, "taken, so released and claimed anew; released at the end"
    assert min(left[:3]) > 11


def test_no_lease_runs_while_the_tracker_is_loaded(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases: list[int] = []

    def tracker(*given: Any) -> ByteTracker:
        leases.append(Claim.objects.filter(expires_at__isnull=False).count())
        return ByteTracker(*given)

    monkeypatch.setattr(watching, "ByteTracker", tracker)
    watch(camera)
    assert leases == [0, 1], "loaded, and then made for the camera"


@pytest.mark.django_db(transaction=True)
def test_who_is_overtaken_while_the_back_end_takes_its_time_takes_nothing_back(
    camera: Camera, backend: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LEASE_SECONDS", 0.0)  # doubts each lease at once
    backend.fault("hang:1", "/cameras/1/claim")

    def watch_and_leave() -> None:
        try:
            watch(camera)
        finally:
            connection.close()

    slow = threading.Thread(target=watch_and_leave)
    slow.start()
    wait_until(lambda: Claim.objects.exclude(holder="").exists(), "it asks the back end")
    later = claims.database_now() + timedelta(seconds=13)
    new = claims.take_lease(
        camera_id=camera.pk, instance=HERE, worker="other", max_cameras=10, at=later
    )
    slow.join(10)
    assert new is not None and new.inherited
    assert backend.claims == {1: HERE}, "the new watcher has inherited it"
    assert [call.method for call in backend.calls] == ["POST"]
    claim = Claim.objects.get()
    assert (claim.token, claim.holder, claim.worker) == (2, HERE, "other")
