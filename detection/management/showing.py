"""One showing of a source: each judged picture is counted and filmed, and its news is told."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from detection.foreground import Foreground, Seen
from detection.management.filming import SceneFilm
from detection.management.screen import Screen
from detection.management.telling import Clock, Tally, json_of, line_of, style_of
from detection.narration import Narrator, News, told_of
from detection.ports import SourceError


class Showing:
    """Runs a foreground to its end; `tally` is kept also where that end is an error."""

    def __init__(
        self,
        foreground: Foreground,
        screen: Screen,
        clock: Clock,
        *,
        film: SceneFilm | None,
        as_json: bool,
    ) -> None:
        self._foreground = foreground
        self._screen = screen
        self._clock = clock
        self._film = film
        self._as_json = as_json
        self._narrator = Narrator()
        self.tally = Tally()
        self.broken = ""  # why a source ended that had given pictures

    def run(self, limit_seconds: float | None) -> None:
        """Show until the source ends, a signal comes, or so many of its seconds were shown.

        Raises SourceError where no picture ever came, DetectorError, FilmError.
        """
        began, cpu = time.perf_counter(), time.process_time()
        try:
            with _closed_by_signals(self._foreground.close), self._closed_after(limit_seconds):
                self._show_all(limit_seconds or math.inf)
        except SourceError as error:
            if not self.tally.frames:
                raise
            self.broken = str(error)
        lasted = told_of(self._foreground.finish())
        self._tell([replace(news, reason="it still lasted here") for news in lasted])
        self.tally.wall_seconds = time.perf_counter() - began
        used = time.process_time() - cpu
        self.tally.cpu_seconds = used - self.tally.film_cpu_seconds

    def sum_up(self, film: Path | None) -> None:
        self.tally.film = str(film) if film else ""
        for line in [self.tally.as_json()] if self._as_json else ["", *self.tally.lines()]:
            self._screen.say(line)

    def _show_all(self, limit_seconds: float) -> None:
        with closing(self._foreground.run()) as pictures:
            for seen in pictures:
                self._show(seen)
                if self.tally.watched_seconds >= limit_seconds:
                    return

    @contextmanager
    def _closed_after(self, seconds: float | None) -> Iterator[None]:
        """A camera that falls silent is left in time too."""
        if seconds is None or self._clock.begins_at is not None:
            yield
            return
        timer = threading.Timer(seconds, self._foreground.close)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _show(self, seen: Seen) -> None:
        judgement, tally = seen.judgement, self.tally
        tally.frames += 1
        tally.first_at = tally.first_at or judgement.at
        tally.last_at = judgement.at
        self._tell(self._narrator.hear(judgement))
        self._screen.reach(self._clock.seconds(judgement.at))
        if self._film is not None:
            cpu = time.process_time()
            self._film.add(seen)
            tally.film_cpu_seconds += time.process_time() - cpu

    def _tell(self, news: list[News]) -> None:
        for one in news:
            self.tally.note(one)
            if self._as_json:
                self._screen.say(json_of(one, self._clock))
            else:
                self._screen.say(line_of(one, self._clock), style_of(one))


@contextmanager
def _closed_by_signals(close: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM ask for a good end; whichever comes again ends at once."""

    def ask(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        close()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
