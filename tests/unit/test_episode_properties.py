"""What holds for every sequence of suspicions, however odd."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeMachine,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.suspicions import Suspicion

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALM_AT_LAST = 7_000  # milliseconds: longer than any gap that is forgiven and the clear time
CRIMES = [CrimeType.TRESPASSING, CrimeType.THEFT, CrimeType.ASSAULT]

gaps_ms = st.sampled_from([40, 200, 200, 200, 600, 1000, 1001, 5000, 15000, 15001]) | st.integers(
    1, 40_000
)
confidences = st.sampled_from([0.0, 39.9, 40.0, 49.9, 50.0, 65.0, 79.9, 80.0, 90.0]) | st.floats(
    0, 100
)


@dataclass(frozen=True)
class Shot:
    """The same suspicions in some frames with the same distance."""

    frames: int
    gap_ms: int
    suspected: dict[CrimeType, float] = field(default_factory=dict)


def shots_of(strength: st.SearchStrategy[float]) -> st.SearchStrategy[list[Shot]]:
    suspected = st.dictionaries(st.sampled_from(CRIMES), strength, max_size=3)
    return st.lists(st.builds(Shot, st.integers(1, 8), gaps_ms, suspected), max_size=8)


@dataclass
class Told:
    """A machine, its story so far, and the time of it."""

    machine: EpisodeMachine = field(default_factory=EpisodeMachine)
    events: list[EpisodeEvent] = field(default_factory=list)
    at: datetime = START

    def play(self, shots: list[Shot]) -> "Told":
        for shot in shots:
            found = [Suspicion(c, value, (1,), "") for c, value in shot.suspected.items()]
            for _ in range(shot.frames):
                self.at += timedelta(milliseconds=shot.gap_ms)
                self.events += self.machine.observe(found, self.at)
        return self

    def episodes(self) -> list[list[EpisodeEvent]]:
        """The events cut before each opening."""
        episodes: list[list[EpisodeEvent]] = []
        for event in self.events:
            if isinstance(event, EpisodeOpened):
                episodes.append([])
            episodes[-1].append(event)
        return episodes


def crimes_in(episode: list[EpisodeEvent]) -> list[CrimeConfirmed]:
    return [event for event in episode if isinstance(event, CrimeConfirmed)]


@given(shots_of(confidences))
def test_openings_and_ends_alternate_and_nothing_is_said_outside_an_episode(
    shots: list[Shot],
) -> None:
    is_open = False
    told = Told().play(shots)
    for event in told.events:
        assert isinstance(event, EpisodeOpened) != is_open
        is_open = not isinstance(event, EpisodeEnded)
    assert told.machine.is_open == is_open


@given(shots_of(confidences))
def test_times_of_an_episode_are_in_order(shots: list[Shot]) -> None:
    for episode in Told().play(shots).episodes():
        opened = episode[0]
        assert isinstance(opened, EpisodeOpened)
        assert opened.started_at <= opened.at
        moments = [event.at for event in episode]
        assert moments == sorted(moments)
        for crime in crimes_in(episode):
            assert crime.started_at <= crime.at
            assert opened.at <= crime.at


@given(shots_of(confidences))
def test_no_event_is_dated_outside_the_frames_that_were_seen(shots: list[Shot]) -> None:
    told = Told()
    frames = set()
    for shot in shots:
        for _ in range(shot.frames):
            told.play([Shot(1, shot.gap_ms, shot.suspected)])
            frames.add(told.at)
    assert {event.at for event in told.events} <= frames
    starts = {e.started_at for e in told.events if isinstance(e, EpisodeOpened | CrimeConfirmed)}
    assert starts <= frames


@given(shots_of(confidences))
def test_each_crime_is_confirmed_at_most_once_in_an_episode(shots: list[Shot]) -> None:
    for episode in Told().play(shots).episodes():
        crimes = [crime.crime_type for crime in crimes_in(episode)]
        assert len(crimes) == len(set(crimes))


@given(shots_of(confidences))
def test_thresholds_are_kept(shots: list[Shot]) -> None:
    for event in Told().play(shots).events:
        if isinstance(event, EpisodeOpened | ConfidenceChanged):
            assert event.confidence >= 50
        if isinstance(event, CrimeConfirmed):
            assert event.confidence >= 80


@given(shots_of(confidences))
def test_calm_that_lasts_ends_every_episode(shots: list[Shot]) -> None:
    told = Told().play([*shots, Shot(CALM_AT_LAST // 500, gap_ms=500)])
    assert not told.machine.is_open
    openings = [event for event in told.events if isinstance(event, EpisodeOpened)]
    ends = [event for event in told.events if isinstance(event, EpisodeEnded)]
    assert len(openings) == len(ends)


@given(shots_of(confidences))
def test_blindness_that_lasts_ends_every_episode(shots: list[Shot]) -> None:
    told = Told().play(shots)
    was_open, last_frame_at = told.machine.is_open, told.at
    lost = told.machine.lose_sight(told.at + timedelta(seconds=15.001))
    assert lost == ([EpisodeEnded(last_frame_at, EpisodeState.LOST)] if was_open else [])
    assert not told.machine.is_open


@given(shots_of(st.floats(0, 49.99)))
def test_below_the_alert_threshold_nothing_is_ever_said(shots: list[Shot]) -> None:
    assert Told().play(shots).events == []


@given(shots_of(confidences), st.floats(0, 49.99))
def test_a_quiet_machine_says_nothing_to_a_frame_below_the_alert_threshold(
    shots: list[Shot], confidence: float
) -> None:
    told = Told().play([*shots, Shot(CALM_AT_LAST // 500, gap_ms=500)])
    before = len(told.events)
    told.play([Shot(1, 200, {CrimeType.TRESPASSING: confidence})])
    assert told.events[before:] == []


@given(shots_of(confidences), st.integers(0, 100_000))
def test_older_frames_change_nothing(shots: list[Shot], back_ms: int) -> None:
    told, same = Told().play(shots), Told().play(shots)
    if not shots:
        return
    sure = [Suspicion(CrimeType.THEFT, 100, (1,), "")]
    assert told.machine.observe(sure, told.at - timedelta(milliseconds=back_ms)) == []
    assert told.machine == same.machine
