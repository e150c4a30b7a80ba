"""How a site is watched: settings of the rules, weekly schedules, and what is in force now."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

from detection.domain.schedules import Profile, ScheduleError
from detection.domain.schedules import Schedule as DomainSchedule
from detection.models.choices import choices_of


class Schedule(models.Model):
    """A week of profiles, in lines that a person can write."""

    name = models.CharField(max_length=100, unique=True)
    lines = models.TextField(
        default="mon-fri 07:00-19:00 day\nmon-fri 19:00-07:00 night\nsat 07:00-24:00 closed\n"
        "sun 00:00-24:00 closed\nmon 00:00-07:00 closed",
        help_text="A line each, like “mon-fri 07:00-19:00 day”; the whole week, without a gap.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            DomainSchedule.read(self.lines)
        except ScheduleError as error:
            raise ValidationError({"lines": str(error)}) from error


class Site(models.Model):
    """What holds for all cameras that do not say otherwise: one row."""

    rule_settings = models.JSONField(default=dict, blank=True)
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.PROTECT)
    profile = models.CharField(
        max_length=16,
        choices=choices_of(Profile),
        blank=True,
        help_text="In force until it is emptied again; empty: what the schedule says.",
    )

    class Meta:
        verbose_name_plural = "site"
        permissions = [
            ("watch_jobs", "Can watch the workers' jobs (Flower)"),
            ("steer_jobs", "Can steer the workers (Flower): shut down, revoke, limit"),
        ]
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_site")]

    def __str__(self) -> str:
        return gettext("Site")
