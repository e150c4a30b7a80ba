"""What holds for every sequence of suspicions, however odd: of the machine and of a whole scene.

The machine is given suspicions as they are; the scene has two rules, whose witness is fused, and a
camera whose clock may be set back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.analysis import SceneAnalysis
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeMachine,
    EpisodeOpened,
    EpisodePolicy,
    EpisodeState,
    Thresholds,
)
from detection.domain.moments import Moment, Opinion
from detection.domain.suspicions import Suspicion
from detection.rules.rule import Rule, RuleOptions
from detection.rules.settings import Settings
from detection.rules.setup import CameraSetup
from detection.trackers.bytetrack import ByteTracker

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALM_AT_LAST = 7_000  # milliseconds: longer than any gap that is forgiven and the clear time
CRIMES = [CrimeType.TRESPASSING, CrimeType.THEFT, CrimeType.ASSAULT]
# Of theft; the other types have the usual thresholds, 50 and 80.
THEFT = Thresholds(70, 90)
POLICY = EpisodePolicy(thresholds={CrimeType.THEFT: THEFT})

Claim = tuple[str, CrimeType]  # which rule says what

gaps_ms = st.sampled_from([40, 200, 200, 200, 600, 1000, 1001, 5000, 15000, 15001]) | st.integers(
    1, 40_000
)
steps_back_ms = st.sampled_from([0, -40, -999, -1000, -1001, -30_000]) | st.integers(-90_000, 0)
confidences = st.sampled_from([0.0, 39.9, 40.0, 49.9, 50.0, 65.0, 79.9, 80.0, 90.0]) | st.floats(
    0, 100
)


@dataclass(frozen=True)
class Shot:
    """The same claims in some frames with the same distance."""

    frames: int
    gap_ms: int
    claims: Mapping[Claim, float] = field(default_factory=dict)


def shots_of(
    strength: st.SearchStrategy[float], gaps: st.SearchStrategy[int] = gaps_ms
) -> st.SearchStrategy[list[Shot]]:
    claim = st.tuples(st.sampled_from(["first", "second"]), st.sampled_from(CRIMES))
    claims = st.dictionaries(claim, strength, max_size=4)
    return st.lists(st.builds(Shot, st.integers(1, 8), gaps, claims), max_size=8)


class Judge(Protocol):
    """Whoever makes episodes of claims."""

    @property
    def machine(self) -> EpisodeMachine: ...

    def judge(self, claims: Mapping[Claim, float], at: datetime) -> list[EpisodeEvent]: ...


class BareMachine:
    """The machine alone. See Judge."""

    def __init__(self, policy: EpisodePolicy = POLICY) -> None:
        self.machine = EpisodeMachine(policy)

    def judge(self, claims: Mapping[Claim, float], at: datetime) -> list[EpisodeEvent]:
        found = [Suspicion(crime, value, (1,), rule) for (rule, crime), value in claims.items()]
        return self.machine.observe(found, at)


class Witness(Rule[RuleOptions]):
    """Suspects what opinions of its name say, always of the same person. See Rule."""

    Options = RuleOptions

    def observe(self, moment: Moment) -> list[Suspicion]:
        return [
            Suspicion(CrimeType(crime), 100 * opinion.probability, (1,), self.NAME)
            for opinion in moment.opinions
            for rule, _, crime in [opinion.label.partition("/")]
            if rule == self.NAME
        ]


class First(Witness):
    NAME = "first"


class Second(Witness):
    NAME = "second"


class WholeScene:
    """Rules, fusion and machine; only the tracker is left out. See Judge."""

    def __init__(self, policy: EpisodePolicy = POLICY) -> None:
        own = {"thresholds": {"theft": {"alert": THEFT.alert, "crime": THEFT.crime}}}
        setup = CameraSetup(settings=Settings((own,)))
        nobody = cast(ByteTracker, None)
        self.scene = SceneAnalysis(nobody, [First, Second], setup, policy)

    @property
    def machine(self) -> EpisodeMachine:
        return self.scene.machine

    def judge(self, claims: Mapping[Claim, float], at: datetime) -> list[EpisodeEvent]:
        opinions = [
            Opinion(f"{rule}/{crime}", value / 100) for (rule, crime), value in claims.items()
        ]
        return self.scene.weigh(Moment(at, opinions=opinions)).events


@dataclass
class Told:
    """A judge, what it has said so far, and the time of it."""

    judge: Judge
    events: list[EpisodeEvent] = field(default_factory=list)
    at: datetime = START
    frames: list[datetime] = field(default_factory=list)

    def play(self, shots: Sequence[Shot]) -> "Told":
        for shot in shots:
            for _ in range(shot.frames):
                self.at += timedelta(milliseconds=shot.gap_ms)
                self.frames.append(self.at)
                self.events += self.judge.judge(shot.claims, self.at)
        return self

    def episodes(self) -> list[list[EpisodeEvent]]:
        """The events cut before each opening."""
        episodes: list[list[EpisodeEvent]] = []
        for event in self.events:
            if isinstance(event, EpisodeOpened):
                episodes.append([])
            episodes[-1].append(event)
        return episodes


def crimes_in(episode: Sequence[EpisodeEvent]) -> list[CrimeConfirmed]:
    return [event for event in episode if isinstance(event, CrimeConfirmed)]


def thresholds_of(crime_type: CrimeType) -> Thresholds:
    return THEFT if crime_type is CrimeType.THEFT else Thresholds(50, 80)


calm = Shot(CALM_AT_LAST // 500, gap_ms=500)
of_both = pytest.mark.parametrize("judge", [BareMachine, WholeScene])
# A machine alone takes a frame that is older than the last for one that came late.
any_shots = shots_of(confidences)
jumping_shots = shots_of(confidences, gaps_ms | steps_back_ms)


# --- one episode at a time -----------------------------------------------------------------------


def assert_alternating(told: Told) -> None:
    is_open = False
    for event in told.events:
        assert isinstance(event, EpisodeOpened) != is_open
        is_open = not isinstance(event, EpisodeEnded)
    assert told.judge.machine.is_open == is_open


@of_both
@given(shots=any_shots)
def test_openings_and_ends_alternate_and_nothing_is_said_outside_an_episode(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    assert_alternating(Told(judge()).play(shots))


@given(jumping_shots)
def test_no_clock_opens_a_second_episode_beside_the_first(shots: list[Shot]) -> None:
    assert_alternating(Told(WholeScene()).play(shots))


# --- times ---------------------------------------------------------------------------------------


def assert_in_order(told: Told) -> None:
    for episode in told.episodes():
        opened = episode[0]
        assert isinstance(opened, EpisodeOpened)
        moments = [opened.started_at, *(event.at for event in episode)]
        assert moments == sorted(moments), "start, alert, crimes, end"
        for crime in crimes_in(episode):
            assert crime.started_at <= crime.at
    assert {event.at for event in told.events} <= set(told.frames)
    starts = {e.started_at for e in told.events if isinstance(e, EpisodeOpened | CrimeConfirmed)}
    assert starts <= set(told.frames)


@of_both
@given(shots=any_shots)
def test_times_of_an_episode_are_in_order_and_those_of_frames(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    assert_in_order(Told(judge()).play(shots))


@given(jumping_shots)
def test_they_are_so_also_where_the_clock_is_set_back(shots: list[Shot]) -> None:
    assert_in_order(Told(WholeScene()).play(shots))


# --- crimes and thresholds -----------------------------------------------------------------------


@of_both
@given(shots=any_shots)
def test_each_crime_is_confirmed_at_most_once_in_an_episode(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    for episode in Told(judge()).play(shots).episodes():
        crimes = [crime.crime_type for crime in crimes_in(episode)]
        assert len(crimes) == len(set(crimes))


@of_both
@given(shots=any_shots)
def test_each_type_keeps_its_own_thresholds(judge: Callable[[], Judge], shots: list[Shot]) -> None:
    for event in Told(judge()).play(shots).events:
        if isinstance(event, EpisodeOpened | ConfidenceChanged):
            assert event.confidence >= thresholds_of(event.crime_type).alert
        if isinstance(event, CrimeConfirmed):
            assert event.confidence >= thresholds_of(event.crime_type).crime


@given(shots_of(st.floats(0, 49.99)))
def test_below_the_alert_threshold_the_machine_never_says_anything(shots: list[Shot]) -> None:
    assert Told(BareMachine()).play(shots).events == []


@given(shots_of(st.floats(0, 29.28)))
def test_below_what_two_rules_make_an_alert_of_a_scene_never_says_anything(
    shots: list[Shot],
) -> None:
    """Twice 29.28 % makes 49.99 %."""
    assert Told(WholeScene()).play(shots).events == []


@of_both
@given(shots=any_shots, confidence=st.floats(0, 49.99))
def test_who_is_quiet_says_nothing_to_a_frame_below_the_alert_threshold(
    judge: Callable[[], Judge], shots: list[Shot], confidence: float
) -> None:
    told = Told(judge()).play([*shots, calm])
    before = len(told.events)
    told.play([Shot(1, 200, {("first", CrimeType.TRESPASSING): confidence})])
    assert told.events[before:] == []


# --- one frame -----------------------------------------------------------------------------------


@pytest.mark.parametrize("judge", [BareMachine, WholeScene])
@given(
    before=st.lists(gaps_ms, max_size=5),
    gap_ms=gaps_ms,
    after=st.lists(gaps_ms, max_size=5),
    claims=st.dictionaries(
        st.tuples(st.sampled_from(["first", "second"]), st.sampled_from(CRIMES)),
        st.floats(50, 100),
        min_size=1,
    ),
    persistence=st.sampled_from([0.0, 0.001, 0.6]),
)
def test_one_frame_never_opens_an_episode_whatever_its_confidence(
    judge: Callable[[EpisodePolicy], Judge],
    before: list[int],
    gap_ms: int,
    after: list[int],
    claims: dict[Claim, float],
    persistence: float,
) -> None:
    policy = replace(POLICY, persistence_seconds=persistence, confirm_seconds=persistence)
    quiet_before, quiet_after = ([Shot(1, gap) for gap in gaps] for gaps in (before, after))
    told = Told(judge(policy)).play([*quiet_before, Shot(1, gap_ms, claims), *quiet_after])
    assert told.events == []


@of_both
@given(shots=any_shots)
def test_an_episode_opens_with_a_later_frame_than_the_one_it_begins_with(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    for event in Told(judge()).play(shots).events:
        if isinstance(event, EpisodeOpened):
            assert (event.at - event.started_at).total_seconds() >= POLICY.persistence_seconds


# --- every alert is stopped ----------------------------------------------------------------------


@of_both
@given(shots=any_shots)
def test_calm_that_lasts_ends_every_episode(judge: Callable[[], Judge], shots: list[Shot]) -> None:
    told = Told(judge()).play([*shots, calm])
    assert not told.judge.machine.is_open
    assert all(isinstance(episode[-1], EpisodeEnded) for episode in told.episodes())


@given(jumping_shots)
def test_calm_ends_every_episode_whatever_the_clock_did_before(shots: list[Shot]) -> None:
    """It may take the second longer that a clock may be behind without being called set back."""
    told = Told(WholeScene()).play([*shots, Shot(calm.frames + 2, calm.gap_ms)])
    assert not told.judge.machine.is_open
    assert all(isinstance(episode[-1], EpisodeEnded) for episode in told.episodes())


@of_both
@given(shots=any_shots)
def test_blindness_that_lasts_ends_every_episode(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    told = Told(judge()).play(shots)
    machine, last_frame_at = told.judge.machine, told.at
    was_open = machine.is_open
    lost = machine.lose_sight(told.at + timedelta(seconds=15.001))
    assert lost == ([EpisodeEnded(last_frame_at, EpisodeState.LOST)] if was_open else [])
    assert not machine.is_open


@of_both
@given(shots=any_shots)
def test_whoever_stops_watching_ends_the_episode(
    judge: Callable[[], Judge], shots: list[Shot]
) -> None:
    told = Told(judge()).play(shots)
    was_open = told.judge.machine.is_open
    ended = told.judge.machine.abandon()
    assert [type(event) for event in ended] == ([EpisodeEnded] if was_open else [])
    assert not told.judge.machine.is_open
    assert told.judge.machine.abandon() == []


# --- frames that come late -----------------------------------------------------------------------


@given(any_shots, st.integers(0, 100_000))
def test_older_frames_change_nothing_in_a_machine(shots: list[Shot], back_ms: int) -> None:
    told, same = Told(BareMachine()).play(shots), Told(BareMachine()).play(shots)
    if not shots:
        return
    sure = [Suspicion(CrimeType.THEFT, 100, (1,), "")]
    machine = told.judge.machine
    assert machine.observe(sure, told.at - timedelta(milliseconds=back_ms)) == []
    assert machine == same.judge.machine


@given(any_shots, st.integers(1_001, 100_000))
def test_a_scene_whose_clock_is_set_back_is_judged_on_as_if_it_began(
    shots: list[Shot], back_ms: int
) -> None:
    if not shots:
        return
    told = Told(WholeScene()).play(shots)
    events = len(told.events)
    was_open = told.judge.machine.is_open
    sure = {("first", CrimeType.ASSAULT): 95.0}
    told.play([Shot(1, -back_ms, sure), Shot(10, 300, sure)])
    kinds = [type(event) for event in told.events[events:]]
    assert kinds == [EpisodeEnded] * was_open + [EpisodeOpened, CrimeConfirmed]
