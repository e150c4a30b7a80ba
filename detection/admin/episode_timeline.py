"""The line of time in words and numbers: its samples, its thresholds, and itself as a table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from detection.admin.episode_course import marks_of
from detection.admin.presentation import moment
from detection.models import Episode

MOST_SAMPLES: Final = 2000


def samples_of(episode: Episode) -> list[list[float]]:
    """Pairs of seconds since the first suspicious frame and confidence."""
    pairs = [[float(second), float(sure)] for second, sure in episode.confidence_timeline or []]
    return _thin(pairs)


def _thin(pairs: list[list[float]]) -> list[list[float]]:
    """At most MOST_SAMPLES, each the peak of its stretch: an alarm may not vanish by thinning."""
    stride = -(-len(pairs) // MOST_SAMPLES)
    if stride <= 1:
        return pairs
    return [
        max(pairs[start : start + stride], key=lambda pair: pair[1])
        for start in range(0, len(pairs), stride)
    ]


def course_of(episode: Episode) -> list[dict[str, Any]]:
    """The timeline's marks as rows of a table, for whoever cannot see the line."""
    return [
        {"at": moment(mark.at), "offset": _offset(episode, mark.at), "label": mark.label}
        for mark in marks_of(episode)
    ]


def _offset(episode: Episode, at: datetime) -> str:
    seconds = round((at - episode.started_at).total_seconds(), 1)
    return f"{seconds:+.1f}" if seconds else "0.0"


def course_in_words(episode: Episode, limits: Mapping[str, float]) -> str:
    """The line of confidence as a sentence."""
    samples = samples_of(episode)
    sentences = []
    if samples:
        at, peak = max(samples, key=lambda sample: sample[1])
        sentences.append(
            _("The confidence peaks at %(peak)d %% after %(at).1f s and ends at %(last)d %%.")
            % {"peak": peak, "at": at, "last": samples[-1][1]}
        )
    sentences.append(
        _("The alert threshold is %(alert)g %%, the crime threshold %(crime)g %%.") % limits
    )
    return " ".join(sentences)


def levels_of(limits: Mapping[str, float]) -> list[dict[str, str]]:
    """The thresholds in force as the timeline writes them beside their lines."""
    words = {"crime": _("crime"), "alert": _("alert")}
    return [
        {
            "name": name,
            "label": word,
            "value": f"{limits[name]:g}",
            "top": f"{100 - limits[name]:.1f}",
        }
        for name, word in words.items()
    ]
