"""A process that answers for the sirens it sounds: in threads, with a real broker beside it."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.signals import worker_shutdown
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings
from urllib3.exceptions import ReadTimeoutError

from detection.models import Camera, Episode, EpisodeStatus, Verdict
from integrations.alarms.tapo import TapoAlarm
from integrations.models import Siren
from integrations.ports import AlarmAddress
from integrations.services import (
    siren_addresses,
    siren_board,
    siren_books,
    siren_holds,
    siren_keeper,
    siren_trial,
    sirens,
)
from integrations.services.siren_board import Word
from integrations.services.siren_holds import Hold
from integrations.services.siren_keeper import Keeper
from integrations.services.siren_silencing import silence_by_hand
from simulators.tapo import Clip, SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import PASSWORD, an_episode, starts
from tests.services import wait_until

pytestmark = siren_site.MARKS


@pytest.fixture(autouse=True)
def keeper(
    settings: Settings,
    broker_url: str,
    broker: "redis.Redis",
    tapo: SimulatedTapo,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Keeper]:
    siren_site.leave_only_tapo(settings)
    siren_site.set_environment(
        settings, siren_seconds=20.0, siren_rearm_seconds=0.3, redis_url=broker_url
    )
    with siren_site.process_that_answers(monkeypatch) as keeper:
        yield keeper
        tapo.accept_control()


@pytest.fixture
def camera(tapo: SimulatedTapo) -> Camera:
    camera = siren_site.a_camera(tapo.host, tapo.control_port)
    sirens.warm_camera(camera_id=camera.pk)
    return camera


def row_is_silent(camera: Camera) -> bool:
    return Siren.objects.get(camera=camera).silent_at is not None


@contextmanager
def database_that_takes_no_writes() -> Iterator[None]:
    """Somebody holds the write lock: every write waits, as with a database that hangs."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL is cut and frozen in tests/e2e/faults")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_it_is_sounded_again_and_again_and_ends_in_time_with_nobody_sweeping(
    tapo: SimulatedTapo, camera: Camera, settings: Settings
) -> None:
    siren_site.set_environment(settings, siren_seconds=1.5)
    began = time.monotonic()
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    wait_until(lambda: not tapo.siren_on, "its time is over", 5)
    assert starts(tapo) >= 4
    assert 1.4 < tapo.siren_calls[-1].monotonic - began < 2.5
    wait_until(lambda: row_is_silent(camera), "it is written")
    assert sirens.sirens_to_tend(at=timezone.now()) == []


def test_while_it_is_held_the_sweep_leaves_it_alone(tapo: SimulatedTapo, camera: Camera) -> None:
    sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    wait_until(lambda: not row_is_silent(camera), "it is written")
    assert sirens.sirens_to_tend(at=timezone.now()) == []
    gone = Siren.objects.get().held_until
    assert gone is not None
    assert (gone - timezone.now()).total_seconds() < 6
    assert sirens.sirens_to_tend(at=gone) == [Siren.objects.get().pk]


def test_it_is_silenced_at_the_end_of_its_episode(tapo: SimulatedTapo, camera: Camera) -> None:
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not tapo.siren_on, "silence", 1)
    assert siren_board.look(camera.pk, episode) in {Word.OVER, Word.SILENT}
    wait_until(lambda: row_is_silent(camera), "it is written")
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode), "a ring that was late"
    assert not tapo.siren_on


@pytest.mark.parametrize("change", [{"verdict": Verdict.DISMISSED}, {"status": EpisodeStatus.LOST}])
def test_what_the_database_says_of_the_episode_is_heeded_without_any_ring(
    tapo: SimulatedTapo, camera: Camera, change: dict[str, str]
) -> None:
    sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    Episode.objects.update(**change)
    wait_until(lambda: not tapo.siren_on, "silence", 3)
    assert starts(tapo) >= 1


def test_a_database_that_hangs_holds_up_neither_the_siren_nor_its_silence(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    first, second = an_episode(camera), uuid4()  # the second waits in its watcher's memory
    with database_that_takes_no_writes():
        for episode in (first, second):
            began, before = time.monotonic(), starts(tapo)
            assert sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
            assert time.monotonic() - began < 0.5
            wait_until(lambda more=before + 3: starts(tapo) >= more, "sounded again", 5)  # type: ignore[misc] # a default
            began = time.monotonic()
            assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
            wait_until(lambda: not tapo.siren_on, "silence", 2)
            assert time.monotonic() - began < 0.5
    wait_until(lambda: Siren.objects.get().episode_id == second, "the books follow", 25)
    wait_until(lambda: row_is_silent(camera), "also with its silence", 10)


def test_silence_that_a_process_did_not_sound_does_not_wait_for_the_database(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode = an_episode(camera)
    known = siren_addresses.known_siren(camera.pk)
    assert known is not None
    assert siren_holds.Hold.for_episode(known, episode).sound()
    with database_that_takes_no_writes():
        began = time.monotonic()
        assert sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
        assert not tapo.siren_on
        assert time.monotonic() - began < 2.0


def test_who_stands_by_sounds_it_where_nobody_has_heard_the_ring(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode = an_episode(camera)
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    assert not tapo.siren_on, "the alarms worker may take its time"
    wait_until(lambda: tapo.siren_on, "sounded from here", 3)
    sirens.ring_silence(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not tapo.siren_on, "silenced from here", 1)


def test_who_stands_by_leaves_a_siren_to_who_has_it_and_takes_over_when_he_is_gone(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_board, "HOLDER_MS", 1500)
    episode = an_episode(camera)
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    assert siren_board.take(camera.pk, episode) is Word.TAKEN
    assert siren_board.take(camera.pk, episode) is Word.HELD
    alive = time.monotonic() + 2.0
    while time.monotonic() < alive:
        siren_board.keep(camera.pk, episode)
        assert not tapo.siren_on
        time.sleep(0.1)
    wait_until(lambda: tapo.siren_on, "taken over", 5)


def test_who_stands_by_silences_what_nobody_says_is_silent(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode = an_episode(camera)
    known = siren_addresses.known_siren(camera.pk)
    assert known is not None
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    siren_board.take(camera.pk, episode)
    assert siren_holds.Hold.for_episode(known, episode).sound()  # and then it was killed
    sirens.ring_silence(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not tapo.siren_on, "silenced from here", 3)


def test_who_stands_by_lets_a_siren_go_that_another_says_is_silent(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper
) -> None:
    episode = an_episode(camera)
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    siren_board.take(camera.pk, episode)
    sirens.ring_silence(camera_id=camera.pk, episode_id=episode)
    siren_board.say_silent(camera.pk, episode)
    wait_until(keeper.is_idle, "nothing is left to do")
    assert tapo.siren_calls == []


def test_without_a_broker_it_is_sounded_and_silenced_from_here_at_once(
    tapo: SimulatedTapo,
    camera: Camera,
    settings: Settings,
    broker: "redis.Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from crimeops.celery import app

    nowhere = siren_site.no_broker()
    monkeypatch.setitem(app.conf, "broker_url", nowhere)
    siren_site.set_environment(settings, redis_url=nowhere)
    episode = an_episode(camera)
    began = time.monotonic()
    sirens.ring_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: tapo.siren_on, "it sounds", 1, 0.005)
    assert tapo.siren_calls[0].monotonic - began < 0.5
    sirens.ring_silence(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not tapo.siren_on, "it is silent", 1)


def test_a_camera_out_of_reach_at_the_end_is_silenced_when_it_is_back(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper
) -> None:
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    tapo.refuse_control()
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.get().attempts >= 2, "it is tried again and again")
    assert tapo.siren_on
    tapo.accept_control()
    wait_until(lambda: not tapo.siren_on, "silence", 5)
    wait_until(lambda: row_is_silent(camera), "it is written")


def test_a_camera_out_of_reach_is_asked_every_two_seconds_and_not_in_every_round_of_the_books(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    tried: list[float] = []
    ask = Hold.silence

    def silence(self: Hold) -> bool:
        tried.append(time.monotonic())
        return ask(self)

    monkeypatch.setattr(Hold, "silence", silence)
    monkeypatch.setattr(siren_holds, "LONGEST_RETRY_SECONDS", 2.0)
    tapo.refuse_control()
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    wait_until(lambda: len(tried) >= 5, "it is tried to silence it again and again", 30)
    assert tried[4] - tried[0] > 3.0, "the end itself may cut two pauses short"
    tapo.accept_control()
    wait_until(lambda: not tapo.siren_on, "it is silent", 5)


def test_a_camera_that_moves_while_it_sounds_is_silenced_where_it_was(
    tapo: SimulatedTapo, camera: Camera, clip: Clip
) -> None:
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.get().reached_at != "", "it is written")
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as elsewhere:
        Camera.objects.update(control_address=f"{elsewhere.host}:{elsewhere.control_port}")
        siren_addresses.look_up(camera.pk)
        sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
        wait_until(lambda: not tapo.siren_on, "silence where it sounded", 3)


def test_a_camera_that_is_deleted_while_it_sounds_falls_silent(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode = uuid4()  # not written: an episode would keep its camera
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.filter(silent_at=None).exists(), "it is written")
    camera.delete()
    wait_until(lambda: not tapo.siren_on, "silence", 3)


def test_a_process_that_ends_leaves_no_siren_on_and_the_next_finds_it(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper
) -> None:
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not row_is_silent(camera), "it is written")
    keeper.farewell()
    assert not tapo.siren_on
    assert siren_board.look(camera.pk, episode) in {Word.TAKEN, Word.FREE}
    row = Siren.objects.get()
    assert row.silent_at is None, "for the next process it is one that may sound"
    Siren.objects.update(held_until=None)
    sirens.tend_siren(siren_id=row.pk)
    assert tapo.siren_on


def test_a_newer_episode_has_the_siren_to_itself(tapo: SimulatedTapo, camera: Camera) -> None:
    old, new = uuid4(), an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=old)
    sirens.sound_siren(camera_id=camera.pk, episode_id=new)
    assert sirens.silence_siren(camera_id=camera.pk, episode_id=old)
    before = starts(tapo)
    wait_until(lambda: starts(tapo) >= before + 3, "it goes on sounding")
    assert siren_site.actions(tapo).count("stop") == 0
    assert siren_board.look(camera.pk, old) is Word.ANOTHERS
    assert siren_board.keep(camera.pk, old) is Word.ANOTHERS
    assert siren_board.say_over(camera.pk, old) is Word.ANOTHERS
    assert siren_board.look(camera.pk, new) is Word.TAKEN


# --- clocks, faults and ends ---------------------------------------------------------------------


@pytest.mark.parametrize("ringing", [sirens.sound_siren, sirens.ring_siren])
@pytest.mark.parametrize("last", ["an episode", "a test"])
def test_a_row_by_a_clock_that_was_ahead_takes_no_siren_away(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper, ringing: Any, last: str
) -> None:
    ahead = timezone.now() + timedelta(seconds=60)
    Siren.objects.update(
        episode_id=uuid4() if last == "an episode" else None,
        rung_at=ahead,
        wanted_until=ahead,
        sounded_at=ahead,
        silent_at=ahead,
    )
    episode = an_episode(camera)
    ringing(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.get().episode_id == episode, "it is written")
    before = starts(tapo)
    wait_until(lambda: starts(tapo) >= before + 3, "it is sounded again and again")
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    wait_until(lambda: not tapo.siren_on and row_is_silent(camera), "silence", 5)


def stalls(_: TapoAlarm, __: AlarmAddress) -> None:
    raise ReadTimeoutError(None, "", "it stalled half way")  # type: ignore[arg-type] # no pool


def test_a_fault_that_nobody_foresaw_orphans_no_siren(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode, silence = an_episode(camera), TapoAlarm.silence
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    monkeypatch.setattr(TapoAlarm, "silence", stalls)
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: Siren.objects.get().attempts >= 2, "it is tried again and again")
    monkeypatch.setattr(TapoAlarm, "silence", silence)
    wait_until(lambda: not tapo.siren_on and row_is_silent(camera), "silence", 5)


def test_a_fault_of_the_sweeps_first_attempt_orphans_no_siren(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, now, ask = siren_addresses.known_siren(camera.pk), timezone.now(), Hold.silence
    assert known is not None
    assert Hold.for_episode(known, uuid4()).sound()  # and then that process died
    Siren.objects.update(silent_at=None, sounded_at=now, rung_at=now, wanted_until=now)

    def fails_once(hold: Hold) -> bool:
        monkeypatch.setattr(Hold, "silence", ask)
        raise ValueError

    monkeypatch.setattr(Hold, "silence", fails_once)
    with suppress(ValueError):
        sirens.tend_siren(siren_id=Siren.objects.get().pk)
    wait_until(lambda: not tapo.siren_on and row_is_silent(camera), "silence", 5)


def test_a_fault_in_the_thread_of_a_siren_does_not_end_it(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Word:
        raise ValueError

    monkeypatch.setattr(siren_board, "keep", fails)
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: starts(tapo) >= 3, "it is sounded again and again")
    sirens.silence_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not tapo.siren_on and row_is_silent(camera), "silence", 5)


@pytest.mark.parametrize("fault", [OperationalError, ValueError])
def test_a_test_whose_row_cannot_be_written_leaves_no_siren_on(
    tapo: SimulatedTapo,
    camera: Camera,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[Exception],
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(siren_trial, "TRIAL_SECONDS", 0.1)
    monkeypatch.setattr(siren_trial, "write_hold", fails)
    officer = User.objects.create_user("officer")
    if fault is OperationalError:
        assert "is silent again" in siren_trial.try_siren(camera=camera, user=officer)
    else:
        with pytest.raises(fault):
            siren_trial.try_siren(camera=camera, user=officer)
    wait_until(lambda: not tapo.siren_on and keeper.is_idle(), "silence", 5)
    assert starts(tapo) == 1
    assert row_is_silent(camera)


@pytest.mark.parametrize("end", ["farewell", "the signal"])
def test_a_process_that_can_start_no_thread_any_more_silences_by_those_it_has(
    tapo: SimulatedTapo,
    camera: Camera,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    sirens.sound_siren(camera_id=camera.pk, episode_id=an_episode(camera))
    wait_until(lambda: not row_is_silent(camera), "it is written")
    start = threading.Thread.start

    def refuses(thread: threading.Thread) -> None:
        if thread.name.startswith(("siren", "question")):  # not those of the simulated camera
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuses)
    if end == "farewell":
        keeper.farewell()
    else:
        worker_shutdown.send(sender=None)
    assert not tapo.siren_on
    monkeypatch.setattr(threading.Thread, "start", start)
    wait_until(keeper.is_idle, "nothing is left to do")
    assert not row_is_silent(camera), "for the next process it is one that may sound"


@pytest.mark.parametrize("board_answers", [True, False])
def test_a_camera_deleted_by_another_process_falls_silent_and_stays_so(
    tapo: SimulatedTapo,
    camera: Camera,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    board_answers: bool,
) -> None:
    if not board_answers:
        monkeypatch.setattr(siren_board, "_connect", unreachable)
    sirens.sound_siren(camera_id=camera.pk, episode_id=uuid4())
    wait_until(lambda: not row_is_silent(camera), "it is written")
    web = Keeper()
    monkeypatch.setattr(siren_keeper, "KEEPER", web)
    camera.delete()
    wait_until(lambda: keeper.is_idle() and web.is_idle(), "both let it go", 5)
    assert not tapo.siren_on


def unreachable(_: str) -> "redis.Redis":
    raise redis.ConnectionError


def test_one_row_that_cannot_be_written_holds_up_no_other(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, bad = siren_books.write_hold, uuid4()

    def fails_for_one(hold: Hold, *, attended: bool) -> None:
        if hold.episode_id == bad:
            raise ValueError("a value that no column takes")
        write(hold, attended=attended)

    monkeypatch.setattr(siren_books, "write_hold", fails_for_one)
    sirens.sound_siren(camera_id=camera.pk, episode_id=bad)
    other = Camera.objects.create(
        registry="laravel",
        external_id=2,
        name="Yard",
        control_address=camera.control_address,
        username="admin",
        password=PASSWORD,
    )
    sirens.sound_siren(camera_id=other.pk, episode_id=uuid4())
    wait_until(lambda: Siren.objects.filter(camera=other).exists(), "the other is written", 5)


@pytest.mark.parametrize("board_answers", [True, False])
def test_silence_by_hand_ends_what_another_process_sounds(
    tapo: SimulatedTapo,
    camera: Camera,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    board_answers: bool,
) -> None:
    if not board_answers:
        monkeypatch.setattr(siren_board, "_connect", unreachable)
    episode = an_episode(camera)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode)
    wait_until(lambda: not row_is_silent(camera), "it is written")
    web = Keeper()
    monkeypatch.setattr(siren_keeper, "KEEPER", web)
    said = silence_by_hand(camera=camera, user=User.objects.create_user("officer"))
    assert "It is silent, as confirmed by “tapo”." in said
    wait_until(lambda: keeper.is_idle() and web.is_idle(), "both let it go", 5)
    assert not tapo.siren_on
    assert row_is_silent(camera)
    assert sirens.sirens_to_tend(at=timezone.now() + timedelta(seconds=5)) == []
