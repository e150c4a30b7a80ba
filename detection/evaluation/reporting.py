"""Where the card goes: a terminal or a document, a file, pictures."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TextIO

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from detection.evaluation.card import ABOUT, SPLITS, Card
from detection.evaluation.evaluation import Evaluation
from detection.evaluation.tables import notes, overview, split
from detection.labelled_clips import LabelsError
from detection.whole_file import write_json


class Bar:
    """A bar on a terminal; elsewhere a line for each tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=stream),
            transient=True,
            disable=not stream.isatty(),
        )
        self._task = self._progress.add_task("clips", total=None)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        self._progress.console.print(line)

    def reach(self, done: int, of: int) -> None:
        self._progress.update(self._task, completed=done, total=of)
        if self._progress.disable and done * 10 // of > (done - 1) * 10 // of:
            print(f"{done} of {of} clips judged", file=self._stream, flush=True)


def check_outputs(json_file: Path | None, plots: Path | None) -> None:
    """Refuse now what cannot be written, and not after minutes. Raises LabelsError."""
    for path, folder in ((json_file, json_file and json_file.parent), (plots, plots)):
        if path is None or folder is None:
            continue
        there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        if path.is_dir() is (path is json_file) and path.exists():
            raise LabelsError(f"{path} is {'a folder' if path.is_dir() else 'no folder'}")
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise LabelsError(f"{path} cannot be written: {there} is no folder that may be")


def write_outputs(evaluation: Evaluation, json_file: Path | None, plots: Path | None) -> None:
    """Write what is asked for, the card whole or not at all."""
    if plots is not None:
        from detection.evaluation.plots import draw  # half a second that tables need not wait for

        draw(evaluation.types, plots)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, evaluation.card)


def report(card: Card, out: OutputWrapper, *, markdown: bool) -> None:
    """Print the tables and what must be known to read them."""
    types = [name for name in card if name != ABOUT]
    tables = [overview(card)] if types else []
    tables += [
        split(card, crime, by)
        for crime in types
        for by in SPLITS
        if not (markdown and by == "source")  # too long for a document; the file has it
    ]
    if markdown:
        out.write("\n\n".join([*(table.markdown() for table in tables), *notes(card)]))
        return
    console = Console(file=sys.stdout if out.isatty() else out, highlight=False)  # type: ignore[arg-type]  # it writes
    for table in tables:
        table.show(console)
    for note in notes(card):
        console.print(note)
