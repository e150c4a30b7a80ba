"""Calibration: the alert thresholds that verdicts suggest, applied and undone by a click."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin, signed_in
from detection.admin.calibration_page import kind_of, page_context, state_label
from detection.admin.camera_filter import CameraFilter
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, Tone, label, link, moment, page_of
from detection.models import AuditAction, Camera, ThresholdSuggestion, seen_by
from detection.services.calibration import BUDGET_PER_DAY, calibrate
from detection.services.suggestions import NotPossible, apply_suggestion, undo_suggestion

Act = Callable[..., ThresholdSuggestion]


@admin.register(ThresholdSuggestion)
class ThresholdSuggestionAdmin(ReadOnlyAdmin[ThresholdSuggestion]):
    empty_title = _("Nothing is suggested yet")
    empty_text = _(
        "Thresholds are suggested out of officers' verdicts on episodes: review some, then "
        "calculate, here or with `manage.py calibrate`."
    )
    list_before_template = "admin/detection/thresholdsuggestion/calculate.html"
    list_display = (
        "kind",
        "camera_link",
        "now",
        "then",
        "dismissed_gone",
        "confirmed_lost",
        "state",
        "made",
    )
    list_display_links = ("kind",)
    list_filter = ("crime_type", CameraFilter)
    list_filter_submit = True  # the drop-down of cameras needs a button
    search_fields = ("camera__name",)
    fields = ("crime_type",)  # the page has a template of its own

    def get_queryset(self, request: HttpRequest) -> QuerySet[ThresholdSuggestion]:
        rows = super().get_queryset(request).select_related("camera", "applied_by")
        return without_credentials(rows, "camera")

    # --- the list -------------------------------------------------------------------------------

    @admin.display(description=_("suspicion"), ordering="crime_type")
    def kind(self, suggestion: ThresholdSuggestion) -> str:
        return kind_of(suggestion)

    @admin.display(description=_("camera"), ordering="camera__name")
    def camera_link(self, suggestion: ThresholdSuggestion) -> str:
        return link("detection_camera", suggestion.camera_id, suggestion.camera.name)

    @admin.display(description=_("today"), ordering="today")
    def now(self, suggestion: ThresholdSuggestion) -> str:
        return f"{suggestion.today:g} %"

    @admin.display(description=_("suggested"), ordering="suggested")
    def then(self, suggestion: ThresholdSuggestion) -> str:
        return NOTHING if suggestion.suggested is None else f"{suggestion.suggested:g} %"

    @admin.display(description=_("dismissed gone"))
    def dismissed_gone(self, suggestion: ThresholdSuggestion) -> str:
        effect = suggestion.effect
        return _share(effect["dismissed_gone"], effect["dismissed"])

    @admin.display(description=_("confirmed lost"))
    def confirmed_lost(self, suggestion: ThresholdSuggestion) -> str:
        effect = suggestion.effect
        said = _share(len(effect["confirmed_lost"]), effect["confirmed"])
        return label(said, Tone.BAD) if effect["confirmed_lost"] else said

    @admin.display(description=_("state"))
    def state(self, suggestion: ThresholdSuggestion) -> SafeString:
        return state_label(suggestion)

    @admin.display(description=_("calculated"), ordering="made_at")
    def made(self, suggestion: ThresholdSuggestion) -> str:
        return moment(suggestion.made_at)

    # --- one suggestion -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "detection_thresholdsuggestion"
        return [
            path("calculate/", wrap(self.calculate), name=f"{name}_calculate"),
            path("<int:suggestion_id>/apply/", wrap(self.apply), name=f"{name}_apply"),
            path("<int:suggestion_id>/undo/", wrap(self.undo), name=f"{name}_undo"),
            *super().get_urls(),
        ]

    def has_apply_permission(self, request: HttpRequest) -> bool:
        """A threshold is a part of how a camera is set up."""
        return bool(request.user.has_perm("detection.change_camera"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "may_calculate": self.has_apply_permission(request)}
        )

    def calculate(self, request: HttpRequest) -> HttpResponse:
        """Suggest anew for the cameras that the user sees."""
        if refusal := self._refused(request):
            return refusal
        budget = _number(request.POST.get("budget", str(BUDGET_PER_DAY)))
        if budget is None:
            messages.error(
                request, _("Give how many false alarms a day a camera may have: 0 or more.")
            )
        else:
            ids = list(seen_by(request.user, Camera.objects.all()).values_list("pk", flat=True))
            made = calibrate(at=timezone.now(), budget=budget, camera_ids=ids)
            messages.success(request, _calculated(made))
        return HttpResponseRedirect(reverse("admin:detection_thresholdsuggestion_changelist"))

    def apply(self, request: HttpRequest, suggestion_id: int) -> HttpResponse:
        return self._act(request, suggestion_id, apply_suggestion, _("Applied"))

    def undo(self, request: HttpRequest, suggestion_id: int) -> HttpResponse:
        return self._act(request, suggestion_id, undo_suggestion, _("Undone"))

    def _act(self, request: HttpRequest, suggestion_id: int, act: Act, done: Any) -> HttpResponse:
        if refusal := self._refused(request):
            return refusal
        if not self.get_queryset(request).filter(pk=suggestion_id).exists():
            raise Http404("no such suggestion")
        try:
            with transaction.atomic():
                suggestion = act(
                    suggestion_id=suggestion_id, by=signed_in(request), request=request
                )
                said = format_lazy(
                    "{done}: {before:g} → {after:g} %.",
                    done=done,
                    before=suggestion.today,
                    after=suggestion.suggested,
                )
                self.log_act(request, AuditAction.CHANGED, suggestion, said)
        except NotPossible as error:
            messages.error(request, gettext("Nothing was changed: %(why)s.") % {"why": error})
        else:
            messages.success(request, said)
        return HttpResponseRedirect(page_of("detection_thresholdsuggestion", suggestion_id))

    def _refused(self, request: HttpRequest) -> HttpResponse | None:
        if not self.has_apply_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        suggestion: ThresholdSuggestion = context["original"]
        context |= page_context(suggestion, request.user)
        context["may_apply"] = self.has_apply_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)


def _calculated(made: list[ThresholdSuggestion]) -> str:
    if not made:
        return gettext(
            "No episode of the last 90 days has a verdict: there is nothing to calculate."
        )
    changes = sum(suggestion.is_change for suggestion in made)
    text = gettext("Calculated: %(changes)d of %(all)d thresholds would change.")
    return text % {"changes": changes, "all": len(made)}


def _share(count: int, of_all: int) -> str:
    return gettext("%(count)d of %(all)d") % {"count": count, "all": of_all}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and 0 <= number <= 1000 else None
