"""Puts together what a run left behind and judges it as `docs/reliability.md` defines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from simulators.laravel.records import Violation
from tests.soak import books, coverage, memory, silence, watchers
from tests.soak.conductor import Conductor
from tests.soak.coverage import Fate, Told, Uncovered
from tests.soak.gathering import (
    control_closed,
    pauses,
    read_beats,
    read_books,
    read_crimes,
    watchers_killed,
    watchers_lost,
)
from tests.soak.site import Site
from tests.soak.story import passages


@dataclass(frozen=True)
class Verdict:
    """Everything that the report says; every list of `broken` must be empty."""

    lost: list[str]
    duplicated: list[str]
    sirens_left_on: list[str]
    uncovered: Uncovered
    watched_seconds: float
    rss_growth: dict[str, float]
    fates: list[Fate]
    episodes: int
    told: dict[str, int]
    siren_latency: list[float]
    crime_latency: list[float]
    unsounded: list[str]
    out_of_order: list[str]
    stray: list[str]
    violations: list[str]
    restarts: dict[str, int]
    locked: list[str]

    @property
    def line(self) -> str:
        """The one line that the issue asks for."""
        grown = f"{max(self.rss_growth.values()):+.1f}%" if self.rss_growth else "—"
        return (
            f"lost={len(self.lost)} duplicated={len(self.duplicated)} "
            f"sirens_left_on={len(self.sirens_left_on)} "
            f"uncovered_s={self.uncovered.seconds:.0f} rss_growth={grown}"
        )

    @property
    def kept(self) -> bool:
        return not any(self.broken.values())

    @property
    def broken(self) -> dict[str, list[str]]:
        """Findings that break a promise, by their kind."""
        return {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "siren left on": self.sirens_left_on,
            "out of order": self.out_of_order,
            "alert without siren": self.unsounded,
            "against the contract": self.violations,
        }


def judge(site: Site, run: Conductor) -> Verdict:
    """Call it when the run has ended and the cluster still stands."""
    written = read_books(site)
    numbers = sorted(site.cameras)
    sessions = site.sessions.all()
    samples = run.sampler.samples
    allowed = coverage.excuses(run.inflicted, sessions, numbers, run.ended_at)
    crimes = read_crimes(site)
    shown = [
        passage
        for number, camera in site.cameras.items()
        for passage in passages(number, camera.reels, run.ended_at)
    ]
    fates = coverage.fates(shown, crimes, samples, allowed)
    deaths, closed = watchers_killed(written, run, site), control_closed(run)
    left_on = silence.left_on(samples, written.episodes, deaths, closed, watchers_lost(run))
    sounded_at = {number: _sirens_started(site, number) for number in numbers}
    return Verdict(
        lost=[
            *books.lost_reports(written),
            *(_lost_passage(fate) for fate in fates if fate.outcome == "lost"),
            *(
                f"camera {number} is not watched at the end: {site.camera_states().get(number)}"
                for number in coverage.forsaken(samples, numbers)
            ),
        ],
        duplicated=[
            *books.repeated_reports(written),
            *watchers.two_sessions(sessions, pauses(run), run.ended_at),
            *watchers.two_claimants(read_beats(site), samples),
        ],
        sirens_left_on=[
            *(_left_on(stretch) for stretch in left_on),
            *(
                f"the siren of camera {number} sounds at the end"
                for number, camera in site.cameras.items()
                if camera.tapo.siren_on
            ),
        ],
        uncovered=coverage.uncovered(samples, numbers, allowed, run.began_at),
        watched_seconds=(run.ended_at - run.began_at) * len(numbers),
        rss_growth=memory.growth(run.sampler.rss),
        fates=fates,
        episodes=len(written.episodes),
        told={
            "alerts": len(site.backend.alerts),
            "crimes": len(site.backend.crimes),
            "stops": len(site.backend.stops),
        },
        siren_latency=_siren_latency(sounded_at, written.episodes),
        crime_latency=[crime.received_at - crime.ends_at for crime in crimes],
        unsounded=[
            f"camera {episode.camera_id}: no siren for episode {episode.id} "
            f"at {clock(episode.decided_at)}"
            for episode in silence.unsounded(written.episodes, sounded_at, deaths, closed)
        ],
        out_of_order=books.out_of_order(written),
        stray=_stray(crimes, fates),
        violations=[
            f"{v.method} {v.path}: {v.status} {v.message}"
            for v in site.backend.violations
            if not is_late_beat(v)
        ],
        restarts={name: part.incarnation - 1 for name, part in site.parts.items()},
        locked=[
            f"camera {number} refuses logins for {camera.tapo.locked_out_seconds:.0f} s more"
            for number, camera in site.cameras.items()
            if camera.tapo.locked_out_seconds
        ],
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; NaN where there is no value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def clock(at: float) -> str:
    """A moment as the logs write it."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def is_late_beat(violation: Violation) -> bool:
    """A beat for a camera that the back end freed before the cluster could know it.

    A camera that another has claimed meanwhile is judged by `watchers.two_claimants`.
    """
    return violation.path.endswith("/heartbeat") and violation.status == HTTPStatus.OK


# --- findings in words ---------------------------------------------------------------------------


def _lost_passage(fate: Fate) -> str:
    passage = fate.passage
    return (
        f"camera {passage.camera_id}: no crime was told of the person in the zone from "
        f"{clock(passage.enters_at)} to {clock(passage.leaves_at)} ({fate.why})"
    )


def _left_on(stretch: silence.LeftOn) -> str:
    since = (
        f"episode {stretch.episode_id} ended at {clock(stretch.ended_at)}"
        if stretch.ended_at
        else f"of episode {stretch.episode_id or 'unknown'}"
    )
    return (
        f"camera {stretch.camera_id}: its siren sounded from {clock(stretch.from_at)} to "
        f"{clock(stretch.to_at)} beyond what is allowed ({since})"
    )


def _stray(crimes: Sequence[Told], fates: Sequence[Fate]) -> list[str]:
    return [
        f"camera {crime.camera_id}: a crime from {clock(crime.starts_at)} to "
        f"{clock(crime.ends_at)} when nobody was in the zone"
        for crime in crimes
        if not any(coverage.is_of(crime, fate.passage) for fate in fates)
    ]


def _sirens_started(site: Site, number: int) -> list[float]:
    return [call.at for call in site.cameras[number].tapo.siren_calls if call.action == "start"]


def _siren_latency(
    sounded_at: Mapping[int, Sequence[float]], episodes: Sequence[books.Episode]
) -> list[float]:
    """From the decision to the first request at the camera."""
    found = []
    for episode in episodes:
        until = episode.decided_at + silence.LONGEST_SECONDS
        calls = [at for at in sounded_at[episode.camera_id] if episode.decided_at <= at <= until]
        found += [min(calls) - episode.decided_at] if calls else []
    return found
