"""Learns from officers' verdicts: how often a confidence is right, and which alert thresholds keep
a budget of false alarms.

What is suggested is shown in the admin under “Calibration”, where it is applied and undone by a
click. Nothing is changed here.
"""

from argparse import ArgumentParser
from math import isfinite
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from detection.models import Camera, ThresholdSuggestion
from detection.services.calibration import BUDGET_PER_DAY, WINDOW_DAYS, calibrate
from detection.whole_file import write_json

BAD_INPUT = 2


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--budget",
            type=float,
            default=BUDGET_PER_DAY,
            help="dismissed episodes a day that a camera may have, of all types together",
        )
        parser.add_argument("--camera", type=int, help="only this camera, by its number here")
        parser.add_argument(
            "--days", type=float, default=WINDOW_DAYS, help="how far back verdicts count"
        )
        parser.add_argument("--json", dest="out", type=Path, help="write the result here as well")

    def handle(
        self, *_: Any, budget: float, camera: int | None, days: float, out: Path | None, **__: Any
    ) -> None:
        if not isfinite(budget) or budget < 0:
            raise CommandError(f"--budget: {budget:g} is no number of alarms", returncode=BAD_INPUT)
        if not 1 <= days <= 3650:
            raise CommandError("--days: give 1 to 3650", returncode=BAD_INPUT)
        if camera is not None and not Camera.objects.filter(pk=camera).exists():
            raise CommandError(f"there is no camera {camera}", returncode=BAD_INPUT)
        ids = None if camera is None else [camera]
        made = calibrate(at=timezone.now(), budget=budget, camera_ids=ids, window_days=days)
        if not made:
            self.stdout.write(f"No episode of the last {days:g} days has a verdict.")
        for suggestion in made:
            self.stdout.write(told(suggestion))
        if out is not None:
            _write(out, [_as_json(row) for row in made])


def told(suggestion: ThresholdSuggestion) -> str:
    """A suggestion in a few lines."""
    effect = suggestion.effect
    whose = "all cameras" if suggestion.is_pooled else "this camera"
    lines = [
        f"{suggestion.camera.name}  {suggestion.get_crime_type_display()}",
        f"    {suggestion.confirmed} confirmed, {suggestion.dismissed} dismissed at {whose} "
        f"in {suggestion.days_watched:.1f} camera-days; "
        f"{suggestion.unreviewed} here wait for a verdict",
    ]
    if points := suggestion.curve.get("points"):
        curve = ", ".join(dict.fromkeys(f"{x:.0f} % → {100 * y:.0f} %" for x, y in points))
        lines.append(f"    a crime by confidence ({suggestion.curve['method']}): {curve}")
    if suggestion.suggested is not None:
        arrow = f"→ {suggestion.suggested:g} %" if suggestion.is_change else "is kept"
        lost = effect["confirmed_lost"]
        lines.append(
            f"    alert threshold {suggestion.today:g} % {arrow}: {effect['dismissed_gone']} of "
            f"{effect['dismissed']} dismissed gone, {len(lost)} of {effect['confirmed']} confirmed "
            f"lost{': ' if lost else ''}{', '.join(lost)}"
        )
    if suggestion.note:
        lines.append(f"    {suggestion.note}")
    return "\n".join(lines)


def _as_json(suggestion: ThresholdSuggestion) -> dict[str, Any]:
    names = (
        "camera_id",
        "crime_type",
        "budget",
        "days_watched",
        "is_pooled",
        "confirmed",
        "dismissed",
        "unreviewed",
        "today",
        "suggested",
        "note",
        "curve",
        "effect",
    )
    return {name: getattr(suggestion, name) for name in names}


def _write(path: Path, result: Any) -> None:
    try:
        write_json(path, result)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}", returncode=BAD_INPUT) from error
