"""Sirens on a simulated camera: sounded at once, sounded again, and never left on.

No worker runs: what a worker would do is called, and what is rung lies in a real broker's queue.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from crimeops.celery import app
from detection import signals
from detection.models import Camera, CameraState, Episode, EpisodeStatus, Verdict
from detection.services import reviews
from detection.services.review_steps import Actor
from integrations import tasks
from integrations.alarms import tapo as tapo_alarm
from integrations.alarms.tapo import TapoAlarm
from integrations.models import Siren
from integrations.ports import AlarmAddress
from integrations.services import sirens
from integrations.services.siren_addresses import alarm_address
from simulators.laravel import LaravelSimulator
from simulators.tapo import SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import PASSWORD, actions, another_process, starts

pytestmark = siren_site.MARKS

BEGAN = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)


@pytest.fixture
def backend() -> Iterator[LaravelSimulator]:
    with siren_site.a_backend() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _site(
    settings: Settings, backend: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Sirens are reached as the product reaches them."""
    siren_site.set_environment(
        settings,
        backend_url=backend.url,
        model_api_key=siren_site.KEY,
        siren_seconds=30.0,
        redis_url=siren_site.no_broker(),
    )
    with siren_site.process_that_tends_nothing(monkeypatch):
        yield


@pytest.fixture
def only_tapo(settings: Settings) -> None:
    siren_site.leave_only_tapo(settings)


@pytest.fixture
def camera(tapo: SimulatedTapo) -> Camera:
    return siren_site.a_camera(tapo.host, tapo.control_port)


@pytest.fixture
def no_broker(broker: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_url", siren_site.no_broker())


def rung(broker: "redis.Redis") -> list[str]:
    """The tasks that wait in the queue of the alarms worker, oldest first."""
    messages: list[bytes] = broker.lrange("alarms", 0, -1)  # type: ignore[assignment] # not awaitable here
    return [json.loads(message)["headers"]["task"] for message in reversed(messages)]


def an_episode(camera: Camera) -> UUID:
    """One of long ago: no sweep adopts it by itself."""
    return siren_site.an_episode(camera, BEGAN)


def sounding(camera: Camera) -> UUID:
    """An episode whose siren sounds."""
    episode_id = an_episode(camera)
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    return episode_id


def the_row() -> Siren:
    return Siren.objects.get()


def change(**fields: Any) -> None:
    """Move the clock, as the row sees it."""
    Siren.objects.update(**fields)


def tend() -> int:
    """One sweep; returns how many sirens it tended."""
    due = sirens.sirens_to_tend(at=timezone.now())
    for siren_id in due:
        sirens.tend_siren(siren_id=siren_id)
    return len(due)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def ahead(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


# --- sound and silence ---------------------------------------------------------------------------


def test_a_siren_that_sounds_is_known_with_how_long_and_by_what(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    began = timezone.now()
    episode_id = sounding(camera)
    assert tapo.siren_on
    siren = the_row()
    assert (siren.episode_id, siren.method, siren.silent_at) == (episode_id, "tapo", None)
    assert siren.wanted_until is not None and siren.sounded_at is not None
    assert 30 <= (siren.wanted_until - began).total_seconds() < 31
    assert siren.sounded_at >= began
    assert (siren.attempts, siren.last_error) == (0, "")


def test_nothing_is_written_before_the_camera_is_asked(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []

    def sound(_: TapoAlarm, __: AlarmAddress, ___: float) -> None:
        written.append(Siren.objects.exists())

    # The one order that no camera can show from outside.
    monkeypatch.setattr(TapoAlarm, "sound", sound)
    sounding(camera)
    assert written == [False]


def test_a_ring_that_comes_after_the_end_sounds_nothing(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode_id = an_episode(camera)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    assert tapo.siren_calls == []


def test_an_alert_whose_ring_was_lost_is_adopted_and_sounded(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode_id = an_episode(camera)
    Episode.objects.update(decided_at=ago(1.5))
    assert tend() == 0, "a ring may still be on its way"
    Episode.objects.update(decided_at=ago(2.5))
    assert tend() == 1
    assert tapo.siren_on
    assert the_row().episode_id == episode_id
    assert tend() == 0


def test_a_crash_between_the_camera_and_the_row_ends_in_silence(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    TapoAlarm().sound(alarm_address(camera), 30)
    an_episode(camera)
    Episode.objects.update(decided_at=ago(20), status=EpisodeStatus.LOST)
    assert tend() == 1
    assert not tapo.siren_on
    assert the_row().silent_at is not None


def test_a_lost_ring_is_adopted_also_after_one_by_a_host_whose_clock_was_ahead(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    Siren.objects.create(camera=camera, episode_id=uuid4(), rung_at=ahead(60), silent_at=ahead(60))
    episode_id = an_episode(camera)
    Episode.objects.update(decided_at=ago(2.5))
    assert tend() == 1
    assert tapo.siren_on
    assert the_row().episode_id == episode_id
    assert tend() == 0


def test_an_old_alert_is_adopted_no_more(tapo: SimulatedTapo, camera: Camera) -> None:
    an_episode(camera)
    Episode.objects.update(decided_at=ago(31))
    assert tend() == 0
    assert tapo.siren_calls == []


def test_a_camera_without_an_address_has_no_siren_to_care_for(camera: Camera) -> None:
    Camera.objects.update(address="", control_address="", public_address="")
    episode_id = an_episode(camera)
    Episode.objects.update(decided_at=ago(3))
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    assert tend() == 0
    assert not Siren.objects.exists()


def test_a_silenced_siren_is_off_and_known_to_be(tapo: SimulatedTapo, camera: Camera) -> None:
    episode_id = sounding(camera)
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
    assert not tapo.siren_on
    assert the_row().silent_at is not None
    assert tend() == 0


def test_silencing_twice_or_what_never_sounded_asks_nobody(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=uuid4())
    assert tapo.logins == 0
    episode_id = sounding(camera)
    for _ in range(2):
        assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
    assert actions(tapo) == ["start", "stop"]


def test_an_old_episode_does_not_silence_the_siren_of_a_new_one(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    old = sounding(camera)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    new = sounding(camera)
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=old)
    assert tapo.siren_on
    assert the_row().episode_id == new


def test_a_siren_that_is_switched_off_in_the_settings_never_sounds(
    tapo: SimulatedTapo, camera: Camera, settings: Settings
) -> None:
    siren_site.set_environment(settings, siren_enabled=False)
    Camera.objects.update(state=CameraState.RUNNING)
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    assert sirens.cameras_to_keep_warm() == []
    assert not Siren.objects.exists()
    assert (tapo.logins, tapo.failed_logins, tapo.siren_calls) == (0, 0, [])


def test_a_siren_that_sounds_when_sirens_are_switched_off_is_silenced_by_the_sweep(
    tapo: SimulatedTapo, camera: Camera, settings: Settings
) -> None:
    sounding(camera)
    siren_site.set_environment(settings, siren_enabled=False)
    before = starts(tapo)
    assert tend() == 1
    assert (tapo.siren_on, starts(tapo)) == (False, before)
    assert the_row().silent_at is not None


def test_a_camera_that_loses_its_address_while_it_sounds_is_silenced_where_it_was(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sounding(camera)
    Camera.objects.update(address="", control_address="", public_address="")
    another_process()
    change(wanted_until=ago(1))
    assert tend() == 1
    assert not tapo.siren_on
    assert the_row().silent_at is not None


# --- the chain of ways ---------------------------------------------------------------------------


def test_where_the_camera_is_out_of_reach_the_back_end_sounds_for_this_episode(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator
) -> None:
    tapo.refuse_control()
    episode_id = sounding(camera)
    assert [alarm.action for alarm in backend.alarms] == ["start"]
    assert (the_row().method, the_row().last_error) == ("", "")
    tapo.accept_control()
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
    assert [alarm.action for alarm in backend.alarms] == ["start", "stop"]
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    sounding(camera)
    assert (tapo.siren_on, the_row().method) == (True, "tapo")


def test_a_way_that_worked_and_fails_gives_way_to_the_next(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator
) -> None:
    tapo.refuse_control()
    sounding(camera)
    tapo.accept_control()
    backend.fault("status:400", "/api/camera/alarm")
    change(sounded_at=ago(4))
    assert tend() == 1
    assert tapo.siren_on
    assert the_row().method == "tapo"


def test_where_no_way_works_it_is_said_and_tried_again_while_it_is_wanted(
    tapo: SimulatedTapo, camera: Camera, backend: LaravelSimulator
) -> None:
    tapo.refuse_control()
    backend.fault("status:404", "/api/camera/alarm")
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    siren = the_row()
    assert (siren.sounded_at, siren.silent_at, siren.attempts) == (None, None, 1)
    assert "tapo: the camera at 127.0.0.1" in siren.last_error
    assert "backend: /api/camera/alarm answered 404" in siren.last_error
    assert PASSWORD not in siren.last_error
    assert tend() == 0, "not at once"

    tapo.accept_control()
    change(next_attempt_at=ago(0))
    assert tend() == 1
    assert tapo.siren_on
    assert (the_row().attempts, the_row().last_error) == (0, "")


@pytest.mark.usefixtures("only_tapo")
def test_a_camera_that_refuses_the_password_is_left_alone_as_long_as_it_wants(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tapo.change_password("another one")
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    pause = the_row().next_attempt_at
    assert pause is not None and 55 < (pause - timezone.now()).total_seconds() <= 60
    assert tend() == 0


# --- again and again -----------------------------------------------------------------------------


def test_firmware_that_falls_silent_is_sounded_again_while_the_episode_lasts(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sounding(camera)
    assert tend() == 0, "it was sounded a moment ago"
    for times in (2, 3):
        change(sounded_at=ago(3.1))
        assert tend() == 1
        assert starts(tapo) == times
    assert tapo.logins == 1, "over the session that is warm"


def test_a_confirmed_episode_goes_on_sounding(tapo: SimulatedTapo, camera: Camera) -> None:
    sounding(camera)
    Episode.objects.update(status=EpisodeStatus.CONFIRMED)
    change(sounded_at=ago(3.1))
    assert tend() == 1
    assert (starts(tapo), tapo.siren_on) == (2, True)


def test_an_alert_that_is_not_committed_yet_goes_on_sounding(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=uuid4())
    assert tend() == 0
    change(sounded_at=ago(3.1))
    assert tend() == 1
    assert (starts(tapo), tapo.siren_on) == (2, True)


# --- and off -------------------------------------------------------------------------------------


def test_it_is_off_when_its_time_is_over(tapo: SimulatedTapo, camera: Camera) -> None:
    sounding(camera)
    change(wanted_until=ago(0.1))
    assert tend() == 1
    assert not tapo.siren_on
    assert the_row().silent_at is not None


@pytest.mark.parametrize("status", [EpisodeStatus.CLEARED, EpisodeStatus.LOST])
def test_it_is_off_when_the_episode_is_over(
    tapo: SimulatedTapo, camera: Camera, status: EpisodeStatus
) -> None:
    sounding(camera)
    Episode.objects.update(status=status)
    assert tend() == 1
    assert not tapo.siren_on
    assert tend() == 0


def test_it_is_off_when_an_officer_dismissed_the_episode(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sounding(camera)
    Episode.objects.update(verdict=Verdict.DISMISSED)
    assert tend() == 1
    assert not tapo.siren_on


def test_it_is_off_when_the_alert_was_never_committed(tapo: SimulatedTapo, camera: Camera) -> None:
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=uuid4())
    change(rung_at=ago(9.5), sounded_at=ago(0))
    assert tend() == 0
    change(rung_at=ago(10.1))
    assert tend() == 1
    assert not tapo.siren_on


@pytest.mark.usefixtures("only_tapo")
def test_off_is_asked_for_until_it_works(tapo: SimulatedTapo, camera: Camera) -> None:
    episode_id = sounding(camera)
    tapo.refuse_control()
    assert not sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
    for attempts in (2, 3):
        assert tend() == 0, "not at once"
        change(next_attempt_at=ago(0))
        assert tend() == 1
        siren = the_row()
        assert (siren.silent_at, siren.attempts) == (None, attempts)
        assert "does not answer" in siren.last_error
    assert tapo.siren_on

    tapo.accept_control()
    change(next_attempt_at=ago(0))
    assert tend() == 1
    assert not tapo.siren_on
    assert (the_row().attempts, the_row().last_error) == (0, "")


def test_a_silence_that_comes_while_the_siren_is_sounded_again_is_not_forgotten(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera hears “stop” and then “start”: the row must not call that silence."""
    episode_id = sounding(camera)
    change(sounded_at=ago(4))
    sound = TapoAlarm.sound

    def silenced_meanwhile(alarm: TapoAlarm, where: AlarmAddress, seconds: float) -> None:
        Episode.objects.update(status=EpisodeStatus.CLEARED)
        assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
        sound(alarm, where, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(TapoAlarm, "sound", silenced_meanwhile)
        assert tend() == 1
    assert actions(tapo) == ["start", "stop", "start"]
    assert tapo.siren_on
    assert the_row().silent_at is None

    assert tend() == 1
    assert not tapo.siren_on
    assert the_row().silent_at is not None
    assert tend() == 0


def test_an_attempt_is_taken_by_one_sweep_and_lost_after_a_quarter_of_a_minute(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounding(camera)
    change(sounded_at=ago(4))
    seen: list[float] = []

    def sweep_meanwhile(_: TapoAlarm, __: AlarmAddress, ___: float) -> None:
        soon = the_row().next_attempt_at
        assert soon is not None
        seen.append((soon - timezone.now()).total_seconds())
        assert tend() == 0, "another sweep leaves it alone"

    monkeypatch.setattr(TapoAlarm, "sound", sweep_meanwhile)
    assert tend() == 1
    assert len(seen) == 1
    assert 10 < seen[0] <= sirens.ATTEMPT_SECONDS


def test_tending_a_siren_that_is_gone_or_silent_does_nothing(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sirens.tend_siren(siren_id=12345)
    episode_id = sounding(camera)
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode_id)
    calls = len(tapo.siren_calls)
    sirens.tend_siren(siren_id=the_row().pk)
    assert len(tapo.siren_calls) == calls


# --- rings ---------------------------------------------------------------------------------------


def test_a_siren_that_is_wanted_is_rung_at_once_and_not_after_a_commit(
    broker: "redis.Redis", camera: Camera
) -> None:
    signals.siren_wanted.send(
        sender=Episode, camera_id=camera.pk, episode_id=uuid4(), decided_at=timezone.now()
    )
    assert rung(broker) == ["integrations.sound_siren"]


def test_a_dismissal_rings_the_silence_after_its_commit(
    broker: "redis.Redis",
    tapo: SimulatedTapo,
    camera: Camera,
) -> None:
    episode_id = sounding(camera)
    officer = User.objects.create_user("officer", password="x")
    with transaction.atomic():
        reviews.review_episode(
            episode_id=episode_id,
            verdict=Verdict.DISMISSED,
            by=Actor(officer),
            reason="no_crime",
        )
        assert rung(broker) == []
    assert rung(broker) == ["integrations.silence_siren"]
    tasks.silence_siren(camera.pk, str(episode_id))
    assert not tapo.siren_on


def test_the_sweep_rings_each_siren_that_needs_it(broker: "redis.Redis", camera: Camera) -> None:
    sounding(camera)
    tasks.tend_sirens()
    assert rung(broker) == []
    change(wanted_until=ago(1))
    tasks.tend_sirens()
    assert rung(broker) == ["integrations.tend_siren"]


@pytest.mark.usefixtures("no_broker")
def test_without_a_broker_the_siren_is_sounded_and_silenced_directly(
    tapo: SimulatedTapo,
    camera: Camera,
) -> None:
    sirens.warm_camera(camera_id=camera.pk)
    episode_id = an_episode(camera)
    began = time.perf_counter()
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode_id)
    took = time.perf_counter() - began
    print(f"without a broker a warm siren sounds in {took * 1000:.0f} ms")
    assert tapo.siren_on
    assert took < 1.0
    with transaction.atomic():
        sirens.ring_silence(camera_id=camera.pk, episode_id=episode_id)
    assert not tapo.siren_on


# --- warm sessions -------------------------------------------------------------------------------


def test_only_watched_cameras_are_kept_warm(camera: Camera) -> None:
    assert sirens.cameras_to_keep_warm() == []
    Camera.objects.update(state=CameraState.RUNNING)
    assert sirens.cameras_to_keep_warm() == [camera.pk]


def test_a_warm_camera_is_silent_and_sounds_without_a_login(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tasks.warm_alarm(camera.pk)
    assert not tapo.siren_on
    assert tend() == 0
    began = time.perf_counter()
    sounding(camera)
    print(f"a warm siren sounds in {(time.perf_counter() - began) * 1000:.0f} ms with its row")
    assert tapo.logins == 1


def test_a_camera_that_cannot_be_warmed_says_so_until_it_can(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapo_alarm, "SILENT_CAMERA_REST_SECONDS", 0.0)
    tapo.refuse_control()
    sirens.warm_camera(camera_id=camera.pk)
    assert the_row().last_error.startswith("tapo: the camera at 127.0.0.1")
    tapo.accept_control()
    sirens.warm_camera(camera_id=camera.pk)
    assert the_row().last_error == ""
    assert tapo.logins == 1


def test_a_camera_that_rests_after_a_failure_goes_on_saying_so(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tapo.refuse_control()
    for _ in range(2):
        sirens.warm_camera(camera_id=camera.pk)
    assert the_row().last_error.startswith("tapo: the camera at 127.0.0.1")
