"""How often a confidence was right, as a picture: what was judged, the curve, the thresholds.

Only shapes are in the SVG; words stand around it as HTML.
"""

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from detection.models import ThresholdSuggestion

WIDTH = 1000


@dataclass(frozen=True, slots=True)
class _Scale:
    """Confidences from left to right, beginning where there are any."""

    lowest: float

    def x(self, confidence: float) -> float:
        return round(WIDTH * (confidence - self.lowest) / (100 - self.lowest), 1)


def calibration_chart(suggestion: ThresholdSuggestion) -> str:
    """The chart with its words."""
    shares: list[dict[str, int]] = suggestion.curve.get("shares", [])
    points: list[list[float]] = suggestion.curve.get("points", [])
    thresholds = [("before" if suggestion.is_applied else "today", suggestion.today)]
    if suggestion.is_change and suggestion.suggested is not None:
        thresholds.append(("suggested", suggestion.suggested))
    begins = [share["begin"] for share in shares] + [value for _, value in thresholds]
    scale = _Scale(min(90, 10 * (min(begins) // 10)))
    context = {
        "suggestion": suggestion,
        "bars": [_bar(scale, share) for share in shares],
        "points": " ".join(f"{scale.x(x)},{100 * (1 - y):.1f}" for x, y in points),
        "thresholds": [_threshold(scale, name, value) for name, value in thresholds],
        "ends": [f"{scale.lowest + (100 - scale.lowest) * part:g} %" for part in (0, 0.5, 1)],
        "description": _describe(shares, points, thresholds),
    }
    return render_to_string("admin/detection/thresholdsuggestion/chart.html", context)


def _bar(scale: _Scale, share: dict[str, int]) -> dict[str, Any]:
    left, right = scale.x(share["begin"]), scale.x(share["end"])
    height = round(100 * share["crimes"] / share["episodes"], 1)
    return {"x": left, "width": round(right - left, 1), "y": 100 - height, "height": height}


def _threshold(scale: _Scale, name: str, value: float) -> dict[str, Any]:
    x = scale.x(value)
    return {"name": name, "value": value, "x": x, "percent": 100 * x / WIDTH}


def _describe(
    shares: list[dict[str, int]],
    points: list[list[float]],
    thresholds: list[tuple[str, float]],
) -> str:
    sentences = [
        _("From %(begin)s to %(end)s %%: %(crimes)s of %(episodes)s were crimes.") % share
        for share in shares
    ]
    if points:
        (x1, y1), (x2, y2) = points[0], points[-1]
        sentences.append(
            _(
                "The curve goes from %(y1).0f %% at a confidence of %(x1).0f %% "
                "to %(y2).0f %% at %(x2).0f %%."
            )
            % {"x1": x1, "y1": 100 * y1, "x2": x2, "y2": 100 * y2}
        )
    sentences += [
        _("The threshold %(name)s is %(value)s %%.") % {"name": _(name), "value": f"{value:g}"}
        for name, value in thresholds
    ]
    return " ".join(sentences)
