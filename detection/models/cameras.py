"""Cameras as their registry lists them, and the zones drawn on their pictures."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detection.domain.geometry import PolygonError
from detection.domain.schedules import Profile
from detection.domain.zones import Zone as DomainZone
from detection.domain.zones import ZoneKind
from detection.fields import EncryptedNameField, EncryptedTextField
from detection.models.choices import choices_of
from detection.models.setup import Schedule


class CameraState(models.TextChoices):
    """The life cycle of one camera, as `camera-lifecycle` draws it."""

    IDLE = "idle", _("Idle")
    STARTING = "starting", _("Starting")
    RUNNING = "running", _("Running")
    STOPPING = "stopping", _("Stopping")
    ERROR = "error", _("Error")


class Camera(models.Model):
    """A camera, as its registry lists it and as an operator has set it up."""

    registry = models.CharField(max_length=32, default="local")
    external_id = models.BigIntegerField(help_text="Its number at the registry.")
    name = models.CharField(max_length=200)
    enabled = models.BooleanField(default=True, help_text="Watch this camera.")
    stream_url = EncryptedTextField(blank=True)
    address = models.CharField(max_length=255, blank=True, help_text="On the cameras' network.")
    public_address = models.CharField(max_length=255, blank=True)
    control_address = models.CharField(
        max_length=255,
        blank=True,
        help_text="Where its siren is reached, host or host:port; empty: its address.",
    )
    username = EncryptedNameField(blank=True)
    password = EncryptedTextField(blank=True)
    control_password = EncryptedTextField(
        blank=True, help_text="Tapo account password, where it differs from the camera account's."
    )
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    station_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    storage_type = models.CharField(max_length=32, blank=True)
    listed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the registry last showed it as free."
    )

    state = models.CharField(
        max_length=16, choices=CameraState.choices, default=CameraState.IDLE, db_index=True
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is in this state.")
    state_changed_at = models.DateTimeField(default=timezone.now)
    rule_settings = models.JSONField(
        default=dict, blank=True, help_text="What the rules do otherwise here than at the site."
    )
    schedule = models.ForeignKey(
        Schedule,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Empty: the site's.",
    )
    profile = models.CharField(
        max_length=16,
        choices=choices_of(Profile),
        blank=True,
        help_text="In force until it is emptied again; empty: what the schedule says.",
    )
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not tried again before this.")
    removed_at = models.DateTimeField(
        null=True,
        blank=True,
        db_index=True,
        help_text="Since then it is not shown or watched; its episodes are kept.",
    )

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "external_id"], name="one_camera_per_listing"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def control_host(self) -> str:
        """Where pytapo finds it: the operator's word before the registry's."""
        return self.control_address or self.address


class Zone(models.Model):
    """A polygon or line on a camera's picture and what it means."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="zones")
    name = models.CharField(max_length=100)
    kind = models.CharField(
        max_length=32, choices=choices_of(ZoneKind), default=ZoneKind.RESTRICTED.value
    )
    polygon = models.JSONField(
        help_text="Corners as [[x, y], …], each from 0 to 1 of the picture's width and height."
    )
    rule_settings = models.JSONField(
        default=dict, blank=True, help_text="What the rules do otherwise here than at the camera."
    )
    schedule = models.ForeignKey(
        Schedule,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Empty: the camera's.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["camera", "name"]
        constraints = [models.UniqueConstraint(fields=["camera", "name"], name="one_zone_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.camera})"

    def clean(self) -> None:
        try:
            self.to_domain()
        except PolygonError as error:
            raise ValidationError({"polygon": str(error)}) from error
        except (TypeError, ValueError) as error:
            raise ValidationError(
                {"polygon": "give corners as [[x, y], [x, y], [x, y]]"}
            ) from error

    def to_domain(self) -> DomainZone:
        """The zone as rules take it. Raises PolygonError for a shape that was never cleaned."""
        return DomainZone.of(self.name, ZoneKind(self.kind), self.polygon, self.rule_settings)
