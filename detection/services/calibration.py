"""Alert thresholds that officers' verdicts suggest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from detection.calibration.budget import Rung, ladder, within_budget
from detection.calibration.curves import Judged, fit, missing, missing_for_curve, shares
from detection.domain.crimes import CrimeType
from detection.models import Camera, Episode, ThresholdSuggestion, Verdict
from detection.rules.settings import Settings
from detection.services import setups
from detection.services.verdicts import Verdicts

BUDGET_PER_DAY = 2.0
WINDOW_DAYS = 90.0
MOST_LOST = 0.1  # of a type's confirmed episodes: no budget is worth more


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a suggestion rests on; `is_pooled` where the verdicts are of all cameras."""

    judged: Sequence[Judged]
    days: float
    is_pooled: bool
    rungs: Sequence[Rung]


def calibrate(
    *,
    at: datetime,
    budget: float = BUDGET_PER_DAY,
    camera_ids: Sequence[int] | None = None,
    window_days: float = WINDOW_DAYS,
) -> list[ThresholdSuggestion]:
    """Suggest thresholds for cameras with verdicts, in place of what was suggested and not applied.

    Where all verdicts were undone since, nothing takes its place.

    `budget` is how many dismissed episodes a day a camera may have, of all crime types together.
    """
    verdicts = Verdicts(at - timedelta(days=window_days), at)
    made: list[ThresholdSuggestion] = []
    waiting = ThresholdSuggestion.objects.filter(applied_at=None).values("camera_id")
    either = Q(pk__in=verdicts.camera_ids) | Q(pk__in=waiting)
    for camera in Camera.objects.filter(either).order_by("name", "pk"):
        if camera_ids is None or camera.pk in camera_ids:
            made += _replace(camera, _suggest(camera, verdicts, budget, at))
    return made


@transaction.atomic
def _replace(camera: Camera, rows: list[ThresholdSuggestion]) -> list[ThresholdSuggestion]:
    Camera.objects.select_for_update(of=("self",)).get(pk=camera.pk)  # two may calculate at once
    ThresholdSuggestion.objects.filter(camera=camera, applied_at=None).delete()
    for row in rows:
        row.save()
    return rows


def _suggest(
    camera: Camera, verdicts: Verdicts, budget: float, at: datetime
) -> list[ThresholdSuggestion]:
    settings = setups.examine(camera.pk).setup.settings
    grounds = {
        crime_type: _ground(crime_type, camera, verdicts, settings)
        for crime_type in CrimeType
        if verdicts.of(crime_type, camera.pk)
    }
    chosen = within_budget({crime: ground.rungs for crime, ground in grounds.items()}, budget)
    note = _shortfall(chosen, budget)
    return [
        ThresholdSuggestion(
            camera=camera,
            made_at=at,
            budget=budget,
            **_figures(crime_type, ground, chosen[crime_type].threshold, note),
            unreviewed=verdicts.waiting(crime_type, camera.pk),
            effect=_effect(verdicts.of(crime_type, camera.pk), ground.rungs[0], chosen[crime_type]),
        )
        for crime_type, ground in grounds.items()
    ]


def _ground(
    crime_type: CrimeType, camera: Camera, verdicts: Verdicts, settings: Settings
) -> _Ground:
    """The camera's own verdicts, or those of all cameras where these are enough and its are not."""
    own = _judged(verdicts.of(crime_type, camera.pk))
    everybodys = _judged(verdicts.everywhere(crime_type))
    is_pooled = bool(missing(own)) and not missing(everybodys)
    judged = everybodys if is_pooled else own
    days = verdicts.days_watched(verdicts.camera_ids if is_pooled else [camera.pk])
    pair = settings.thresholds_of(crime_type)
    rungs = ladder(judged, days=days, today=pair.alert, crime=pair.crime, most_lost=MOST_LOST)
    # With too few verdicts nothing is suggested, but what is dismissed counts for the budget.
    return _Ground(judged, days, is_pooled, rungs[:1] if missing(judged) else rungs)


def _judged(episodes: Sequence[Episode]) -> list[Judged]:
    return [Judged(e.confidence, e.verdict == Verdict.CONFIRMED) for e in episodes]


def _shortfall(chosen: Mapping[CrimeType, Rung], budget: float) -> str:
    dismissed = sum(rung.dismissed_per_day for rung in chosen.values())
    if dismissed <= budget:
        return ""
    return (
        f"the budget of {budget:g} a day cannot be kept: {dismissed:.1f} a day would remain, with "
        "thresholds below those of a crime and "
        f"{100 * MOST_LOST:.0f} % of the confirmed lost at most"
    )


def _figures(
    crime_type: CrimeType, ground: _Ground, threshold: float, shortfall: str
) -> dict[str, Any]:
    """What a suggestion says of its ground."""
    lacking, curve = missing(ground.judged), fit(ground.judged)
    lacking_curve = missing_for_curve(ground.judged)
    falls = curve is not None and len(curve.points) > 1 and not curve.is_rising
    notes = [
        f"too few verdicts: {lacking} needed, here or at all cameras" if lacking else shortfall,
        f"no curve: {lacking_curve} needed" if lacking_curve and not lacking else "",
        "a higher confidence was not right more often: here it does not tell crimes apart"
        if falls
        else "",
    ]
    drawn = {"method": curve.method, "points": curve.points} if curve else {}
    confirmed = sum(one.is_crime for one in ground.judged)
    return {
        "crime_type": crime_type.value,
        "days_watched": ground.days,
        "is_pooled": ground.is_pooled,
        "confirmed": confirmed,
        "dismissed": len(ground.judged) - confirmed,
        "today": ground.rungs[0].threshold,
        "suggested": None if lacking else threshold,
        "note": "; ".join(note for note in notes if note),
        "curve": drawn | {"shares": [asdict(share) for share in shares(ground.judged)]},
    }


def _effect(own: Sequence[Episode], today: Rung, then: Rung) -> dict[str, Any]:
    """What the threshold would have changed: this camera's episodes whose peak stays below it."""
    reached = [episode for episode in own if episode.confidence >= today.threshold]
    gone = [episode for episode in reached if episode.confidence < then.threshold]
    return {
        "dismissed": sum(episode.verdict == Verdict.DISMISSED for episode in reached),
        "dismissed_gone": sum(episode.verdict == Verdict.DISMISSED for episode in gone),
        "confirmed": sum(episode.verdict == Verdict.CONFIRMED for episode in reached),
        "confirmed_lost": [str(e.pk) for e in gone if e.verdict == Verdict.CONFIRMED],
        "per_day_today": round(today.dismissed_per_day, 3),
        "per_day_then": round(then.dismissed_per_day, 3),
    }
