"""By which way a siren is asked: a fallback is of its episode, and silence reaches each way."""

import time
from collections.abc import Iterator
from typing import Literal
from uuid import UUID, uuid4

import pytest
import redis
from django.utils import timezone
from pytest_django import Settings

from crimeops.adapters import load
from detection.models import Camera
from integrations.alarms import tapo as tapo_alarm
from integrations.models import Siren
from integrations.services import siren_addresses, siren_ways, sirens
from integrations.services.siren_addresses import alarm_address
from integrations.services.siren_keeper import Keeper
from simulators.laravel import LaravelSimulator
from simulators.tapo import SimulatedTapo
from tests.gate import Gate
from tests.integration import siren_site
from tests.integration.siren_site import another_process
from tests.services import wait_until

pytestmark = siren_site.MARKS

BY_BACKEND = "/api/camera/alarm"


@pytest.fixture
def gate(tapo: SimulatedTapo) -> Iterator[Gate]:
    """A cable between us and the camera's control port."""
    with Gate(tapo.control_port) as gate:
        yield gate


@pytest.fixture
def backend() -> Iterator[LaravelSimulator]:
    with siren_site.a_backend() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def keeper(
    settings: Settings,
    broker_url: str,
    broker: "redis.Redis",
    tapo: SimulatedTapo,
    backend: LaravelSimulator,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Keeper]:
    siren_site.set_environment(
        settings,
        backend_url=backend.url,
        model_api_key=siren_site.KEY,
        siren_seconds=20.0,
        siren_rearm_seconds=0.3,
        redis_url=broker_url,
    )
    with siren_site.process_that_answers(monkeypatch) as keeper:
        yield keeper
        tapo.accept_control()
        gate.open()


@pytest.fixture
def camera(gate: Gate) -> Camera:
    return siren_site.a_camera("127.0.0.1", gate.port)


def sound(camera: Camera) -> UUID:
    episode = uuid4()  # not written: the watcher still has it in memory
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    return episode


def end(camera: Camera, episode: UUID, keeper: Keeper) -> None:
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(keeper.is_idle, "it is silent and written")


def by_tapo(tapo: SimulatedTapo, action: Literal["start", "stop"]) -> int:
    return siren_site.actions(tapo).count(action)


def by_backend(backend: LaravelSimulator, action: Literal["start", "stop"]) -> int:
    return [alarm.action for alarm in backend.alarms].count(action)


def remembered() -> str:
    return Siren.objects.get().method


def is_written_as_silent() -> bool:
    return Siren.objects.filter(silent_at__isnull=False).exists()


# --- a fallback counts for its episode -----------------------------------------------------------


def test_after_a_moment_without_its_control_port_a_camera_is_sounded_by_it_again(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    end(camera, sound(camera), keeper)
    tapo.refuse_control()
    episode = sound(camera)
    tapo.accept_control()
    wait_until(lambda: by_backend(backend, "start") >= 3, "sounded again by its fallback")
    assert by_tapo(tapo, "start") == 1, "the port that failed is not asked in this episode"
    end(camera, episode, keeper)
    assert remembered() == "tapo"

    before = len(backend.alarms)
    end(camera, sound(camera), keeper)
    assert (by_tapo(tapo, "start"), by_tapo(tapo, "stop")) == (2, 2)
    assert len(backend.alarms) == before


def test_a_camera_that_logs_nobody_in_has_its_fallback_for_the_episode(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    tapo.lock_out(1200)
    episode = sound(camera)
    wait_until(lambda: by_backend(backend, "start") >= 3, "sounded again by its fallback")
    assert tapo.logins == 0
    end(camera, episode, keeper)
    assert remembered() == ""

    tapo.lock_out(0)
    Siren.objects.update(logins_closed_until=None)
    another_process()
    sound(camera)
    assert tapo.siren_on


def test_firmware_without_a_siren_leaves_it_to_the_back_end_for_good(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    tapo.manual_alarm_supported = tapo.siren_status_supported = False
    end(camera, sound(camera), keeper)
    assert remembered() == "backend"
    assert tapo.logins == 1
    sirens.warm_camera(camera_id=camera.pk)
    assert remembered() == "backend"

    for process in ("this", "another"):
        if process == "another":
            another_process()
        tapo.expire_sessions()  # whoever asks the camera now logs in anew
        end(camera, sound(camera), keeper)
        assert tapo.logins == 1
    assert (by_backend(backend, "start"), by_backend(backend, "stop")) == (3, 3)


def test_a_fallback_that_was_remembered_without_need_is_forgotten_with_the_next_ping(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator
) -> None:
    Siren.objects.create(camera=camera, method="backend", silent_at=timezone.now())
    sirens.warm_camera(camera_id=camera.pk)
    assert remembered() == "tapo"
    sound(camera)
    assert tapo.siren_on
    assert not backend.alarms


def test_a_control_port_that_hangs_at_its_ping_holds_no_siren_up(
    tapo: SimulatedTapo,
    camera: Camera,
    gate: Gate,
    backend: LaravelSimulator,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tapo_alarm, "SILENT_CAMERA_REST_SECONDS", 0.0)
    load("ALARMS", "backend")  # a worker has built it with the first camera
    gate.freeze()
    sirens.warm_camera(camera_id=camera.pk)
    assert Siren.objects.get().last_error.startswith("tapo: the camera at 127.0.0.1")
    took = []
    for _ in range(3):
        began = time.monotonic()
        episode = sound(camera)
        took.append(time.monotonic() - began)
        end(camera, episode, keeper)
    fastest = min(took)
    print(f"with a control port that hangs the siren sounds after {fastest * 1000:.0f} ms")
    assert fastest < 0.1

    gate.open()
    sirens.warm_camera(camera_id=camera.pk)
    assert Siren.objects.get().last_error == ""
    before = len(backend.alarms)
    sound(camera)
    assert tapo.siren_on
    assert len(backend.alarms) == before


def test_a_ping_that_failed_long_ago_says_nothing(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    tapo.refuse_control()
    sirens.warm_camera(camera_id=camera.pk)
    tapo.accept_control()
    monkeypatch.setattr(siren_ways, "PING_COUNTS_SECONDS", 0.0)
    sound(camera)
    assert tapo.siren_on


# --- silence by each way that sounded ------------------------------------------------------------


def sounding_by_both(camera: Camera, tapo: SimulatedTapo, backend: LaravelSimulator) -> UUID:
    """The control port is away at first, the back end later."""
    tapo.refuse_control()
    episode = sound(camera)
    tapo.accept_control()
    backend.fault("status:400", BY_BACKEND)
    wait_until(lambda: tapo.siren_on, "sounded by the camera's own port")
    backend.clear_faults()
    return episode


def test_a_siren_that_two_ways_sounded_is_silenced_by_both(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    episode = sounding_by_both(camera, tapo, backend)
    end(camera, episode, keeper)
    assert not tapo.siren_on
    assert by_backend(backend, "stop") == 1
    assert is_written_as_silent()


def test_it_counts_as_silent_only_when_each_way_that_sounded_has_confirmed(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    episode = sounding_by_both(camera, tapo, backend)
    tapo.refuse_control()
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.filter(attempts__gte=3).exists(), "tried again and again")
    assert tapo.siren_on and not is_written_as_silent()
    assert by_backend(backend, "stop") == 1, "who has confirmed is not asked again"
    tapo.accept_control()
    wait_until(keeper.is_idle, "it is silent and written")
    assert not tapo.siren_on and is_written_as_silent()


def test_a_new_episode_by_another_way_silences_what_the_old_one_left_sounding(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    old = sound(camera)
    tapo.refuse_control()
    sirens.silence_siren(camera_id=camera.pk, episode_id=old)
    new = sound(camera)
    assert by_backend(backend, "start") == 1
    tapo.accept_control()
    end(camera, new, keeper)
    assert not tapo.siren_on
    assert by_backend(backend, "stop") >= 1


def sounded_by_a_process_that_is_gone(camera: Camera, method: str) -> Siren:
    for name in ("tapo", "backend"):
        load("ALARMS", name).sound(alarm_address(camera), 30)
    now = timezone.now()
    return Siren.objects.create(
        camera=camera, method=method, rung_at=now, sounded_at=now, wanted_until=now
    )


def test_who_takes_a_siren_over_asks_each_way_that_may_have_sounded_it(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    sirens.tend_siren(siren_id=sounded_by_a_process_that_is_gone(camera, "tapo").pk)
    wait_until(keeper.is_idle, "it is silent and written")
    assert not tapo.siren_on
    assert by_backend(backend, "stop") == 1
    assert is_written_as_silent()


def test_who_takes_a_siren_over_waits_for_the_way_that_is_remembered_to_work(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    siren = sounded_by_a_process_that_is_gone(camera, "tapo")
    tapo.refuse_control()
    sirens.tend_siren(siren_id=siren.pk)
    wait_until(lambda: Siren.objects.filter(attempts__gte=2).exists(), "it is tried again")
    assert by_backend(backend, "stop") == 1 and not is_written_as_silent()
    tapo.accept_control()
    wait_until(keeper.is_idle, "it is silent and written")
    assert not tapo.siren_on and is_written_as_silent()


def test_who_takes_over_a_siren_of_which_nothing_is_remembered_believes_any_way(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator, keeper: Keeper
) -> None:
    siren = sounded_by_a_process_that_is_gone(camera, "")
    tapo.refuse_control()
    sirens.tend_siren(siren_id=siren.pk)
    wait_until(keeper.is_idle, "it is silent and written")
    assert by_backend(backend, "stop") == 1
    assert is_written_as_silent()


def test_who_stood_by_silences_also_the_way_by_which_the_dead_one_sounded(
    tapo: SimulatedTapo,
    camera: Camera,
    backend: LaravelSimulator,
    keeper: Keeper,
) -> None:
    siren_addresses.look_up(camera.pk)
    episode = uuid4()
    load("ALARMS", "backend").sound(alarm_address(camera), 30)  # and then it was killed
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: tapo.siren_on, "sounded from here", 5)
    sirens.ring_silence(camera_id=camera.pk, episode_id=episode)
    wait_until(keeper.is_idle, "it is silent and written")
    assert not tapo.siren_on
    assert by_backend(backend, "stop") == 1


def test_who_takes_over_silences_each_way_that_the_row_names_and_believes_no_other(
    tapo: SimulatedTapo,
    camera: Camera,
    backend: LaravelSimulator,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tapo.refuse_control()
    sound(camera)
    assert by_backend(backend, "start") == 1
    wait_until(
        lambda: [row.sounded_by for row in Siren.objects.all()] == [["backend"]], "it is written"
    )
    gone = Siren.objects.get()
    keeper.farewell()
    wait_until(keeper.is_idle, "that process is gone")
    stopped = by_backend(backend, "stop")
    tapo.accept_control()
    backend.fault("status:500", BY_BACKEND)
    Siren.objects.filter(pk=gone.pk).update(
        sounded_by=["backend"], silent_at=None, held_until=None, wanted_until=timezone.now()
    )
    another_process()
    sirens.tend_siren(siren_id=gone.pk)
    assert by_tapo(tapo, "stop") >= 1
    wait_until(lambda: Siren.objects.get().attempts >= 2, "it is tried again")
    assert not is_written_as_silent(), "the camera's word does not count for the back end's siren"
    backend.clear_faults()
    wait_until(keeper.is_idle, "it is silent and written")
    assert by_backend(backend, "stop") > stopped
    assert is_written_as_silent()
    assert Siren.objects.get().sounded_by == []
