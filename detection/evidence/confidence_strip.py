"""Confidence over the last seconds, drawn as a strip: a line for each rule, and the thresholds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.episodes import Thresholds
from detection.evidence.drawing import AMBER, BOLD, GREY, RED, Colour, text_width, write

STRIP_SECONDS = 30.0
_MOST_POINTS = 1_000
_GROUND, _GRID, _FUSED, _FAINT = (28, 26, 24), (58, 54, 50), (78, 72, 66), (150, 145, 140)
# Told apart also by those who see no difference between red and green (Okabe and Ito).
_LINES: tuple[Colour, ...] = (
    (233, 180, 86), (66, 228, 240), (115, 158, 0), (167, 121, 204), (0, 159, 230),
    (178, 114, 0), (200, 200, 200), (0, 94, 213),
)  # fmt: skip
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class _Point:
    at: datetime
    by_rule: Mapping[str, float]
    fused: float


@dataclass(slots=True)
class ConfidenceStrip:
    """Remembers the last seconds and draws them, now at the right edge."""

    _points: deque[_Point] = field(default_factory=lambda: deque(maxlen=_MOST_POINTS))
    _marks: deque[tuple[datetime, Colour]] = field(default_factory=lambda: deque(maxlen=100))
    _colours: dict[str, Colour] = field(default_factory=dict)

    def note(self, at: datetime, by_rule: Mapping[str, float], fused: float) -> None:
        """The surest suspicion of each rule at this moment, and of all together."""
        if self._points and at <= self._points[-1].at:
            self._points.clear()  # the camera's clock was set back
            self._marks.clear()
        for rule in by_rule:
            self._colours.setdefault(rule, _LINES[len(self._colours) % len(_LINES)])
        self._points.append(_Point(at, by_rule, fused))
        while (at - self._points[0].at).total_seconds() > STRIP_SECONDS:
            self._points.popleft()

    def mark(self, at: datetime, colour: Colour) -> None:
        """An upright line at a step of an episode."""
        self._marks.append((at, colour))

    def draw(
        self, size: tuple[int, int], scale: float, thresholds: Thresholds
    ) -> NDArray[np.uint8]:
        """The strip of this width and height, letters so much larger than usual."""
        width, height = size
        strip = np.full((height, width, 3), _GROUND, np.uint8)
        plot = _Plot.of(size, scale)
        self._draw_fused(strip, plot)
        _draw_threshold(strip, plot, thresholds.alert, "alert", AMBER)
        _draw_threshold(strip, plot, thresholds.crime, "crime", RED)
        _draw_seconds(strip, plot)
        if self._points:
            self._draw_lines(strip, plot)
        self._draw_legend(strip, plot)
        return strip

    def _draw_fused(self, strip: NDArray[np.uint8], plot: "_Plot") -> None:
        if not self._points:
            return
        now = self._points[-1].at
        top = [plot.place(now, point.at, point.fused) for point in self._points]
        floor = [(top[-1][0], plot.bottom), (top[0][0], plot.bottom)]
        cv2.fillPoly(strip, [np.array([*top, *floor], np.int32)], _FUSED, cv2.LINE_AA)

    def _draw_lines(self, strip: NDArray[np.uint8], plot: "_Plot") -> None:
        now = self._points[-1].at
        for at, colour in self._marks:
            if 0 <= (now - at).total_seconds() <= STRIP_SECONDS:
                x, _ = plot.place(now, at, 0)
                cv2.line(strip, (x, plot.top), (x, plot.bottom), colour, max(1, plot.line))
        for rule, colour in self._colours.items():
            values = [(point.at, point.by_rule.get(rule, 0.0)) for point in self._points]
            for (before, was), (after, becomes) in pairwise(values):
                if was or becomes:
                    ends = plot.place(now, before, was), plot.place(now, after, becomes)
                    cv2.line(strip, *ends, colour, plot.line + 1, cv2.LINE_AA)

    def _draw_legend(self, strip: NDArray[np.uint8], plot: "_Plot") -> None:
        newest = self._points[-1].by_rule if self._points else {}
        ranked = sorted(self._colours, key=lambda rule: -newest.get(rule, 0.0))
        for number, rule in enumerate(ranked[:_MOST_NAMED]):
            y = plot.top + round((number + 0.8) * 1.3 * plot.letters)
            value = newest.get(rule, 0.0)
            colour = self._colours[rule] if value else _FAINT
            dot = (plot.right + round(1.1 * plot.letters), y - round(0.35 * plot.letters))
            cv2.circle(strip, dot, round(0.3 * plot.letters), self._colours[rule], -1, cv2.LINE_AA)
            name = (plot.right + round(1.8 * plot.letters), y)
            write(strip, f"{rule.replace('_', ' ')}  {value:.0f}", name, colour, plot.letters)


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where the curves are drawn within the strip, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    letters: float
    line: int

    @classmethod
    def of(cls, size: tuple[int, int], scale: float) -> "_Plot":
        width, height = size
        letters = 11.0 * scale
        return cls(
            left=round(5.6 * letters),
            top=round(0.7 * letters),
            right=width - round(13 * letters),
            bottom=height - round(1.7 * letters),
            letters=letters,
            line=max(1, round(scale)),
        )

    def place(self, now: datetime, at: datetime, value: float) -> tuple[int, int]:
        past = (now - at).total_seconds() / STRIP_SECONDS
        x = self.right - past * (self.right - self.left)
        y = self.bottom - value / 100 * (self.bottom - self.top)
        return round(x), round(y)


def _draw_threshold(
    strip: NDArray[np.uint8], plot: _Plot, value: float, name: str, colour: Colour
) -> None:
    y = round(plot.bottom - value / 100 * (plot.bottom - plot.top))
    dash = round(0.5 * plot.letters)
    for x in range(plot.left, plot.right, 2 * dash):
        cv2.line(strip, (x, y), (min(x + dash, plot.right), y), colour, plot.line)
    text = f"{name} {value:.0f}"
    x = plot.left - round(0.5 * plot.letters) - round(text_width(text, plot.letters, BOLD))
    write(strip, text, (x, y + round(0.35 * plot.letters)), colour, plot.letters, BOLD)


def _draw_seconds(strip: NDArray[np.uint8], plot: _Plot) -> None:
    cv2.line(strip, (plot.left, plot.bottom), (plot.right, plot.bottom), _GRID, plot.line)
    for seconds in range(0, int(STRIP_SECONDS) + 1, 10):
        share = seconds / STRIP_SECONDS
        x = round(plot.right - share * (plot.right - plot.left))
        text = f"-{seconds} s" if seconds else "now"
        place = (
            x - round(text_width(text, plot.letters) / 2),
            plot.bottom + round(1.2 * plot.letters),
        )
        write(strip, text, place, GREY, plot.letters)
