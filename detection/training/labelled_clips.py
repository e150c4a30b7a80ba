"""The clips that the fight model is trained on: fights and others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detection import labelled_clips
from detection.labelled_clips import LABELS_FILE, LabelsError

LABELS: Final = {"fight": True, "no_fight": False}


class TrainingError(Exception):
    """The clips or the list of them cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip, whether people fight in it, and the video that it was cut from."""

    path: Path
    name: str  # as the list has it
    is_fight: bool
    source: str
    line: int


def read_labelled_clips(folder: Path) -> list[LabelledClip]:
    """Read the list whole. Raises TrainingError that names every faulty line."""
    if not (folder / LABELS_FILE).exists():
        raise TrainingError(
            f"{folder / LABELS_FILE} cannot be read: training needs the list, because a model is "
            f"tested on sources that it has not seen"
        )
    try:
        found = labelled_clips.read_labelled_clips(folder, _fault_of_label)
    except LabelsError as error:
        raise TrainingError(str(error)) from error
    return [
        LabelledClip(clip.path, clip.name, LABELS[clip.label], clip.source, clip.line)
        for clip in found
    ]


def _fault_of_label(label: str) -> str:
    return "" if label in LABELS else f"unknown label {label!r}, use {' or '.join(LABELS)}"
