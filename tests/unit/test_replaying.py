"""Recorded episodes played again: under the same settings the same, under others said how."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from detection.analysis import SceneAnalysis
from detection.domain.courses import Change, Course, Difference, courses_of, differ
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodePolicy,
    EpisodeState,
)
from detection.domain.moments import Moment
from detection.domain.recordings import Recording, read
from detection.domain.suspicions import Suspicion
from detection.domain.tape import Footage, Tape
from detection.domain.zones import ZoneKind
from detection.recording import _packed
from detection.replaying import Replayed, compare, replay
from detection.rules.loitering import Loitering
from detection.rules.rule import Rule, RuleOptions
from detection.rules.settings import Layer, Settings
from detection.rules.setup import CameraSetup
from detection.rules.trespassing import Trespassing
from tests.unit.scenes import PLACES, START, Walk, zone

RULES: list[type[Rule[Any]]] = [Trespassing, Loitering]
YARD = zone(ZoneKind.RESTRICTED, "d", "f")
SETUP = CameraSetup(zones=(YARD,), settings=Settings(({"loitering": {"dwell_seconds": 8}},)))
POLICY = EpisodePolicy()
TRESPASSING, THEFT = CrimeType.TRESPASSING, CrimeType.THEFT


def under(layer: Layer) -> CameraSetup:
    return replace(SETUP, settings=SETUP.settings.above(layer))


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(
    *walks: Walk, seconds: float = 0.5, rules: Sequence[type[Rule[Any]]] = RULES
) -> list[tuple[list[EpisodeEvent], Recording]]:
    """The episodes of a scene as a watch would have recorded them, each with its recording."""
    scene, tape = SceneAnalysis(None, rules, SETUP, POLICY), Tape()
    told: dict[UUID, list[EpisodeEvent]] = {}
    ended: list[tuple[UUID, Footage]] = []
    for number in range(max(len(walk.steps) for walk in walks)):
        tracks = [track for walk in walks for track in walk.at(number)]
        judged = scene.weigh(Moment(after(number * seconds), tracks))
        tape.see(judged.moment, judged.by_rule)
        ended += tape.done(judged.at)
        for event in judged.events:
            if isinstance(event, EpisodeOpened):
                key = uuid4()
                told[key] = []
                tape.begin(key)
            told[key].append(event)
            if isinstance(event, EpisodeEnded):
                tape.end(event.at)
    return [(told[key], _read(footage)) for key, footage in [*ended, *tape.close()]]


def _read(footage: Footage) -> Recording:
    content = _packed(footage).content
    assert isinstance(content, bytes)
    return read(content)


def played(layer: Layer, *walks: Walk, rules: Sequence[type[Rule[Any]]] = RULES) -> Replayed:
    """What becomes of the one episode of a scene under one more layer of settings."""
    ((events, recording),) = record(*walks, rules=rules)
    return compare(courses_of(events)[0], recording, rules, under(layer), POLICY)


# --- the same settings -----------------------------------------------------------------------

QUIET = "." * 14
steps = st.lists(
    st.tuples(st.sampled_from([*PLACES, "."]), st.integers(1, 30)), min_size=1, max_size=6
).map(lambda stays: "".join(place * frames for place, frames in stays) + QUIET)


@given(steps, steps, st.sampled_from([0.2, 0.5, 1.0]))
def test_a_recorded_episode_played_under_the_same_settings_is_the_same(
    one: str, other: str, seconds: float
) -> None:
    for events, recording in record(Walk(one), Walk(other, id=2), seconds=seconds):
        again = replay(recording, RULES, SETUP, POLICY)
        opened = again.index(events[0])  # before it may stand the one that ended before
        assert again[opened : opened + len(events)] == events


def test_a_recorded_episode_is_kept_by_the_settings_it_was_recorded_with() -> None:
    assert played({}, Walk("ccdddddddddddd" + QUIET)) == Replayed(
        Difference(Change.KEPT, TRESPASSING, 0.0), ()
    )


# --- other settings --------------------------------------------------------------------------


def test_a_stricter_threshold_loses_a_short_visit() -> None:
    visit = Walk("ccdddddcc" + QUIET)  # two seconds inside: 50 to 67.5 %
    layer = {"thresholds": {"trespassing": {"alert": 70}}}
    assert played(layer, visit).difference == Difference(Change.LOST)


def test_a_stricter_threshold_makes_the_alert_of_a_long_visit_later() -> None:
    visit = Walk("ccdddddddddddddddd" + QUIET)  # an alert at 1 s, 67.5 % at 2 s, 71.9 % at 2.5 s
    layer = {"thresholds": {"trespassing": {"alert": 70}}}
    difference = played(layer, visit).difference
    assert (difference.change, difference.alert_shift_seconds) == (Change.KEPT, 2.5)


def test_a_longer_dwell_loses_the_crime_and_keeps_the_alert() -> None:
    visit = Walk("cc" + "d" * 16 + QUIET)  # sure from 3.4 s on for two seconds
    assert played({"trespassing": {"dwell_seconds": 30}}, visit).difference == Difference(
        Change.KEPT, TRESPASSING, 0.0, (), (TRESPASSING,)
    )


def test_a_shorter_dwell_gains_a_crime() -> None:
    visit = Walk("cc" + "d" * 7 + QUIET)
    assert played({"trespassing": {"dwell_seconds": 0.5}}, visit).difference == Difference(
        Change.KEPT, TRESPASSING, 0.0, (TRESPASSING,), ()
    )


def test_a_rule_that_is_switched_off_may_leave_the_episode_to_another() -> None:
    visit = Walk("d" * 40 + QUIET)
    difference = played({"trespassing": {"enabled": False}}, visit).difference
    assert difference.change is Change.OTHER_TYPE
    assert difference.crime_type is CrimeType.SUSPICIOUS_ACTIVITY


def test_who_was_there_before_the_recording_may_have_been_there_for_long_enough() -> None:
    stay = Walk("aj" * 100 + "a" * 30 + QUIET)
    ((events, recording), *_) = record(stay, seconds=1.0)
    was = courses_of(events)[0]
    longer = under({"loitering": {"dwell_seconds": 400}})
    assert was.alerted_at == after(209)
    lost = compare(was, recording, RULES, longer, POLICY).difference
    assert lost.change is Change.UNDECIDED
    newcomer = Walk("." * 20 + "a" * 40 + QUIET)
    ((events, recording), *_) = record(newcomer, seconds=1.0)
    was = courses_of(events)[0]
    assert compare(was, recording, RULES, longer, POLICY).difference.change is Change.LOST


def test_a_crime_after_the_end_of_a_cut_recording_is_not_called_lost() -> None:
    ((events, recording),) = record(Walk("cc" + "d" * 40 + QUIET))
    was = courses_of(events)[0]
    assert was.crimes[TRESPASSING] > after(6)
    cut = replace(recording, is_cut=True, moments=recording.moments[:10])
    assert compare(was, cut, RULES, SETUP, POLICY).difference == Difference(
        Change.KEPT, TRESPASSING, 0.0
    )


# --- a rule that needs pictures --------------------------------------------------------------


class Painted(Rule[RuleOptions]):
    """Suspects whoever is at e, where there is a picture. See Rule."""

    NAME = "painted"
    Options = RuleOptions
    NEEDS_PICTURES = True
    has_pictures = True

    def observe(self, moment: Moment) -> list[Suspicion]:
        seen = [track.id for track in moment.tracks if abs(track.box.feet.x - PLACES["e"]) < 0.01]
        return [Suspicion(CrimeType.VANDALISM, 60.0, (key,), "") for key in seen if self.sees]

    @property
    def sees(self) -> bool:
        return type(self).has_pictures


def blind(layer: Layer) -> Replayed:
    """Recorded with pictures, played again without."""
    ((events, recording),) = record(Walk("eeeeee" + QUIET), rules=[Painted])
    without = type("Painted", (Painted,), {"has_pictures": False})
    return compare(courses_of(events)[0], recording, [without], under(layer), POLICY)


def test_a_rule_that_needs_pictures_is_taken_at_its_word_and_the_replay_says_so() -> None:
    assert blind({}) == Replayed(Difference(Change.KEPT, CrimeType.VANDALISM, 0.0), ("painted",))


def test_thresholds_hold_for_its_word_as_well() -> None:
    assert blind({"thresholds": {"vandalism": {"alert": 61}}}).difference.change is Change.LOST


# --- courses ---------------------------------------------------------------------------------


def test_a_course_is_called_after_its_first_crime() -> None:
    (course,) = courses_of(
        [
            EpisodeOpened(after(1), TRESPASSING, 50.0, after(0), ""),
            ConfidenceChanged(after(2), TRESPASSING, 70.0),
            CrimeConfirmed(after(3), THEFT, 85.0, after(1), ""),
            CrimeConfirmed(after(4), TRESPASSING, 85.0, after(0), ""),
            EpisodeEnded(after(9), EpisodeState.CLEARED),
        ]
    )
    crimes = {THEFT: after(3), TRESPASSING: after(4)}
    assert course == Course(TRESPASSING, after(0), after(1), after(9), crimes)
    assert course.crime_type is THEFT


def test_only_courses_of_the_same_time_are_the_same_episode() -> None:
    was = Course(TRESPASSING, after(10), after(11), after(20))
    before = Course(TRESPASSING, after(0), after(1), after(9))
    later = Course(TRESPASSING, after(21), after(22))
    assert differ(was, [before, later]) == Difference(Change.LOST)
    within = Course(THEFT, after(12), after(14), after(18), {THEFT: after(15)})
    assert differ(was, [before, within, later]) == Difference(
        Change.OTHER_TYPE, THEFT, 3.0, (THEFT,), ()
    )


def test_an_episode_that_falls_apart_keeps_the_crimes_of_its_parts() -> None:
    was = Course(TRESPASSING, after(0), after(1), after(60), {THEFT: after(40)})
    parts = [
        Course(TRESPASSING, after(0), after(1), after(20)),
        Course(THEFT, after(30), after(31), after(60), {THEFT: after(40)}),
    ]
    assert differ(was, parts).crimes_lost == ()


def test_a_course_is_called_after_its_worst_crime() -> None:
    began = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    crimes = {CrimeType.TRESPASSING: began, CrimeType.FIGHTING: began + timedelta(seconds=9)}
    course = Course(CrimeType.TRESPASSING, began, began, crimes=crimes)
    assert course.crime_type is CrimeType.FIGHTING
