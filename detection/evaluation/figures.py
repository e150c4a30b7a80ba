"""How often a type of crime is seen, and how often wrongly.

What is drawn again for an interval is sources and not clips: clips of one source look alike.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sklearn.metrics import roc_curve

from detection.domain.crimes import CrimeType
from detection.evaluation.labels import excused
from detection.evaluation.viewings import CONFIRMED, NAMED, OPENED, Viewing, alarms
from detection.training import figures

HOUR: Final = 3600.0
FEWEST_FOR_PERCENTILE: Final = 10
Figure = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The clips that are judged for a type: those that show it, and those that do not."""

    crime: CrimeType
    viewings: Sequence[Viewing]
    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]  # 0 to 100
    threshold: float  # the score from which an officer is alerted

    @classmethod
    def of(cls, crime: CrimeType, viewings: Iterable[Viewing], threshold: float) -> "Judged":
        """Leaves out the clips of other crimes that the type may well be a part of."""
        used = [
            v
            for v in viewings
            if v.shows(crime) or v.crime is None or crime not in excused(v.crime)
        ]
        return cls(
            crime,
            used,
            np.array([v.shows(crime) for v in used], np.bool_),
            np.array([v.score(crime) for v in used], np.float64),
            threshold,
        )

    @property
    def seen(self) -> NDArray[np.bool_]:
        return self.scores >= self.threshold

    @property
    def sources(self) -> list[str]:
        return [viewing.clip.source for viewing in self.viewings]

    def part(self, of: Callable[[Viewing], str], group: str) -> "Judged":
        """The same of the clips of one group."""
        kept = np.array([of(viewing) == group for viewing in self.viewings], np.bool_)
        some = [viewing for viewing, keep in zip(self.viewings, kept, strict=True) if keep]
        return Judged(self.crime, some, self.truth[kept], self.scores[kept], self.threshold)


def rates(judged: Judged) -> Figure:
    """Counts and shares; None where there is nothing to take a share of."""
    truth, seen = judged.truth, judged.seen
    both = bool(truth.any()) and not bool(truth.all())
    return {
        "clips": len(truth),
        "showing it": int(truth.sum()),
        "auc": _rounded(figures.auc(truth, judged.scores)) if both else None,
        "accuracy": _rounded(figures.accuracy(truth, seen)) if len(truth) else None,
        "precision": _rounded(figures.precision(truth, seen)) if seen.any() else None,
        "recall": _rounded(figures.recall(truth, seen)) if truth.any() else None,
    }


def intervals(judged: Judged, seed: int) -> Figure:
    """95 % intervals by drawing sources; None where one class or one source is all there is."""
    truth = judged.truth
    if truth.all() or not truth.any() or len(set(judged.sources)) < 2:
        return dict.fromkeys(("auc", "accuracy", "precision", "recall"))
    wanted = {
        "auc": (figures.auc, judged.scores),
        "accuracy": (figures.accuracy, judged.seen),
        "precision": (figures.precision, judged.seen),
        "recall": (figures.recall, judged.seen),
    }
    return {
        name: [_rounded(end) for end in figures.interval(figure, truth, said, judged.sources, seed)]
        for name, (figure, said) in wanted.items()
    }


def alerted(judged: Judged) -> Figure:
    """What episodes made of the clips: an alert needs persistence, a crime needs longer still."""
    answer: Figure = {}
    for name, kinds in (("alert", (OPENED, NAMED, CONFIRMED)), ("crime", (CONFIRMED,))):
        told = np.array([v.first(judged.crime, *kinds) is not None for v in judged.viewings])
        answer[name] = {
            "precision": _share(judged.truth[told]),
            "recall": _share(told[judged.truth]),
            "seconds": _delays(judged, kinds),
        }
    return answer


def _delays(judged: Judged, kinds: Sequence[str]) -> Figure:
    """Seconds from the act's beginning, or the clip's where the list names none."""
    ours = [viewing for viewing in judged.viewings if viewing.shows(judged.crime)]
    found = [(v.first(judged.crime, *kinds), v.clip.began is not None) for v in ours]
    delays = [(delay, dated) for delay, dated in found if delay is not None]
    seconds = [delay for delay, _ in delays]
    return {
        "median": _rounded(float(np.median(seconds))) if seconds else None,
        "longest": _rounded(max(seconds)) if seconds else None,
        "clips": len(seconds),
        "clips whose act is dated": sum(dated for _, dated in delays),
    }


def false_episodes(viewings: Sequence[Viewing], crimes: frozenset[CrimeType]) -> Figure:
    """Episodes opened for one of these while nothing happened, with the 95 % interval of chance."""
    hours = sum(viewing.quiet_seconds for viewing in viewings) / HOUR
    count = sum(crime in crimes for viewing in viewings for crime in viewing.false_episodes())
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    high = chi2.ppf(0.975, 2 * count + 2) / 2
    known = hours > 0
    return {
        "count": count,
        "quiet hours": _rounded(hours),
        "per camera-hour": _rounded(count / hours) if known else None,
        "per camera-hour 95 %": [_rounded(low / hours), _rounded(high / hours)] if known else None,
    }


def recall_at_false_alarms(judged: Judged, per_hour: float = 1.0) -> Figure:
    """The recall at the least threshold that quiet footage passes no more often than that.

    In less than an hour of footage that is: never.
    """
    quiet = [v for v in judged.viewings if not v.shows(judged.crime)]
    hours = sum(viewing.seconds for viewing in quiet) / HOUR
    allowed = int(per_hour * hours)
    curves = [viewing.curve(judged.crime) for viewing in quiet]
    threshold = None
    for candidate in sorted(set(judged.scores[judged.truth].tolist()) - {0.0}, reverse=True):
        if sum(alarms(curve, candidate) for curve in curves) > allowed:
            break
        threshold = candidate
    recall = 0.0 if threshold is None else _share(judged.scores[judged.truth] >= threshold)
    return {
        "recall": recall if judged.truth.any() and quiet else None,
        "threshold": None if threshold is None else _rounded(threshold),
        "false alarms allowed": allowed,
        "quiet hours": _rounded(hours),
    }


def roc(judged: Judged) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """False and true alarm shares; None where one class is all there is."""
    if judged.truth.all() or not judged.truth.any():
        return None
    false, true, _ = roc_curve(judged.truth, judged.scores, drop_intermediate=False)
    return false, true


def _share(flags: NDArray[np.bool_]) -> float | None:
    return _rounded(float(np.mean(flags))) if len(flags) else None


def _rounded(value: float) -> float:
    return round(float(value), 4)
