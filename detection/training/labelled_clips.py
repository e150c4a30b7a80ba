"""A folder of clips with `labels.csv`: file,label,source. Nothing starts on a list with a fault."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LABELS_FILE: Final = "labels.csv"
COLUMNS: Final = ("file", "label", "source")
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
    labels = folder / LABELS_FILE
    try:
        with labels.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise TrainingError(
                    f"{labels}, line 1: the columns must be {','.join(COLUMNS)}, "
                    f"found {','.join(reader.fieldnames or ()) or 'nothing'}"
                )
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"{labels} cannot be read ({error}): name a folder that has this list"
        ) from error
    faults = [fault for line, row in rows if (fault := _fault(folder, line, row))]
    names = [row["file"] for _, row in rows]
    faults += [
        f"line {line}: {row['file']!r} is listed before"
        for number, (line, row) in enumerate(rows)
        if row["file"] in names[:number]
    ]
    if faults:
        raise TrainingError(f"{labels}: " + "; ".join(faults))
    return [
        LabelledClip(folder / row["file"], row["file"], LABELS[row["label"]], row["source"], line)
        for line, row in rows
    ]


def _fault(folder: Path, line: int, row: dict[str, str | None]) -> str:
    if None in row or any(not row[column] for column in COLUMNS):
        return f"line {line}: expected a file, a label and a source"
    if row["label"] not in LABELS:
        return f"line {line}: unknown label {row['label']!r}, use {' or '.join(LABELS)}"
    path = folder / str(row["file"])
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"line {line}: {row['file']!r} lies outside the folder"
    if not path.is_file():
        return f"line {line}: there is no clip {row['file']!r}"
    return ""
