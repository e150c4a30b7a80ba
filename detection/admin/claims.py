"""Who holds which camera, for reading only: leases are taken and given back by the workers."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from detection.admin.base import ReadOnlyAdmin
from detection.admin.camera_form import without_credentials
from detection.admin.presentation import NOTHING, Tone, elapsed, label, link, moment
from detection.admin.watch_health import is_live
from detection.models import Claim


class LiveFilter(admin.SimpleListFilter):
    """Leases that run, and those that have run out or were given back."""

    title = "lease"
    parameter_name = "lease"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("live", "Live"), ("over", "Run out or given back")]

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
    empty_title = "No camera has been claimed"
    empty_text = (
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
            "Lease",
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
            "Frames since the camera was first claimed",
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
        return without_credentials(super().get_queryset(request).select_related("camera"), "camera")

    @admin.display(description="camera", ordering="camera__name")
    def camera_name(self, claim: Claim) -> str:
        return claim.camera.name

    @admin.display(description="camera")
    def camera_link(self, claim: Claim) -> str:
        return link("detection_camera", claim.camera_id, claim.camera.name)

    @admin.display(description="lease", ordering="expires_at")
    def lease(self, claim: Claim) -> SafeString:
        now = timezone.now()
        if is_live(claim, now):
            return label("Live", Tone.GOOD)
        if claim.expires_at is None:
            return label("Given back" if claim.token else "Never taken", Tone.NEUTRAL)
        return label("Expired", Tone.WARNING, f"ran out {elapsed(now - claim.expires_at)} ago")

    @admin.display(description="watched by", ordering="instance")
    def watcher(self, claim: Claim) -> str:
        return watcher_text(claim)

    @admin.display(description="held for")
    def held_for(self, claim: Claim) -> str:
        """Who alone may take it over until its registry lists it as free."""
        return claim.holder or NOTHING

    @admin.display(description="last frame", ordering="last_frame_at")
    def last_frame(self, claim: Claim) -> str:
        if claim.last_frame_at is None:
            return NOTHING
        return f"{elapsed(timezone.now() - claim.last_frame_at)} ago"

    @admin.display(description="frames/s", ordering="frames_per_second")
    def frames_each_second(self, claim: Claim) -> str:
        return claim_rates(claim)

    @admin.display(description="claimed", ordering="claimed_at")
    def claimed(self, claim: Claim) -> str:
        return moment(claim.claimed_at)

    @admin.display(description="runs out")
    def expires(self, claim: Claim) -> str:
        return moment(claim.expires_at)

    @admin.display(description="a watcher was last asked")
    def rung(self, claim: Claim) -> str:
        return moment(claim.rung_at)


def claim_rates(claim: Claim) -> str:
    """Decoded above analysed frames in a second; the latter beside what was wanted."""
    analysed = f"analysed {claim.analysed_per_second:.1f} of {claim.wanted_per_second:.1f}"
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
