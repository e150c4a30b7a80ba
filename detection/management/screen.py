"""Where a command speaks: lines, and below them a bar where a terminal can show one."""

import sys
from types import TracebackType

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


class Screen:
    """Plain lines into a file or pipe; on a terminal colours, and a bar if there is a `total`."""

    def __init__(self, out: OutputWrapper, total: float | None = None) -> None:
        self._out = out
        self._console: Console | None = None
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if not out.isatty():
            return
        self._console = Console(file=sys.stdout, soft_wrap=True, highlight=False, emoji=False)
        if total and sys.stderr.isatty():
            self._progress = Progress(
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> "Screen":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress:
            self._progress.stop()

    def say(self, line: str, style: str = "") -> None:
        """Write a line; above the bar, if there is one."""
        if self._console is not None:
            self._console.print(Text(line, style=style))
            return
        self._out.write(line)
        self._out.flush()

    def reach(self, seconds: float) -> None:
        """Move the bar to this place."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=seconds)
