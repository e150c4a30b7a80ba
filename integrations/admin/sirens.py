"""Sirens: which may be sounding, why one does not, and a button that tries one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin, signed_in
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, link, moment, page_of, plain
from detection.admin.telling import told
from detection.models import Camera
from integrations.admin.episode_siren import MAY_SILENCE
from integrations.admin.episode_siren import urls as episode_urls
from integrations.admin.siren_states import siren_label
from integrations.models import Siren
from integrations.services.siren_silencing import CannotSilence, silence_by_hand
from integrations.services.siren_trial import CannotTest, try_siren

MAY_TEST = "integrations.test_siren"


class SoundingFilter(admin.SimpleListFilter):
    """Sirens that may be sounding, and those known to be silent."""

    title = _("siren")
    parameter_name = "siren"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("sounding", _("May be sounding")), ("silent", _("Silent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Siren]) -> QuerySet[Siren]:
        if self.value() in {"sounding", "silent"}:
            return queryset.filter(silent_at__isnull=self.value() == "sounding")
        return queryset


@admin.register(Siren)
class SirenAdmin(ReadOnlyAdmin[Siren]):
    empty_title = _("No siren has been used")
    empty_text = _(
        "A siren appears when its camera is first watched or first raises an alarm. Sirens are "
        "sounded by the `alarms` worker while SIREN_ENABLED is on."
    )
    list_display = (
        "camera_name",
        "state",
        "rung",
        "wanted",
        "method",
        "attempts",
        "error",
    )
    list_filter = (SoundingFilter, "method")
    search_fields = ("camera__name", "last_error")
    fields = (
        "camera_link",
        "state",
        "episode_link",
        ("rung", "sounded"),
        ("wanted", "silent"),
        ("method", "attempts"),
        ("next_attempt", "logins_closed"),
        "error",
    )

    # --- testing and silencing ------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(self.test)
        silence = self.admin_site.admin_view(self.silence)
        return [
            path("camera/<int:camera_id>/test/", test, name="integrations_siren_test"),
            path("camera/<int:camera_id>/silence/", silence, name="integrations_siren_silence"),
            *episode_urls(self.admin_site),
            *super().get_urls(),
        ]

    def test(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """Sound one siren for a moment, and return to where the button was."""
        return self._act(request, camera_id, MAY_TEST, _test)

    def silence(self, request: HttpRequest, camera_id: int) -> HttpResponse:
        """End whatever sounds at a camera, and return to where the button was."""
        return self._act(request, camera_id, MAY_SILENCE, _silence)

    def _act(
        self,
        request: HttpRequest,
        camera_id: int,
        permission: str,
        act: Callable[[HttpRequest, Camera], tuple[str, int]],
    ) -> HttpResponse:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        # The cameras' own page says which of them this officer may see.
        cameras = self.admin_site.get_model_admin(Camera).get_queryset(request)
        camera = cameras.filter(pk=camera_id).first()
        if camera is None:
            raise Http404("no such camera")
        outcome, level = act(request, camera)
        self.message_user(
            request,
            gettext("Siren of %(camera)s: %(outcome)s")
            % {"camera": camera, "outcome": plain(outcome)},
            level,
        )
        if request.POST.get("back") == "sirens":
            return HttpResponseRedirect(reverse("admin:integrations_siren_changelist"))
        return HttpResponseRedirect(page_of("detection_camera", camera.pk))

    @admin.display(description=_("test"))
    def test_button(self, siren: Siren) -> str:
        return render_to_string(
            "admin/integrations/siren_test_button.html",
            {"camera_id": siren.camera_id, "back": "sirens"},
        )

    @admin.display(description=_("silence"))
    def silence_button(self, siren: Siren) -> str:
        return render_to_string(
            "admin/integrations/siren_silence_button.html",
            {"camera_id": siren.camera_id, "back": "sirens"},
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = tuple(map(str, super().get_list_display(request)))
        buttons = (("test_button", MAY_TEST), ("silence_button", MAY_SILENCE))
        return (*columns, *(name for name, needs in buttons if request.user.has_perm(needs)))

    # --- columns --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Siren]:
        return without_credentials(super().get_queryset(request).select_related("camera"), "camera")

    @admin.display(description=_("camera"), ordering="camera__name")
    def camera_name(self, siren: Siren) -> str:
        return siren.camera.name

    @admin.display(description=_("camera"))
    def camera_link(self, siren: Siren) -> str:
        return link("detection_camera", siren.camera_id, siren.camera.name)

    @admin.display(description=_("state"), ordering="silent_at")
    def state(self, siren: Siren) -> SafeString:
        return siren_label(siren, timezone.now())

    @admin.display(description=_("episode"))
    def episode_link(self, siren: Siren) -> str:
        if siren.episode_id is None:
            return NOTHING
        return link(
            "detection_episode", siren.episode_id, gettext("the episode it was last asked for")
        )

    @admin.display(description=_("asked for"), ordering="rung_at")
    def rung(self, siren: Siren) -> str:
        return moment(siren.rung_at)

    @admin.display(description=_("last sounded"))
    def sounded(self, siren: Siren) -> str:
        return moment(siren.sounded_at)

    @admin.display(description=_("wanted until"))
    def wanted(self, siren: Siren) -> str:
        return moment(siren.wanted_until)

    @admin.display(description=_("silent since"))
    def silent(self, siren: Siren) -> str:
        return moment(siren.silent_at)

    @admin.display(description=_("next attempt"))
    def next_attempt(self, siren: Siren) -> str:
        return moment(siren.next_attempt_at)

    @admin.display(description=_("nobody logs in before"))
    def logins_closed(self, siren: Siren) -> str:
        until = siren.logins_closed_until
        return moment(until) if until and until > timezone.now() else NOTHING

    @admin.display(description=_("last error"))
    def error(self, siren: Siren) -> str:
        text = plain(siren.last_error)
        return format_html('<span class="co-remark" title="{}"><bdi>{}</bdi></span>', text, text)


def _test(request: HttpRequest, camera: Camera) -> tuple[str, int]:
    try:
        return try_siren(camera=camera, user=signed_in(request), request=request), messages.INFO
    except CannotTest as reason:
        return gettext("Not tested: %(reason)s.") % {"reason": told(str(reason))}, messages.WARNING


def _silence(request: HttpRequest, camera: Camera) -> tuple[str, int]:
    try:
        outcome = silence_by_hand(camera=camera, user=signed_in(request), request=request)
    except CannotSilence as reason:
        return gettext("Not silenced: %(reason)s.") % {
            "reason": told(str(reason))
        }, messages.WARNING
    return outcome, messages.INFO
