"""Clips of which it is known what they show: a folder with `labels.csv`, or a folder per label.

The list has the columns file,label,source, and may have began,ended (seconds of the act in the
clip), and light (day or night). Nothing starts on a list with a fault.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

LABELS_FILE: Final = "labels.csv"
COLUMNS: Final = ("file", "label", "source")
MORE_COLUMNS: Final = ("began", "ended", "light")
LIGHTS: Final = ("day", "night")
CLIP_ENDINGS: Final = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".ts"})
FaultOfLabel = Callable[[str], str]  # what is wrong with a label, "" for nothing
Row = Mapping[str | None, str | None]


class LabelsError(Exception):
    """The clips or the list of them cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip, what it shows, and the video that it was cut from.

    `began` and `ended` are seconds from the clip's first picture.
    """

    path: Path
    name: str  # as the list has it
    label: str
    source: str
    line: int = 0  # of the list; 0 where there is none
    began: float | None = None
    ended: float | None = None
    light: str | None = None

    @property
    def place(self) -> str:
        """Where an operator finds it."""
        return f"{LABELS_FILE}, line {self.line}: {self.name}" if self.line else self.name


def read_labelled_clips(folder: Path, fault_of_label: FaultOfLabel) -> list[LabelledClip]:
    """Read all clips of a folder. Raises LabelsError that names every fault."""
    if (folder / LABELS_FILE).exists():
        return _read_list(folder, fault_of_label)
    return _read_folders(folder, fault_of_label)


def clips_in(folder: Path, label: str) -> list[LabelledClip]:
    """Every clip below a folder under this label, each its own source. Raises LabelsError."""
    if not folder.is_dir():
        raise LabelsError(f"{folder} is no folder")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in CLIP_ENDINGS)
    if not paths:
        raise LabelsError(f"{folder} has no clips ({', '.join(sorted(CLIP_ENDINGS))})")
    return [
        LabelledClip(path, str(path.relative_to(folder.parent)), label, path.stem) for path in paths
    ]


def _read_folders(folder: Path, fault_of_label: FaultOfLabel) -> list[LabelledClip]:
    if not folder.is_dir():
        raise LabelsError(f"{folder} is no folder")
    labels = sorted(path for path in folder.iterdir() if path.is_dir())
    faults = [
        f"the folder {path.name!r}: {f}" for path in labels if (f := fault_of_label(path.name))
    ]
    if faults or not labels:
        told = "; ".join(faults) or "there is neither"
        raise LabelsError(f"{folder}: give {LABELS_FILE} or a folder for each label ({told})")
    return [clip for path in labels for clip in clips_in(path, path.name)]


def _read_list(folder: Path, fault_of_label: FaultOfLabel) -> list[LabelledClip]:
    labels = folder / LABELS_FILE
    try:
        with labels.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            _check_columns(labels, reader.fieldnames or ())
            rows: list[tuple[int, Row]] = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelsError(
            f"{labels} cannot be read ({error}): name a folder that has this list"
        ) from error
    faults = [fault for line, row in rows if (fault := _fault(folder, line, row, fault_of_label))]
    seen: set[str | None] = set()
    for line, row in rows:
        if row["file"] in seen:
            faults.append(f"line {line}: {row['file']!r} is listed before")
        seen.add(row["file"])
    if not rows:
        faults.append("it lists no clips")
    if faults:
        raise LabelsError(f"{labels}: " + "; ".join(faults))
    return [_clip(folder, line, row) for line, row in rows]


def _check_columns(labels: Path, found: Sequence[str]) -> None:
    if set(COLUMNS) - set(found) or set(found) - {*COLUMNS, *MORE_COLUMNS}:
        raise LabelsError(
            f"{labels}, line 1: the columns must be {','.join(COLUMNS)} and may be "
            f"{','.join(MORE_COLUMNS)}, found {','.join(found) or 'nothing'}"
        )
    if len(set(found)) != len(found):
        raise LabelsError(f"{labels}, line 1: a column is given twice: {','.join(found)}")


def _fault(folder: Path, line: int, row: Row, fault_of_label: FaultOfLabel) -> str:
    # More cells than columns come under None, and a missing cell is None.
    if None in row or None in row.values() or any(not row[column] for column in COLUMNS):
        return f"line {line}: expected a file, a label and a source"
    name = str(row["file"])
    path = folder / name
    if fault := fault_of_label(str(row["label"])):
        return f"line {line}: {fault}"
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"line {line}: {name!r} lies outside the folder"
    if not path.is_file():
        return f"line {line}: there is no clip {name!r}"
    return _fault_of_more(line, row)


def _fault_of_more(line: int, row: Row) -> str:
    if row.get("light") and row["light"] not in LIGHTS:
        return f"line {line}: light {row['light']!r}, use {' or '.join(LIGHTS)} or leave it empty"
    try:
        began, ended = _seconds(row.get("began")), _seconds(row.get("ended"))
    except ValueError:
        return f"line {line}: began and ended are seconds from the clip's first picture, like 12.5"
    if ended is not None and ended <= (began or 0.0):
        return f"line {line}: the act ends before it began"
    return ""


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text)
    if not isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def _clip(folder: Path, line: int, row: Row) -> LabelledClip:
    name = str(row["file"])
    return LabelledClip(
        path=folder / name,
        name=name,
        label=str(row["label"]),
        source=str(row["source"]),
        line=line,
        began=_seconds(row.get("began")),
        ended=_seconds(row.get("ended")),
        light=row.get("light") or None,
    )
