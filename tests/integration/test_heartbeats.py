"""The heartbeat task against a strict back end, and rings that nobody takes."""

from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from crimeops import adapters
from crimeops.celery import app, instance_queue
from detection import tap, tasks
from detection.models import Camera, CameraState, Claim
from detection.services import claims
from simulators.laravel import LaravelSimulator

pytestmark = pytest.mark.django_db

KEY = "the-key-of-this-test"
HERE = "127.0.0.1"


@pytest.fixture
def backend(settings: Settings) -> Iterator[LaravelSimulator]:
    with LaravelSimulator(KEY) as simulator:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"backend_url": simulator.url, "model_api_key": KEY, "backend_timeout": 2.0}
        )
        adapters.forget()
        yield simulator
        adapters.forget()


@pytest.fixture
def leases() -> list[claims.Lease]:
    """Three cameras that are really watched."""
    now = claims.database_now()
    taken = []
    for number in (1, 2, 3):
        camera = Camera.objects.create(
            registry="laravel", name="Yard", external_id=number, state=CameraState.RUNNING
        )
        lease = claims.take_lease(
            camera_id=camera.pk, instance=HERE, worker="streams@here", max_cameras=10, at=now
        )
        assert lease is not None
        claims.note_held(lease=lease, held=True, at=now)
        taken.append(lease)
    Claim.objects.update(last_frame_at=now)
    return taken


def named(backend: LaravelSimulator) -> list[list[int]]:
    return [call.body["camera_ids"] for call in backend.calls_to("/heartbeat")]


def test_two_rings_at_once_are_one_heartbeat(
    backend: LaravelSimulator, leases: list[claims.Lease]
) -> None:
    tasks.send_heartbeat(HERE)
    tasks.send_heartbeat(HERE)
    assert named(backend) == [[1, 2, 3]]


def test_a_heartbeat_that_did_not_arrive_is_sent_again_at_the_next_look(
    backend: LaravelSimulator, leases: list[claims.Lease]
) -> None:
    backend.fault("hang", "/heartbeat", times=1)
    for _ in range(3):
        tasks.send_heartbeat(HERE)
    assert named(backend)[-1:] == [[1, 2, 3]]
    assert [call.status for call in backend.calls_to("/heartbeat")] == [0, 200]


def test_a_camera_that_is_refused_costs_the_others_nothing_and_is_noticed(
    backend: LaravelSimulator, leases: list[claims.Lease]
) -> None:
    backend.fault("status:422", "/heartbeat", times=2)
    tasks.send_heartbeat(HERE)
    assert named(backend) == [[1, 2, 3], [1], [2], [3]]
    assert [claims.was_taken_back(lease=lease) for lease in leases] == [True, False, False]


# --- rings that nobody takes ---------------------------------------------------------------------


def a_free_camera() -> Camera:
    return Camera.objects.create(
        registry="laravel", name="Yard", external_id=7, listed_at=claims.database_now()
    )


def test_a_camera_whose_ring_could_not_be_sent_is_rung_at_the_next_look(
    broker: "redis.Redis",
) -> None:
    a_free_camera()
    broker.config_set("maxmemory", "1")
    try:
        tasks.reconcile()
    finally:
        broker.config_set("maxmemory", "0")
    assert broker.llen("streams") == 0
    tasks.reconcile()
    assert broker.llen("streams") == 1
    tasks.reconcile()
    assert broker.llen("streams") == 1, "that one was sent"


def test_that_nobody_takes_the_rings_is_said_once(
    broker: "redis.Redis", caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FLOODED", set())
    a_free_camera()
    broker.lpush("streams", *(["old"] * tap.MOST_WAITING))
    with caplog.at_level("INFO", "detection.tasks"):
        for _ in range(3):
            tasks.reconcile()
        assert caplog.text.count("nobody takes the rings") == 1
        broker.delete("streams")
        tasks.reconcile()
        assert caplog.text.count("are taken again") == 1
    assert broker.llen("streams") == 1


def test_rings_that_nobody_takes_are_not_heaped_up(broker: "redis.Redis") -> None:
    own = instance_queue("127.0.0.9").name
    for queue, holder in (("streams", ""), (own, "127.0.0.9")):
        assert not tap.is_flooded(app, queue)
        broker.lpush(queue, *(["old"] * (tap.MOST_WAITING - 1)))
        for number in (1, 2):
            camera = Camera.objects.create(
                registry="laravel", name="Yard", external_id=number + len(holder)
            )
            Claim.objects.create(camera=camera, holder=holder)
            Camera.objects.filter(pk=camera.pk).update(listed_at=claims.database_now())
            Claim.objects.filter(camera=camera).update(claimed_at=claims.database_now())
        tasks.reconcile()
        assert broker.llen(queue) == tap.MOST_WAITING + 1, "below the limit both are rung"
        Claim.objects.update(rung_at=None)
        tasks.reconcile()
        assert broker.llen(queue) == tap.MOST_WAITING + 1
