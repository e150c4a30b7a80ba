"""Recorded episodes judged once more, by other settings or other rules: no tracker, no pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from detection.analysis import SceneAnalysis
from detection.domain.courses import Change, Course, Difference, courses_of, differ
from detection.domain.episodes import EpisodeEvent, EpisodePolicy
from detection.domain.moments import Moment
from detection.domain.recordings import Recording, until
from detection.domain.suspicions import Suspicion
from detection.rules.rule import Rule, RuleOptions
from detection.rules.setup import CameraSetup

# Whoever is there so soon after the beginning of a recording may have been there for long.
ARRIVAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """The difference, and which rules were not judged anew but taken at their word of then."""

    difference: Difference
    as_said: tuple[str, ...]


def compare(
    was: Course,
    recording: Recording,
    rules: Sequence[type[Rule[Any]]],
    setup: CameraSetup,
    policy: EpisodePolicy,
) -> Replayed:
    """What would become of a recorded episode under this setup.

    What the recording holds of the time after the episode is another's, or nobody's.
    """
    if was.ended_at is not None:
        recording = until(recording, was.ended_at)
    last = recording.moments[-1].moment.at
    # What came after a recording was cut cannot be lost by it.
    told = replace(was, crimes={crime: at for crime, at in was.crimes.items() if at <= last})
    difference = differ(told, courses_of(replay(recording, rules, setup, policy)))
    if difference.change is Change.LOST and _looks_back_too_far(was, recording, rules, setup):
        difference = replace(difference, change=Change.UNDECIDED)
    spoke = {rule for recorded in recording.moments for rule, _ in recorded.held}
    blind = {rule.NAME for rule in rules if rule.NEEDS_PICTURES}
    return Replayed(difference, tuple(sorted(spoke & blind)))


def replay(
    recording: Recording,
    rules: Sequence[type[Rule[Any]]],
    setup: CameraSetup,
    policy: EpisodePolicy,
) -> list[EpisodeEvent]:
    """The events of a recording under this setup; the profiles are those that were in force."""
    playable = [as_it_said(rule, recording) if rule.NEEDS_PICTURES else rule for rule in rules]
    scene = SceneAnalysis(None, playable, setup, policy)
    return [event for seen in recording.moments for event in scene.weigh(seen.moment).events]


def as_it_said(rule: type[Rule[Any]], recording: Recording) -> type[Rule[Any]]:
    """The rule as the recording knows it: it says what it said then, where it is still armed."""
    said: Mapping[datetime, list[Suspicion]] = {
        seen.moment.at: [suspicion for name, suspicion in seen.held if name == rule.NAME]
        for seen in recording.moments
    }

    class AsItSaid(Rule[RuleOptions]):
        NAME = rule.NAME
        Options = rule.Options

        def observe(self, moment: Moment) -> list[Suspicion]:
            return said[moment.at] if self.options.is_armed_at(moment) else []

    return AsItSaid


def _looks_back_too_far(
    was: Course, recording: Recording, rules: Sequence[type[Rule[Any]]], setup: CameraSetup
) -> bool:
    """Whether a rule would have to know since when somebody is there who always was."""
    if not recording.is_late:
        return False
    held = [held for recorded in recording.moments for held in recorded.held]
    witnesses = {name for name, s in held if s.crime_type is was.opened_as}
    suspects = {key for _, s in held if s.crime_type is was.opened_as for key in s.track_ids}
    there_from_the_beginning = {
        track.id
        for recorded in recording.moments
        if (recorded.moment.at - recording.began_at).total_seconds() <= ARRIVAL_SECONDS
        for track in recorded.moment.tracks
    }
    before_seconds = (was.alerted_at - recording.began_at).total_seconds()
    return not suspects.isdisjoint(there_from_the_beginning) and any(
        _longest_seconds(rule, setup) > before_seconds for rule in rules if rule.NAME in witnesses
    )


def _longest_seconds(rule: type[Rule[Any]], setup: CameraSetup) -> float:
    """The longest time that an option of the rule names, anywhere on the camera's picture."""
    return max(
        (
            float(value)
            for zone in (None, *setup.zones)
            for name, value in setup.settings.of(rule.NAME, rule.Options, zone)
            if name.endswith("_seconds") and isinstance(value, int | float)
        ),
        default=0.0,
    )
