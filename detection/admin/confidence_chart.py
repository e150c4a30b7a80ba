"""The course of an episode's confidence as a picture, drawn here: no script, nothing from outside.

Only shapes are in the SVG, which stretches with the page; words stand around it as HTML, so that
they stay readable on a telephone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string

from detection.admin.presentation import elapsed
from detection.models import Episode, EpisodeEvent, EpisodeEventKind

WIDTH, HEIGHT = 1000, 100  # HEIGHT is 100 so that y is 100 - confidence
MOST_POINTS = 400
MARKED = {
    EpisodeEventKind.OPENED: "Opened",
    EpisodeEventKind.CONFIRMED: "Crime confirmed",
    EpisodeEventKind.CLEARED: "Cleared",
    EpisodeEventKind.LOST: "Camera lost",
}

Sample = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on the time line: where it is drawn (0..1000), when and what."""

    x: str
    percent: str
    second: str
    kind: str
    word: str


def confidence_chart(episode: Episode, events: Sequence[EpisodeEvent]) -> str:
    """The chart with its words, or a sentence where no confidence was recorded."""
    samples = _thin(_samples(episode))
    marks = [event for event in events if event.kind in MARKED]
    seconds = [second for second, _ in samples] + [_second(episode, event) for event in marks]
    longest = max([*seconds, 1.0])
    environment = settings.ENVIRONMENT
    context = {
        "episode": episode,
        "points": " ".join(f"{_x(s, longest)},{100 - c:.1f}" for s, c in samples),
        "first_x": _x(samples[0][0], longest) if samples else "0",
        "last_x": _x(samples[-1][0], longest) if samples else "0",
        "marks": [_mark(episode, event, longest) for event in marks],
        "thresholds": [
            _threshold("alert", environment.alert_threshold),
            _threshold("crime", environment.crime_threshold),
        ],
        "ends": [elapsed(timedelta(seconds=longest * part)) for part in (0, 0.5, 1)],
        "description": _describe(episode, samples, marks),
    }
    return render_to_string("admin/detection/episode/confidence_chart.html", context)


def _samples(episode: Episode) -> list[Sample]:
    pairs = episode.confidence_timeline or []
    return [(max(0.0, float(s)), min(100.0, max(0.0, float(c)))) for s, c in pairs]


def _thin(samples: list[Sample]) -> list[Sample]:
    """At most MOST_POINTS, each the peak of its stretch: an alarm may not vanish by thinning."""
    if len(samples) <= MOST_POINTS:
        return samples
    stride = -(-len(samples) // MOST_POINTS)
    return [
        max(samples[start : start + stride], key=lambda sample: sample[1])
        for start in range(0, len(samples), stride)
    ]


def _second(episode: Episode, event: EpisodeEvent) -> float:
    return max(0.0, (event.at - episode.started_at).total_seconds())


def _x(second: float, longest: float) -> str:
    return f"{WIDTH * second / longest:.1f}"


def _mark(episode: Episode, event: EpisodeEvent, longest: float) -> Mark:
    second = _second(episode, event)
    return Mark(
        x=_x(second, longest),
        percent=f"{100 * second / longest:.1f}",
        second=f"{second:.1f}",
        kind=event.kind,
        word=MARKED[EpisodeEventKind(event.kind)],
    )


def _threshold(name: str, value: float) -> dict[str, str]:
    return {"name": name, "y": f"{100 - value:.1f}", "value": f"{value:g}"}


def _describe(episode: Episode, samples: list[Sample], marks: list[EpisodeEvent]) -> str:
    environment = settings.ENVIRONMENT
    sentences = []
    if samples:
        at, peak = max(samples, key=lambda sample: sample[1])
        sentences.append(
            f"{len(samples)} values over {samples[-1][0]:.1f} s, from {samples[0][1]:.0f} % "
            f"to {samples[-1][1]:.0f} %, with a peak of {peak:.0f} % after {at:.1f} s."
        )
    sentences.append(
        f"The alert threshold is {environment.alert_threshold:g} %, "
        f"the crime threshold {environment.crime_threshold:g} %."
    )
    sentences += [
        f"{MARKED[EpisodeEventKind(event.kind)]} after {_second(episode, event):.1f} s."
        for event in marks
    ]
    return " ".join(sentences)
