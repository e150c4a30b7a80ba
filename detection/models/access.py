"""Who may see which station's cameras, who did what, and who failed to log in."""

from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.models.cameras import Camera

ALL_STATIONS = "detection.see_all_stations"

_Row = TypeVar("_Row", bound=models.Model)


class StationAccess(models.Model):
    """The stations whose cameras a user sees. Without a row a user sees none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="station_access"
    )
    all_stations = models.BooleanField(
        default=False, help_text="Also the cameras that belong to no station."
    )
    stations = models.JSONField(default=list, blank=True, help_text="Numbers of police stations.")

    class Meta:
        verbose_name = "station rights"
        verbose_name_plural = "station rights"
        permissions = [("see_all_stations", "Can see the cameras of all stations")]

    def __str__(self) -> str:
        return gettext("all stations") if self.all_stations else ", ".join(map(str, self.stations))


def stations_of(user: AbstractBaseUser | AnonymousUser) -> list[int] | None:
    """The stations whose cameras this user sees; None for all, also those of no station."""
    if isinstance(user, PermissionsMixin) and user.has_perm(ALL_STATIONS):
        return None
    access: StationAccess | None = getattr(user, "station_access", None)
    if access is None:
        return []
    return None if access.all_stations else list(access.stations)


def seen_by(
    user: AbstractBaseUser | AnonymousUser, rows: models.QuerySet[_Row]
) -> models.QuerySet[_Row]:
    """Those of the rows that are about cameras of the user's stations.

    Raises:
        LookupError: the rows are about no camera; whoever shows them must decide otherwise.
    """
    path = camera_path(rows.model)
    if path is None:
        raise LookupError(f"{rows.model.__name__} belongs to no camera")
    stations = stations_of(user)
    if stations is None:
        return rows
    return rows.filter(**{f"{path}station_id__in": stations})


def camera_path(model: type[models.Model]) -> str | None:
    """How a query gets from a row to its camera, as `episode__camera__`; None where it cannot."""
    if model is Camera:
        return ""
    for name in ("camera", "episode", "file"):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        related = field.related_model if field.concrete else None  # a user’s reviews are no camera
        if isinstance(related, type) and (rest := camera_path(related)) is not None:
            return f"{name}__{rest}"
    return None


class AuditAction(models.TextChoices):
    """What is kept of who did what."""

    LOGIN = "login", _("Logged in")
    LOGOUT = "logout", _("Logged out")
    LOGIN_FAILED = "login_failed", _("Failed to log in")
    LOCKED_OUT = "locked_out", _("Was locked out")
    UNLOCKED = "unlocked", _("Unlocked logins")
    SNAPSHOT_VIEWED = "snapshot_viewed", _("Saw the picture")
    EVIDENCE_VIEWED = "evidence_viewed", _("Saw evidence")
    EVIDENCE_EXPORTED = "evidence_exported", _("Took a bundle of evidence")
    EVIDENCE_LINKED = "evidence_linked", _("Made a link to evidence")
    EVIDENCE_REFUSED = "evidence_refused", _("Was refused evidence")
    EPISODE_VIEWED = "episode_viewed", _("Opened the episode")
    LIVE_VIEWED = "live_viewed", _("Watched live")
    REVIEWED = "reviewed", _("Reviewed")
    ESCALATED = "escalated", _("Escalated")
    DEESCALATED = "deescalated", _("Took the escalation back")
    HELD = "held", _("Put on hold")
    RELEASED = "released", _("Ended the hold")
    NOTED = "noted", _("Noted")
    UNDONE = "undone", _("Undid")
    RESENT = "resent", _("Sent again")
    SIREN_TESTED = "siren_tested", _("Tested the siren")
    SIREN_SILENCED = "siren_silenced", _("Silenced the siren")
    SIREN_REARMED = "siren_rearmed", _("Re-armed the siren")
    ARMED = "armed", _("Armed")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")


class AuditRecord(models.Model):
    """One act of a person. Written once, changed by nobody, pruned by age."""

    at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    username = models.CharField(max_length=150, blank=True, help_text="Kept when the user is gone.")
    action = models.CharField(max_length=32, choices=AuditAction.choices)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["username", "action", "-at"], name="acts_of_a_user"),
            models.Index(fields=["object_type", "object_id", "-at"], name="acts_on_an_object"),
        ]

    def __str__(self) -> str:
        return f"{self.username or 'nobody'}: {self.get_action_display().lower()} {self.label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("an audit record is written once")
        super().save(*args, **kwargs)


class LoginAttempt(models.Model):
    """An attempt to log in that has not succeeded; forgotten when its window is over."""

    at = models.DateTimeField(db_index=True)
    username = models.CharField(max_length=150)
    network = models.CharField(max_length=64, blank=True, help_text="An address, or an IPv6 /64.")

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["username", "at"], name="attempts_on_a_user"),
            models.Index(fields=["network", "at"], name="attempts_from_a_network"),
        ]

    def __str__(self) -> str:
        return f"{self.username} from {self.network}"
