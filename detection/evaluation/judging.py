"""Runs a clip through the shipped defaults, exactly as a camera would be judged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

import numpy as np
from django.conf import settings

from detection.detectors.catalogue import sha256_of
from detection.detectors.fights import FightClassifier, FightModel, Probabilities
from detection.detectors.pose import PoseNetwork
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEvent,
    EpisodeOpened,
)
from detection.domain.zones import Zone
from detection.evaluation.viewings import CONFIRMED, NAMED, OPENED, Step, Viewing
from detection.foreground import Foreground, Seen
from detection.frame_judging import FrameJudging
from detection.labelled_clips import LabelledClip, LabelsError
from detection.ports import (
    CloseLooker,
    Detector,
    FrameClassifier,
    SourceError,
    SourceOptions,
)
from detection.rules.settings import Settings
from detection.rules.setup import CameraSetup
from detection.rules.zone_file import ZoneFileError, read_zones
from detection.services import setups
from detection.site_models import check_models, load_own_classifier, load_site_detector
from detection.sources.pyav import PyAvSource
from detection.watching import build_scene

ZONES_FILE: Final = "zones.json"
# Whichever: a clip's times are told from here. Fixed, so that they are never rounded differently.
BEGINS_AT: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


def view(clip: LabelledClip, model: Probabilities | None = None) -> Viewing:
    """Judge a clip from its first picture to its last, by this fight model or by the shipped one.

    Raises LabelsError, DetectorError.
    """
    scene = build_scene(_setup(clip))
    source = PyAvSource(
        SourceOptions(
            str(clip.path),
            frame_skip=settings.ENVIRONMENT.frame_skip,
            hurry=scene.wants_more,
            begins_at=BEGINS_AT,
        )
    )
    try:
        foreground = Foreground(source, _detector(), scene, _looker(model), _judging())
        seen = [_Brief(one) for one in foreground.run()]
    except SourceError as error:
        raise LabelsError(f"{clip.place}: it cannot be read ({error})") from error
    if not seen:
        raise LabelsError(f"{clip.place}: it cannot be read (it has no pictures)")
    return _viewing(clip, seen)


class _Brief:
    """What is kept of a sampled picture: the picture itself is let go."""

    def __init__(self, seen: Seen) -> None:
        judgement = seen.judgement
        self.seconds = (judgement.at - BEGINS_AT).total_seconds()
        self.brightness = float(np.mean(seen.sampled.grey))
        self.heights = [person.box.height for person in judgement.moment.people]
        self.confidences = [
            (self.seconds, suspicion.crime_type, suspicion.confidence)
            for suspicion in judgement.suspicions
            if suspicion.confidence > 0
        ]
        self.steps = [step for event in judgement.events for step in _steps(event, self.seconds)]


def _steps(event: EpisodeEvent, seconds: float) -> list[Step]:
    match event:
        case EpisodeOpened():
            return [Step(seconds, OPENED, event.crime_type)]
        case ConfidenceChanged():
            return [Step(seconds, NAMED, event.crime_type)]
        case CrimeConfirmed():
            return [Step(seconds, CONFIRMED, event.crime_type)]
    return []


def _viewing(clip: LabelledClip, seen: Sequence[_Brief]) -> Viewing:
    last = seen[-1].seconds
    # The last picture stands for as long as one does on average.
    seconds = last + (last / (len(seen) - 1) if len(seen) > 1 else 0.0)
    heights = [height for one in seen for height in one.heights]
    return Viewing(
        clip=clip,
        sha256=sha256_of(clip.path),
        seconds=seconds,
        pictures=len(seen),
        brightness=float(np.median([one.brightness for one in seen])),
        height=float(np.median(heights)) if heights else None,
        confidences=tuple(said for one in seen for said in one.confidences),
        steps=tuple(step for one in seen for step in one.steps),
    )


def _setup(clip: LabelledClip) -> CameraSetup:
    site = setups.site_setup()
    return replace(site, zones=zones_of(clip, site.settings))


def zones_of(clip: LabelledClip, below: Settings) -> tuple[Zone, ...]:
    """The zones of the file beside the clip: its own, or that of its folder. Raises LabelsError."""
    own = clip.path.with_suffix(f".{ZONES_FILE}")
    file = own if own.is_file() else clip.path.with_name(ZONES_FILE)
    if not file.is_file():
        return ()
    try:
        return read_zones(file.read_text(encoding="utf-8"), setups.sections(), below)
    except (OSError, UnicodeDecodeError, ZoneFileError) as error:
        raise LabelsError(f"{file}: {error}") from error


@cache
def _detector() -> Detector:
    """One a process and on one thread: the clips are shared among processes."""
    return load_site_detector(threads=1)


def _judging() -> FrameJudging | None:
    """Anew for each clip, whose clock is its own; checked with the detector."""
    classifier = _classifier()
    check_models(_detector(), classifier)
    return FrameJudging(classifier) if classifier else None


@cache
def _classifier() -> FrameClassifier | None:
    return load_own_classifier()


def _looker(model: Probabilities | None) -> CloseLooker | None:
    if not settings.ENVIRONMENT.fight_detection:
        return None
    return FightClassifier(_pose(), model or _shipped())


@cache
def _pose() -> PoseNetwork:
    return PoseNetwork(settings.ENVIRONMENT.model_dir, threads=1)


@cache
def _shipped() -> FightModel:
    return FightModel()
