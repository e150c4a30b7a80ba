"""Draws the card: ROC of each type of crime, and confidence over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from detection.evaluation.figures import Judged, roc
from detection.evaluation.viewings import Curve, Viewing
from detection.training import figures

ROC_FILE: Final = "roc.png"
DOTS_PER_INCH: Final = 150
# Okabe and Ito's colours, told apart by colour-blind eyes too: https://jfly.uni-koeln.de/color/
COLOURS: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C00",
)  # fmt: skip
YES, NO = COLOURS[1], COLOURS[0]
STEP_SECONDS: Final = 0.2
HELD_SECONDS: Final = 1.0  # opinions come about twice a second and hold until the next
LONGEST_SECONDS: Final = 60.0
# Without the versions of what drew it a picture of the same figures has the same bytes.
METADATA: Final[dict[str, Any]] = {"Software": None}
Values = NDArray[np.float64]


def draw(types: Sequence[Judged], folder: Path) -> list[Path]:
    """Write the pictures into a folder and name them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        drawn = [(ROC_FILE, _roc(types))] if any(roc(judged) for judged in types) else []
        drawn += [(f"confidence-{judged.crime}.png", _over_time(judged)) for judged in types]
        for name, figure in drawn:
            figure.savefig(folder / name, dpi=DOTS_PER_INCH, metadata=METADATA)
    return [folder / name for name, _ in drawn]


def _roc(types: Sequence[Judged]) -> Figure:
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="by chance: AUC 0.500")
    for judged, colour in zip(types, COLOURS, strict=False):
        curve = roc(judged)
        if curve is None:
            continue
        said = f"{judged.crime}: AUC {figures.auc(judged.truth, judged.scores):.3f}"
        axes.plot(*curve, color=colour, linewidth=2, label=said)
        alarm = [judged.seen[~judged.truth].mean()], [judged.seen[judged.truth].mean()]
        axes.plot(*alarm, "o", color=colour, markersize=8, markeredgecolor="white")
    axes.plot([], [], "o", color="0.4", label="at the alert threshold")
    axes.set(
        xlabel="share of the other clips taken for it",
        ylabel="share of its clips seen",
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
        aspect="equal",
        title="Seen against wrongly seen",
    )
    axes.grid(color="0.92")
    axes.legend(loc="lower right", frameon=False)
    return figure


def _over_time(judged: Judged) -> Figure:
    ours = [v for v in judged.viewings if v.shows(judged.crime)]
    others = [v for v in judged.viewings if not v.shows(judged.crime)]
    longest = min(LONGEST_SECONDS, max(v.seconds - v.act[0] for v in ours))
    grid = np.arange(0.0, longest + STEP_SECONDS / 2, STEP_SECONDS)
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _bands(left, grid, judged, ours, YES, f"{len(ours)} clips showing it")
    if others:
        _bands(left, grid, judged, others, NO, f"{len(others)} other clips")
    left.axhline(judged.threshold, color="0.3", linestyle="--", linewidth=1)
    left.text(grid[-1], judged.threshold + 1, "alert threshold", ha="right", color="0.3")
    left.set(
        xlabel="seconds from where the act, or the clip, begins",
        ylabel="confidence",
        ylim=(0, 100),
        xlim=(0, grid[-1]),
        title=f"{judged.crime}: median and middle half of the clips",
    )
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    _map(figure, right, grid, judged, ours)
    return figure


def _bands(
    axes: Any, grid: Values, judged: Judged, viewings: Sequence[Viewing], colour: str, label: str
) -> None:
    rows = _rows(grid, judged, viewings)
    seen = ~np.isnan(rows).all(axis=0)  # no clip may be as long as the longest of the others
    low, middle, high = np.nanpercentile(rows[:, seen], (25, 50, 75), axis=0)
    axes.fill_between(grid[seen], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(grid[seen], middle, color=colour, linewidth=2, label=label)


def _map(
    figure: Figure, axes: Any, grid: Values, judged: Judged, viewings: Sequence[Viewing]
) -> None:
    ordered = sorted(viewings, key=lambda viewing: -viewing.score(judged.crime))
    shown = axes.imshow(
        _rows(grid, judged, ordered),
        aspect="auto",
        interpolation="nearest",
        cmap="cividis",
        vmin=0,
        vmax=100,
        extent=(0, grid[-1] + STEP_SECONDS, len(ordered), 0),
    )
    axes.set(
        xlabel="seconds from where the act, or the clip, begins",
        ylabel="clips, the surest first",
        title=f"{judged.crime}: each clip showing it",
    )
    figure.colorbar(shown, ax=axes, label="confidence (white: the clip is over)")


def _rows(grid: Values, judged: Judged, viewings: Sequence[Viewing]) -> Values:
    """The confidence (clips, times); nan where the clip is over."""
    rows = np.full((len(viewings), len(grid)), np.nan)
    for row, viewing in zip(rows, viewings, strict=True):
        began = viewing.act[0] if viewing.shows(judged.crime) else 0.0
        lasts = grid <= viewing.seconds - began
        row[lasts] = _held(viewing.curve(judged.crime), grid[lasts] + began)
    return rows


def _held(curve: Curve, times: Values) -> Values:
    return np.array(
        [
            max(
                (value for at, value in curve if time - HELD_SECONDS < at <= time + 1e-6), default=0
            )
            for time in times
        ],
        np.float64,
    )
