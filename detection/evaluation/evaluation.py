"""The whole of an evaluation: read the labels, judge the clips, make the card."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from detection.detectors.fights import CARD_FILE, SHIPPED
from detection.evaluation.card import Card, judged_types, make_card
from detection.evaluation.figures import Judged
from detection.evaluation.labels import fault_of_label
from detection.evaluation.running import Models, view_all
from detection.evaluation.unseen import unseen_models
from detection.labelled_clips import LabelledClip, LabelsError, clips_in, read_labelled_clips
from detection.services import setups
from detection.training.extraction import ExtractionOptions


class Teller(Protocol):
    """Is told how far it is."""

    def say(self, line: str) -> None: ...

    def reach(self, done: int, of: int) -> None: ...


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """`quiet` are folders of footage without any crime, whatever its files are called."""

    folders: Sequence[Path]
    quiet: Sequence[Path]
    cross_validated: bool
    processes: int
    seed: int
    cache_folder: Path


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The card and what it was made of."""

    card: Card
    types: Sequence[Judged]

    @classmethod
    def of(cls, options: EvaluationOptions, teller: Teller) -> "Evaluation":
        """Raises LabelsError, TrainingError and DetectorError."""
        clips = _clips(options)
        models = _models(options, teller)
        viewings = view_all(
            clips, models, options.processes, lambda done: teller.reach(done, len(clips))
        )
        types = judged_types(viewings, setups.site_setup().settings.thresholds())
        # A clip that a model of its own has judged is new to that model.
        known = _trained_on() - {v.sha256 for v in viewings if v.clip.path in models}
        card = make_card(viewings, types, known, options.seed)
        card["about"]["cross-validated"] = options.cross_validated
        return cls(card, types)


def _clips(options: EvaluationOptions) -> list[LabelledClip]:
    clips: list[LabelledClip] = []
    faults: list[str] = []
    for folder in [*options.folders, *options.quiet]:
        try:
            is_quiet = folder in options.quiet
            clips += (
                clips_in(folder, "normal")
                if is_quiet
                else read_labelled_clips(folder, fault_of_label)
            )
        except LabelsError as error:
            faults.append(str(error))
    if faults:
        raise LabelsError("; ".join(faults))
    return clips


def _models(options: EvaluationOptions, teller: Teller) -> Models:
    if not options.cross_validated:
        return {}
    extraction = ExtractionOptions(
        model_folder=settings.ENVIRONMENT.model_dir,
        cache_folder=options.cache_folder,
        seed=options.seed,
        processes=options.processes,
    )
    return unseen_models(options.folders[0], extraction, teller.say)


def _trained_on() -> frozenset[str]:
    """The digests of the clips that the shipped fight model was trained on."""
    card = json.loads((SHIPPED / CARD_FILE).read_text(encoding="utf-8"))
    return (
        frozenset(card["data"]["sha256"]) if settings.ENVIRONMENT.fight_detection else frozenset()
    )
