"""Who holds which camera, for reading only: leases are taken and given back by the workers."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, Tone, ago, label, link, moment
from detection.admin.watch_health import is_live
from detection.models import Claim


class LiveFilter(admin.SimpleListFilter):
    """Leases that run, and those that have run out or were given back."""

    title = _("lease")
    parameter_name = "lease"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("live", _("Live")), ("over", _("Run out or given back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Claim]) -> QuerySet[Claim]:
        live = Q(expires_at__gt=timezone.now())
        match self.value():
            case "live":
                return queryset.filter(live)
            case "over":
                return queryset.exclude(live)
        return queryset


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin[Claim]):
    empty_title = _("No camera has been claimed")
    empty_text = _(
        "A claim appears when a worker takes a camera. Start one with "
        "`celery -A crimeops worker -Q streams,gpu`."
    )
    list_display = (
        "camera_name",
        "lease",
        "token",
        "watcher",
        "last_frame",
        "frames_each_second",
        "frames_decoded",
        "frames_analysed",
        "frames_skipped",
    )
    list_filter = (LiveFilter, "instance")
    search_fields = ("camera__name", "instance", "worker")
    fieldsets = (
        (
            _("Lease"),
            {
                "fields": (
                    "camera_link",
                    "lease",
                    "token",
                    "watcher",
                    "held_for",
                    "claimed",
                    "expires",
                    "rung",
                )
            },
        ),
        (
            _("Frames since the camera was first claimed"),
            {
                "fields": (
                    "last_frame",
                    "frames_each_second",
                    "frames_decoded",
                    "frames_sampled",
                    "frames_analysed",
                    "frames_skipped",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        claims = super().get_queryset(request).filter(camera__removed_at=None)
        return without_credentials(claims.select_related("camera"), "camera")

    @admin.display(description=_("camera"), ordering="camera__name")
    def camera_name(self, claim: Claim) -> str:
        return claim.camera.name

    @admin.display(description=_("camera"))
    def camera_link(self, claim: Claim) -> str:
        return link("detection_camera", claim.camera_id, claim.camera.name)

    @admin.display(description=_("lease"), ordering="expires_at")
    def lease(self, claim: Claim) -> SafeString:
        now = timezone.now()
        if is_live(claim, now):
            return label(_("Live"), Tone.GOOD)
        if claim.expires_at is None:
            return label(_("Given back") if claim.token else _("Never taken"), Tone.NEUTRAL)
        return label(
            _("Expired"),
            Tone.WARNING,
            gettext("ran out %(when)s") % {"when": ago(now - claim.expires_at)},
        )

    @admin.display(description=_("watched by"), ordering="instance")
    def watcher(self, claim: Claim) -> str:
        return watcher_text(claim)

    @admin.display(description=_("held for"))
    def held_for(self, claim: Claim) -> str:
        """Who alone may take it over until its registry lists it as free."""
        return claim.holder or NOTHING

    @admin.display(description=_("last frame"), ordering="last_frame_at")
    def last_frame(self, claim: Claim) -> str:
        if claim.last_frame_at is None:
            return NOTHING
        return ago(timezone.now() - claim.last_frame_at)

    @admin.display(description=_("frames/s"), ordering="frames_per_second")
    def frames_each_second(self, claim: Claim) -> str:
        return claim_rates(claim)

    @admin.display(description=_("claimed"), ordering="claimed_at")
    def claimed(self, claim: Claim) -> str:
        return moment(claim.claimed_at)

    @admin.display(description=_("runs out"))
    def expires(self, claim: Claim) -> str:
        return moment(claim.expires_at)

    @admin.display(description=_("a watcher was last asked"))
    def rung(self, claim: Claim) -> str:
        return moment(claim.rung_at)


def claim_rates(claim: Claim) -> str:
    """Decoded above analysed frames in a second; the latter beside what was wanted."""
    analysed = gettext("analysed %(analysed).1f of %(wanted).1f") % {
        "analysed": claim.analysed_per_second,
        "wanted": claim.wanted_per_second,
    }
    return format_html(
        '<span class="co-two-lines">{}<small>{}</small></span>',
        f"{claim.frames_per_second:.1f}",
        analysed,
    )


def watcher_text(claim: Claim) -> str:
    """Instance above worker, as the cluster names them."""
    if not claim.instance and not claim.worker:
        return NOTHING
    return format_html(
        '<span class="co-two-lines">{}<small>{}</small></span>', claim.instance, claim.worker
    )
