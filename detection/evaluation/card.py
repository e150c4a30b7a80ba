"""The accuracy card as plain data: for each type of crime that has clips, and about the run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from detection.domain.crimes import CrimeType
from detection.domain.episodes import Thresholds
from detection.evaluation import figures
from detection.evaluation.figures import Judged
from detection.evaluation.labels import seen_as
from detection.evaluation.viewings import Viewing

ABOUT: Final = "about"
SPLITS: Final[Mapping[str, Callable[[Viewing], str]]] = {
    "source": lambda viewing: viewing.clip.source,
    "light": lambda viewing: viewing.light,
    "people": lambda viewing: viewing.size,
}
Card = dict[str, Any]


def judged_types(
    viewings: Sequence[Viewing], thresholds: Mapping[CrimeType, Thresholds]
) -> list[Judged]:
    """The clips of each type of crime that any of them shows."""
    return [
        Judged.of(crime, viewings, thresholds[crime].alert)
        for crime in CrimeType
        if any(viewing.crime is crime for viewing in viewings)
    ]


def make_card(
    viewings: Sequence[Viewing], types: Sequence[Judged], known: frozenset[str], seed: int
) -> Card:
    """`known` are the digests of the clips that a model in use was trained on."""
    card: Card = {judged.crime.value: _of_type(judged, viewings, known, seed) for judged in types}
    card[ABOUT] = {
        "clips": len(viewings),
        "sources": len({viewing.clip.source for viewing in viewings}),
        "hours": round(sum(viewing.seconds for viewing in viewings) / figures.HOUR, 4),
        "clips trained on": _trained_on(viewings, known),
        "false episodes": figures.false_episodes(viewings, frozenset(CrimeType)),
        "false episodes by type": {
            crime.value: episodes["count"]
            for crime in CrimeType
            if (episodes := figures.false_episodes(viewings, frozenset({crime})))["count"]
        },
        "seed": seed,
    }
    return card


def _of_type(judged: Judged, viewings: Sequence[Viewing], known: frozenset[str], seed: int) -> Card:
    return {
        **figures.rates(judged),
        "95 %": figures.intervals(judged, seed),
        "threshold": judged.threshold,
        "counts as seen": sorted(seen_as(judged.crime)),
        "clips trained on": _trained_on(judged.viewings, known),
        "episodes": figures.alerted(judged),
        "false episodes": figures.false_episodes(viewings, seen_as(judged.crime)),
        "at one false alarm per camera-hour": figures.recall_at_false_alarms(judged),
        "by": {name: _split(judged, of) for name, of in SPLITS.items()},
    }


def _split(judged: Judged, of: Callable[[Viewing], str]) -> Card:
    groups = sorted({of(viewing) for viewing in judged.viewings})
    return {group: figures.rates(judged.part(of, group)) for group in groups}


def _trained_on(viewings: Sequence[Viewing], known: frozenset[str]) -> int:
    return sum(viewing.sha256 in known for viewing in viewings)
