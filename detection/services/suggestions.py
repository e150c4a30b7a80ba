"""A suggested threshold, applied to its camera and taken back."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.domain.crimes import CrimeType
from detection.models import Camera, ThresholdSuggestion
from detection.rules.settings import THRESHOLDS, SettingsError
from detection.services import setups
from detection.services.rule_settings import set_threshold


class NotPossible(Exception):
    """The suggestion cannot be applied or undone now; the message says why."""


@transaction.atomic
def apply_suggestion(
    *, suggestion_id: int, by: AbstractBaseUser, request: HttpRequest | None = None
) -> ThresholdSuggestion:
    """Make the suggested threshold the camera's own. Raises NotPossible."""
    suggestion, camera = _locked(suggestion_id)
    if suggestion.applied_at is not None:
        raise NotPossible(_("it was applied before"))
    if not suggestion.is_change:
        raise NotPossible(_("it suggests no other threshold than today's"))
    in_force = threshold_in_force(suggestion)
    if in_force != suggestion.today:
        raise NotPossible(
            _("the threshold was changed to %(now)s since this was calculated; calculate anew")
            % {"now": f"{in_force:g}"}
        )
    suggestion.own_before = _set(suggestion, camera, suggestion.suggested, by, request)
    suggestion.applied_at, suggestion.applied_by_id = timezone.now(), by.pk
    suggestion.save(update_fields=["own_before", "applied_at", "applied_by"])
    return suggestion


@transaction.atomic
def undo_suggestion(
    *, suggestion_id: int, by: AbstractBaseUser, request: HttpRequest | None = None
) -> ThresholdSuggestion:
    """Give the camera what it had before. Raises NotPossible where somebody changed it since."""
    suggestion, camera = _locked(suggestion_id)
    if not suggestion.is_applied:
        raise NotPossible(_("it is not applied"))
    own = camera.rule_settings.get(THRESHOLDS, {}).get(suggestion.crime_type, {}).get("alert")
    if own != suggestion.suggested:
        now = _("the inherited one") if own is None else f"{own:g}"
        raise NotPossible(
            _("the camera's threshold was changed since, to %(now)s; set it by hand") % {"now": now}
        )
    _set(suggestion, camera, suggestion.own_before, by, request)
    suggestion.undone_at = timezone.now()
    suggestion.save(update_fields=["undone_at"])
    return suggestion


def threshold_in_force(suggestion: ThresholdSuggestion) -> float:
    """The alert threshold that its camera is watched with now."""
    settings = setups.examine(suggestion.camera_id).setup.settings
    return settings.thresholds_of(CrimeType(suggestion.crime_type)).alert


def _locked(suggestion_id: int) -> tuple[ThresholdSuggestion, Camera]:
    """The camera first, as `calibrate` does."""
    rows = ThresholdSuggestion.objects.filter(pk=suggestion_id)
    try:
        camera = Camera.objects.select_for_update(of=("self",)).get(pk__in=rows.values("camera_id"))
        return rows.select_for_update(of=("self",)).get(), camera
    except (Camera.DoesNotExist, ThresholdSuggestion.DoesNotExist):
        raise NotPossible(_("a newer calculation has taken its place")) from None


def _set(
    suggestion: ThresholdSuggestion,
    camera: Camera,
    alert: float | None,
    by: AbstractBaseUser,
    request: HttpRequest | None,
) -> float | None:
    try:
        return set_threshold(
            camera=camera,
            crime_type=CrimeType(suggestion.crime_type),
            alert=alert,
            by=by,
            request=request,
        )
    except SettingsError as error:
        raise NotPossible(
            _("the settings of the camera do not take it: %(why)s") % {"why": error}
        ) from None
