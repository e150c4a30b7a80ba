"""The site and its schedules: what holds for all cameras that do not say otherwise."""

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.timezone import get_default_timezone_name
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from detection.admin.arming import PROFILES, profile_label, said_of
from detection.admin.base import ModelAdmin, signed_in
from detection.admin.presentation import page_of
from detection.admin.settings_page import WithSettings, settings_cell
from detection.admin.telling import told
from detection.admin.week import drawn_week
from detection.models import AuditAction, Schedule, Site, stations_of
from detection.services.arming import arm_site, in_force, the_site

if TYPE_CHECKING:
    _ScheduleForm = forms.ModelForm[Schedule]
else:
    _ScheduleForm = forms.ModelForm  # cannot be subscripted at run time

_Row = TypeVar("_Row", bound=Model)


class OfAllStations(ModelAdmin[_Row]):
    """What concerns every camera is changed only by who sees every camera."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _sees_all(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _sees_all(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _sees_all(request)


def _sees_all(request: HttpRequest) -> bool:
    return stations_of(signed_in(request)) is None


@admin.register(Site)
class SiteAdmin(OfAllStations[Site], WithSettings[Site]):
    """One row: its list leads straight to it."""

    fields = ("now", "profile", "schedule", "settings_link")
    readonly_fields = ("now", "settings_link")
    change_form_outer_before_template = "admin/detection/site/arm.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Site | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        arm = self.admin_site.admin_view(self.arm)
        return [path("<int:key>/arm/", arm, name="detection_site_arm"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        site, _ = Site.objects.get_or_create(pk=1)
        return HttpResponseRedirect(page_of("detection_site", site.pk))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        may_arm = self.has_change_permission(request)
        context = {**(extra_context or {}), "profiles": PROFILES if may_arm else ()}
        return super().change_view(request, object_id, form_url, context)

    def arm(self, request: HttpRequest, key: int) -> HttpResponse:
        """Arm the whole site by one button."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        choice = request.POST.get("profile", "")
        if choice in PROFILES:
            site = arm_site(profile=PROFILES[choice])
            self.log_act(request, AuditAction.ARMED, site, said_of(PROFILES[choice]))
            self.message_user(request, said_of(PROFILES[choice]), messages.SUCCESS)
        return HttpResponseRedirect(page_of("detection_site", 1))

    @admin.display(description=_("in force now"))
    def now(self, site: Site) -> str:
        return profile_label(in_force(None, the_site(), timezone.now()))

    @admin.display(description=_("settings of the rules"))
    def settings_link(self, owner: Site) -> str:
        return settings_cell(owner)


LINES_TOLD = _(
    "Days are mon to sun, profiles day, night and closed, hours those of {zone} (TIME_ZONE). A "
    "rule is armed in the profiles that its settings name: all of them, but for break-ins "
    "night and closed."
)


class ScheduleForm(_ScheduleForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "lines" in self.fields:
            self.fields["lines"].widget.attrs.update({"rows": 8, "spellcheck": "false"})
            help_text = str(LINES_TOLD).format(zone=get_default_timezone_name())
            self.fields["lines"].help_text = f"{self.fields['lines'].help_text} {help_text}"

    def add_error(self, field: str | None, error: Any) -> None:
        """The model's words, which are English, in the reader's."""
        super().add_error(field, error)
        for name, errors in self.errors.items():
            self.errors[name] = self.error_class([told(str(text)) for text in errors])


@admin.register(Schedule)
class ScheduleAdmin(OfAllStations[Schedule]):
    empty_title = _("No schedule yet")
    empty_text = _(
        "Without a schedule every rule is armed at all hours. Add a week of day, night and closed "
        "hours, and choose it at the site or at a camera."
    )
    form = ScheduleForm
    list_display = ("name", "week", "users")
    fields = ("name", "lines", "week", "users")
    readonly_fields = ("week", "users")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        users = {"cameras": Count("camera", distinct=True), "sites": Count("site", distinct=True)}
        return super().get_queryset(request).annotate(**users)

    @admin.display(description=_("week"))
    def week(self, schedule: Schedule) -> str:
        return (
            drawn_week(schedule, timezone.now())
            if schedule.pk
            else gettext("drawn once it is saved")
        )

    @admin.display(description=_("used by"))
    def users(self, schedule: Schedule) -> str:
        if schedule.pk is None:
            return gettext("nobody")
        counts: Any = schedule
        parts = [gettext("the site")] if counts.sites else []
        cameras = ngettext("%(count)d camera", "%(count)d cameras", counts.cameras)
        parts += [cameras % {"count": counts.cameras}] if counts.cameras else []
        return gettext(" and ").join(parts) or gettext("nobody")
