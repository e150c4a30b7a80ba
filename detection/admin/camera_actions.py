"""What is done to many cameras at once, from their list: watched or not, armed, removed."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from detection.admin.arming import said_of
from detection.admin.camera_page import WithCameraPage
from detection.domain.schedules import Profile
from detection.models import AuditAction, Camera
from detection.services.arming import arm_cameras


class WithCameraActions(WithCameraPage):
    """The actions of the list; removing asks first, as a camera's page does."""

    @admin.action(description=_("Watch: enable, and try again now"), permissions=["change"])
    def enable(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._set_enabled(request, cameras, True)

    @admin.action(description=_("Stop watching: disable"), permissions=["change"])
    def disable(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._set_enabled(request, cameras, False)

    @transaction.atomic
    def _set_enabled(self, request: HttpRequest, cameras: QuerySet[Camera], enabled: bool) -> None:
        chosen = list(cameras)
        rows = Camera.objects.filter(pk__in=[camera.pk for camera in chosen], removed_at=None)
        rows.update(enabled=enabled, retry_at=None)
        for camera in chosen:
            self.log_change(request, camera, "Enabled." if enabled else "Disabled.")
        said = (
            ngettext(
                "%(count)d camera is watched again.",
                "%(count)d cameras are watched again.",
                len(chosen),
            )
            if enabled
            else ngettext(
                "%(count)d camera is disabled.", "%(count)d cameras are disabled.", len(chosen)
            )
        )
        self.message_user(request, said % {"count": len(chosen)}, messages.SUCCESS)

    @admin.action(description=_("Arm as: day"), permissions=["change"])
    def arm_as_day(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.DAY)

    @admin.action(description=_("Arm as: night"), permissions=["change"])
    def arm_as_night(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.NIGHT)

    @admin.action(description=_("Arm as: closed"), permissions=["change"])
    def arm_as_closed(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, Profile.CLOSED)

    @admin.action(description=_("Arm as: by schedule"), permissions=["change"])
    def arm_by_schedule(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._arm(request, cameras, None)

    @transaction.atomic
    def _arm(
        self, request: HttpRequest, cameras: QuerySet[Camera], profile: Profile | None
    ) -> None:
        chosen = list(cameras)
        arm_cameras(camera_ids=[camera.pk for camera in chosen], profile=profile)
        for camera in chosen:
            self.log_act(request, AuditAction.ARMED, camera, said_of(profile))
        count = ngettext("%(count)d camera", "%(count)d cameras", len(chosen))
        said = f"{count % {'count': len(chosen)}}: {said_of(profile)}"
        self.message_user(request, said, messages.SUCCESS)

    @admin.action(description=_("Remove"), permissions=["remove"])
    def remove(self, request: HttpRequest, cameras: QuerySet[Camera]) -> HttpResponse | None:
        """Asks first; the same action with `sure` does it."""
        chosen = list(cameras.filter(removed_at=None))
        if not chosen:
            return None
        if request.POST.get("sure") == "yes":
            self.remove_chosen(request, chosen)
            return None
        return self.confirm_removal(request, chosen, request.get_full_path(), action="remove")
