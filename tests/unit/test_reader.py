"""A reader that opens, counts failures, backs off, gives up, and stops when told to."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from detection.ports import FrameSource, Picture, SourceError
from detection.reader import RetryPolicy, StreamReader
from tests.services import wait_until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = 5.0  # seconds that no test needs unless it fails
REFUSED = SourceError("refused", "the camera refuses the connection")
WRONG_PASSWORD = SourceError("auth_failed", "the camera refuses the user or password")


def picture(second: int) -> Picture:
    return Picture(NOON + timedelta(seconds=second), None)


class PlayedSource:
    """Yields its pictures, raises its errors, then ends, or hangs until it is closed."""

    def __init__(self, *steps: Picture | Exception, hangs: bool = False) -> None:
        self._steps = steps
        self._hangs = hangs
        self._closed = threading.Event()
        self.said_goodbye = False

    def pictures(self) -> Generator[Picture]:
        try:
            for step in self._steps:
                if isinstance(step, Exception):
                    raise step
                yield step
            if self._hangs:
                self._closed.wait(PATIENCE)
        finally:
            self.said_goodbye = True

    def close(self) -> None:
        self._closed.set()


@dataclass(frozen=True)
class Hurry(RetryPolicy):
    """Makes no pauses and notes for which it was asked."""

    asked: list[int] = field(default_factory=list)

    def pause_seconds(self, failures: int) -> float:
        self.asked.append(failures)
        return 0.0


class Camera:
    """Gives one source after the other; the last one again and again."""

    def __init__(self, *sources: FrameSource | Exception) -> None:
        self._sources = list(sources)
        self.opened = 0

    def open(self) -> FrameSource:
        source = self._sources[min(self.opened, len(self._sources) - 1)]
        self.opened += 1
        if isinstance(source, Exception):
            raise source
        return source


def broken(error: SourceError) -> PlayedSource:
    return PlayedSource(error)


def ignore(picture: Picture) -> None:
    pass


def run_until_it_gives_up(
    camera: Camera, policy: RetryPolicy, on_picture: Callable[[Picture], None] = ignore
) -> StreamReader:
    reader = StreamReader(camera.open, on_picture, policy, "reader-under-test")
    reader.start()
    for thread in threading.enumerate():
        if thread.name == "reader-under-test":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    return reader


@pytest.fixture
def started() -> Iterator[Callable[..., StreamReader]]:
    """Starts readers and stops them after the test."""
    readers: list[StreamReader] = []

    def start(
        camera: Camera, on_picture: Callable[[Picture], None], policy: RetryPolicy
    ) -> StreamReader:
        reader = StreamReader(camera.open, on_picture, policy, "reader-under-test")
        readers.append(reader)
        reader.start()
        return reader

    yield start
    for reader in readers:
        assert reader.stop(PATIENCE)


Start = Callable[[Camera, Callable[[Picture], None], RetryPolicy], StreamReader]


def test_pauses_double_from_half_a_second_up_to_the_longest() -> None:
    pauses = [RetryPolicy().pause_seconds(failures) for failures in range(1, 7)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_ten_failures_in_a_row_are_too_many() -> None:
    assert not RetryPolicy().gives_up(9, 0)
    assert RetryPolicy().gives_up(10, 0)


def test_three_wrong_passwords_are_too_many() -> None:
    assert not RetryPolicy().gives_up(9, 2)
    assert RetryPolicy().gives_up(3, 3)


def test_a_camera_that_cannot_be_read_is_given_up_after_ten_tries_with_a_pause_after_each() -> None:
    camera, policy = Camera(broken(REFUSED)), Hurry()
    status = run_until_it_gives_up(camera, policy).status
    assert camera.opened == 10
    assert policy.asked == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert status.gave_up
    assert status.failures == 10
    assert status.reason == "refused"
    assert status.message == "the camera refuses the connection"


def test_a_camera_that_cannot_even_be_opened_is_given_up_too() -> None:
    camera = Camera(SourceError("unreachable", "the camera's host is not known"))
    status = run_until_it_gives_up(camera, Hurry()).status
    assert camera.opened == 10
    assert status.reason == "unreachable"
    assert status.connections == 0


def test_an_address_that_nothing_can_be_read_from_is_tried_once() -> None:
    camera = Camera(SourceError("bad_address", "the stream address names no host: correct it"))
    policy = Hurry()
    status = run_until_it_gives_up(camera, policy).status
    assert camera.opened == 1
    assert policy.asked == []
    assert (status.gave_up, status.failures, status.reason) == (True, 1, "bad_address")


def test_refused_logins_are_counted_among_other_failures() -> None:
    camera = Camera(*[broken(error) for error in (WRONG_PASSWORD, REFUSED) * 3])
    status = run_until_it_gives_up(camera, Hurry()).status
    assert (camera.opened, status.failures, status.refused_logins) == (5, 5, 3)


def test_a_wrong_password_is_tried_three_times_and_not_ten() -> None:
    camera = Camera(broken(WRONG_PASSWORD))
    status = run_until_it_gives_up(camera, Hurry()).status
    assert camera.opened == 3
    assert status.reason == "auth_failed"


def test_an_unexpected_failure_is_logged_with_its_traceback_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = Camera(PlayedSource(ZeroDivisionError("a bug")))
    status = run_until_it_gives_up(camera, Hurry(max_failures=2)).status
    assert camera.opened == 2
    assert status.failures == 2
    assert status.reason == "unreachable"
    assert "a bug" not in status.message
    assert [r.exc_info is not None for r in caplog.records if r.levelno == logging.ERROR] == [
        True,
        True,
    ]


def test_a_picture_ends_the_row_of_failures() -> None:
    good = PlayedSource(picture(1), REFUSED)
    sources = [broken(REFUSED)] * 9 + [good] + [broken(REFUSED)] * 10
    camera = Camera(*sources)
    status = run_until_it_gives_up(camera, Hurry()).status
    assert camera.opened == 9 + 1 + 9
    assert status.failures == 10


def test_while_pictures_come_the_status_names_no_reason(started: Start) -> None:
    seen = threading.Event()
    camera = Camera(broken(REFUSED), PlayedSource(picture(1), picture(2), hangs=True))

    def look(taken: Picture) -> None:
        if taken == picture(2):
            seen.set()

    status = started(camera, look, Hurry()).status
    assert seen.wait(PATIENCE)
    assert (status.failures, status.reason, status.message) == (0, "", "")
    assert status.decoded == 2
    assert status.last_frame_at == NOON + timedelta(seconds=2)
    assert status.connections == 2


def test_every_picture_is_handed_on_in_order() -> None:
    taken: list[Picture] = []
    camera = Camera(PlayedSource(picture(1), picture(2), picture(3), REFUSED), broken(REFUSED))
    run_until_it_gives_up(camera, Hurry(max_failures=2), taken.append)
    assert taken == [picture(1), picture(2), picture(3)]


def test_each_connection_is_said_goodbye_to() -> None:
    sources = [PlayedSource(picture(1), REFUSED), broken(WRONG_PASSWORD)]
    run_until_it_gives_up(Camera(*sources), Hurry(max_failures=2))
    assert [source.said_goodbye for source in sources] == [True, True]


def test_stop_ends_a_reader_whose_camera_hangs(started: Start) -> None:
    seen = threading.Event()
    source = PlayedSource(picture(1), hangs=True)
    reader = started(Camera(source), lambda _: seen.set(), RetryPolicy())
    assert seen.wait(PATIENCE)
    assert reader.stop(1.0)
    assert source.said_goodbye
    assert not reader.status.gave_up


def test_stop_ends_a_reader_in_the_middle_of_a_stream(started: Start) -> None:
    seen = threading.Event()
    endless = PlayedSource(*[picture(second) for second in range(100_000)])
    reader = started(Camera(endless), lambda _: seen.set(), RetryPolicy())
    assert seen.wait(PATIENCE)
    assert reader.stop(1.0)
    assert endless.said_goodbye


def test_stop_ends_a_reader_that_waits_before_its_next_try(started: Start) -> None:
    paused = threading.Event()

    class Patient(RetryPolicy):
        def pause_seconds(self, failures: int) -> float:
            paused.set()
            return 60.0

    reader = started(Camera(broken(REFUSED)), ignore, Patient())
    assert paused.wait(PATIENCE)
    assert reader.stop(1.0)


def test_stop_may_be_said_twice(started: Start) -> None:
    reader = started(Camera(PlayedSource(hangs=True)), ignore, RetryPolicy())
    assert reader.stop(1.0)
    assert reader.stop(1.0)


def test_a_connection_that_is_broken_off_is_counted_as_a_failure_and_opened_anew(
    started: Start,
) -> None:
    first, second = threading.Event(), threading.Event()
    asked = Hurry()
    camera = Camera(PlayedSource(picture(1), hangs=True), PlayedSource(picture(2), hangs=True))

    def look(taken: Picture) -> None:
        (first if taken == picture(1) else second).set()

    reader = started(camera, look, asked)
    assert first.wait(PATIENCE)
    reader.reconnect()
    assert second.wait(PATIENCE)
    assert camera.opened == 2
    assert asked.asked == [1]


def test_a_camera_whose_streams_end_without_a_picture_is_given_up_in_the_end() -> None:
    opened = 0

    def open_source() -> FrameSource:
        nonlocal opened
        opened += 1
        if opened > 50:
            raise REFUSED  # lets the thread end instead of turning for ever
        return PlayedSource()

    reader = StreamReader(open_source, ignore, Hurry(), "reader-under-test")
    reader.start()
    for thread in threading.enumerate():
        if thread.name == "reader-under-test":
            thread.join(PATIENCE)
    assert opened == 10
    assert reader.status.gave_up


class HangingSource:
    """Hangs as FFmpeg does in a name server that does not answer: close() does not wake it."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.entered = threading.Event()

    def pictures(self) -> Generator[Picture]:
        self.entered.set()
        self.answer.wait(PATIENCE)
        yield from ()

    def close(self) -> None:
        """Goes unheard."""


def test_a_reader_that_hangs_holds_nobody_up_and_is_the_only_one_of_its_camera() -> None:
    hanging = HangingSource()
    first = StreamReader(Camera(hanging).open, ignore, Hurry(), "reader-under-test")
    first.start()
    assert hanging.entered.wait(PATIENCE)
    began = time.monotonic()
    assert not first.stop(0.2)
    assert time.monotonic() - began < 1.0

    impatient = Hurry(predecessor_seconds=0.02)
    for _ in range(20):
        camera = Camera(PlayedSource(picture(1), hangs=True))
        again = StreamReader(camera.open, ignore, impatient, "reader-under-test")
        again.start()
        wait_until(partial(getattr, again.status, "gave_up"), "it gives up")
        assert again.status.reason == "hanging"
        assert camera.opened == 0
        assert again.stop(0.2)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("reader-under-test") == 1

    hanging.answer.set()
    assert first.stop(PATIENCE)
    seen = threading.Event()
    camera = Camera(PlayedSource(picture(1), hangs=True))
    healed = StreamReader(camera.open, lambda _: seen.set(), Hurry(), "reader-under-test")
    healed.start()
    assert seen.wait(PATIENCE)
    assert healed.stop(PATIENCE)


def test_a_camera_is_read_as_soon_as_its_last_connection_came_back() -> None:
    slow, seen = HangingSource(), threading.Event()
    first = StreamReader(Camera(slow).open, ignore, Hurry(), "reader-under-test")
    first.start()
    assert slow.entered.wait(PATIENCE)
    assert not first.stop(0.05)
    camera = Camera(PlayedSource(picture(1), hangs=True))
    again = StreamReader(camera.open, lambda _: seen.set(), Hurry(), "reader-under-test")
    again.start()
    assert not seen.wait(0.2)
    assert not again.status.gave_up
    assert camera.opened == 0

    slow.answer.set()
    assert seen.wait(PATIENCE)
    assert not again.status.reason
    assert again.stop(PATIENCE)


def test_who_waits_for_the_last_connection_ends_when_told_to() -> None:
    hanging = HangingSource()
    first = StreamReader(Camera(hanging).open, ignore, Hurry(), "reader-under-test")
    first.start()
    assert hanging.entered.wait(PATIENCE)
    again = StreamReader(Camera(REFUSED).open, ignore, Hurry(), "reader-under-test")
    again.start()
    assert again.stop(1.0)
    assert not again.status.gave_up
    hanging.answer.set()
    assert first.stop(PATIENCE)


def test_the_damage_that_the_source_sees_is_told(started: Start) -> None:
    seen = threading.Event()
    damaged = Picture(NOON, None, damage=0.4)
    camera = Camera(PlayedSource(damaged, picture(1), hangs=True))
    reader = started(camera, lambda taken: seen.set() if taken == picture(1) else None, Hurry())
    assert seen.wait(PATIENCE)
    assert reader.status.damage == 0.4
