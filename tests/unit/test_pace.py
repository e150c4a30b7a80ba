"""Overload: measured at the queue, answered by one pace for all, gone as soon as it is over."""

import random
from dataclasses import dataclass, field

import pytest

from detection.domain.pace import Governor, Rate, Window, is_overloaded


def window(*, busy: float = 1.0, wait: float = 0.0, growth: float = 0.0) -> Window:
    return Window(busy, wait, growth, batch_seconds=0.25)


# --- one window ------------------------------------------------------------------------------


def test_where_frames_wait_briefly_nobody_is_asked_to_slow_down() -> None:
    assert window(wait=0.29).next_pace(0.0) == 0.0


def test_an_overload_sets_the_pace_at_which_each_camera_is_answered_anyway() -> None:
    assert window(wait=0.75).next_pace(0.0) == pytest.approx(1.1)


def test_while_the_queue_drains_the_pace_stays() -> None:
    assert window(wait=0.4, growth=-0.1).next_pace(1.1) == 1.1


def test_a_queue_that_still_grows_slows_the_pace_down() -> None:
    assert window(wait=0.4, growth=0.1).next_pace(1.0) == pytest.approx(1.1)


def test_a_busy_detector_without_a_queue_is_tried_with_a_little_more() -> None:
    assert window(busy=1.0).next_pace(1.0) == pytest.approx(0.97)


def test_an_idle_detector_makes_the_pace_twice_as_fast_until_there_is_none() -> None:
    paces = [1.2]
    while paces[-1]:
        paces.append(window(busy=0.1).next_pace(paces[-1]))
    assert paces == pytest.approx([1.2, 0.6, 0.3, 0.15, 0.0])


def test_no_pace_is_slower_than_five_seconds() -> None:
    assert window(wait=60.0).next_pace(4.9) == 5.0


# --- batches ---------------------------------------------------------------------------------


def governed(*batches: tuple[int, float]) -> Governor:
    governor, now = Governor(), 0.0
    for frames, seconds in batches:
        governor.note(waited=0.0, frames=frames, began=now, ended=now + seconds)
        now += seconds
    return governor


def test_batches_are_as_large_as_asked_until_one_was_slow() -> None:
    assert Governor().batch_limit(16) == 16
    assert governed((16, 0.1)).batch_limit(16) == 16


def test_a_slow_detector_gets_batches_that_end_within_a_quarter_of_a_second() -> None:
    assert governed((16, 0.8)).batch_limit(16) == 5
    assert governed((4, 2.0)).batch_limit(16) == 1


def test_a_detector_that_is_cheaper_in_batches_is_given_larger_ones_again() -> None:
    governor = governed((1, 0.05))
    assert governor.batch_limit(16) == 5
    governor.note(waited=0.0, frames=5, began=0.05, ended=0.11)
    assert governor.batch_limit(16) == 16


def test_a_batch_that_was_too_large_is_not_tried_again_for_a_minute() -> None:
    governor = governed((4, 0.02))
    governor.allow_at_most(2, now=0.0)
    assert governor.batch_limit(16) == 2
    for now, most in ((59.0, 2), (61.0, 16)):
        governor.note(waited=0.0, frames=1, began=now - 0.01, ended=now)
        governor.look(now, lambda change: change(0.0))
        assert governor.batch_limit(16) == most


# --- a site ----------------------------------------------------------------------------------

STEP = 0.005


@dataclass
class Camera:
    """Offers frames as Outbound does: one in flight, refreshed while it waits, none before due."""

    next_sample: float
    beat: float = 0.0
    pace: float = 0.0
    state: str = "free"
    sent_at: float = 0.0
    frame_at: float = 0.0
    answered: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)


@dataclass
class Site:
    """Cameras that want three frames a second, and detectors that need some time for each."""

    cameras: int
    frame_seconds: float
    detectors: int = 1
    in_step: bool = False

    def __post_init__(self) -> None:
        chance = random.Random(1)
        self.all = [
            Camera(0.0 if self.in_step else chance.random() / 3) for _ in range(self.cameras)
        ]
        self.queue: list[Camera] = []
        self.governors = [Governor() for _ in range(self.detectors)]
        self.jobs: list[tuple[float, float, list[Camera]] | None] = [None] * self.detectors
        self.now = self.pace = 0.0
        self.turn = -1

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            for camera in self.all:
                self._sample(camera)
            for number in range(self.detectors):
                self._work(number)
            self.now += STEP

    def _sample(self, camera: Camera) -> None:
        if self.now < camera.next_sample:
            return
        camera.next_sample += 1 / 3
        if camera.state == "free" and self.now >= camera.beat + camera.pace:
            camera.beat = max(camera.beat + camera.pace, self.now - camera.pace)
            camera.state, camera.sent_at = "waits", self.now
            camera.frame_at = self.now
            self.queue.append(camera)
        elif camera.state == "waits":
            camera.frame_at = self.now

    def _work(self, number: int) -> None:
        governor, job = self.governors[number], self.jobs[number]
        if job and self.now >= job[1]:
            self._answer(governor, job)
            self.jobs[number] = job = None
        if not job and self.queue:
            limit = governor.batch_limit(16)
            batch, self.queue = self.queue[:limit], self.queue[limit:]
            for camera in batch:
                camera.state = "analysed"
            self.jobs[number] = (self.now, self.now + self.frame_seconds * len(batch), batch)

    def _answer(self, governor: Governor, job: tuple[float, float, list[Camera]]) -> None:
        began, _, batch = job
        waited = began - min(camera.sent_at for camera in batch)
        governor.note(waited=waited, frames=len(batch), began=began, ended=self.now)
        if governor.window_is_over(self.now):
            governor.look(self.now, self._share)
        for camera in batch:
            camera.state, camera.pace = "free", governor.pace
            camera.answered.append(self.now)
            camera.ages.append(self.now - camera.frame_at)

    def _share(self, change: object) -> float:
        assert callable(change)
        if int(self.now) != self.turn:
            self.turn, self.pace = int(self.now), change(self.pace)
        return self.pace

    def answered(self, since: float) -> list[int]:
        return [sum(at >= since for at in camera.answered) for camera in self.all]


@pytest.mark.parametrize(
    "site",
    [
        Site(8, 0.125),
        Site(8, 0.125, in_step=True),
        Site(30, 1 / 30),
        Site(16, 0.125, detectors=2),
        Site(10, 0.2),
    ],
    ids=["three-fold", "in-step", "thirty-cameras", "two-detectors", "six-fold"],
)
def test_an_overloaded_site_serves_all_cameras_alike_and_in_time(site: Site) -> None:
    site.run(20)
    learned = [len(camera.ages) for camera in site.all]
    site.run(30)
    answered = site.answered(20)
    assert max(answered) <= 1.2 * min(answered)
    capacity = site.detectors / site.frame_seconds
    assert sum(answered) / 30 >= 0.85 * capacity, "the detector does not stand idle for it"
    late = zip(site.all, learned, strict=True)
    ages = sorted(age for camera, first in late for age in camera.ages[first:])
    assert ages[int(0.99 * len(ages))] < 0.95


def test_a_site_recovers_within_seconds_when_the_load_ends() -> None:
    site = Site(8, 0.125)
    site.run(20)
    assert site.pace > 0.8
    site.frame_seconds = 0.01
    site.run(6)
    assert site.pace == 0.0
    ended = site.now
    site.run(5)
    assert site.answered(ended) == [15] * 8


def test_a_site_without_overload_is_left_alone() -> None:
    site = Site(10, 0.028)
    site.run(20)
    assert site.pace == 0.0
    assert min(site.answered(0.0)) >= 59


# --- what an operator is told ------------------------------------------------------------------


def test_a_rate_begins_with_the_first_figure_and_follows_slowly() -> None:
    rate = Rate()
    rate.note(6, 2.0)
    assert rate.per_second == 3.0
    rate.note(2, 2.0)
    assert rate.per_second == pytest.approx(2.4)


@pytest.mark.parametrize(("analysed", "overload"), [(3.0, False), (2.3, False), (2.2, True)])
def test_a_quarter_less_than_wanted_is_an_overload(analysed: float, overload: bool) -> None:
    assert is_overloaded(wanted=3.0, analysed=analysed) is overload


def test_a_camera_of_which_nothing_is_wanted_is_not_overloaded() -> None:
    assert not is_overloaded(wanted=0.0, analysed=0.0)
