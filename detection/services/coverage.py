"""Coverage: how long each camera was really watched, out of the time it should have been."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from detection.domain import coverage
from detection.domain.coverage import Span
from detection.models import Camera, Duty, HealthEvent, WatchedTime
from detection.services.claims import Lease
from detection.services.health import end_event

# Frames that are analysed within the stall time of each other are one stretch of watching.
STRETCH_GAP_SECONDS = 15.0
# Moments of the monotonic clock are dated anew each time, and not to the microsecond.
JITTER_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Coverage:
    """Seconds wanted and really watched, and the gaps between."""

    wanted_seconds: float
    watched_seconds: float
    gaps: list[Span]

    @property
    def percent(self) -> float | None:
        """None where the camera was not wanted at all."""
        return 100 * self.watched_seconds / self.wanted_seconds if self.wanted_seconds else None


@transaction.atomic
def follow_duties(*, at: datetime) -> None:
    """Note which cameras were enabled or disabled since the last look. Safe to run twice."""
    for camera_id in (
        Camera.objects.filter(enabled=True)
        .exclude(pk__in=Duty.objects.filter(ended_at=None).values("camera_id"))
        .values_list("pk", flat=True)
    ):
        Duty.objects.bulk_create(
            [Duty(camera_id=camera_id, began_at=at)], ignore_conflicts=True
        )  # two reconcilers at once open one
    unwanted = {"camera__enabled": False, "ended_at": None}
    Duty.objects.filter(**unwanted).update(ended_at=at)
    for event in HealthEvent.objects.filter(**unwanted):  # its watcher may have noted one since
        end_event(event=event, at=at)


class WatchLog:
    """One watcher's entries: a row is opened when it really watches, and moved on while it does."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._row: int | None = None
        self._span: Span | None = None

    def watched(self, *, until: datetime) -> None:
        """The camera was watched up to this moment. One UPDATE; a lost lease changes nothing."""
        if self._span is not None:
            elapsed = (until - self._span[1]).total_seconds()
            if -JITTER_SECONDS <= elapsed <= STRETCH_GAP_SECONDS:
                self._move_end(max(until, self._span[1]))
                return
        # Nobody watched for a while, or a clock was set.
        row = WatchedTime.objects.create(
            camera_id=self._lease.camera_id, began_at=until, ended_at=until
        )
        self._row, self._span = row.pk, (until, until)

    def blind(self, *, since: datetime | None) -> None:
        """It is not watched now, and was not from `since` on, though it seemed so until found."""
        if self._span is not None and since is not None and since < self._span[1]:
            self._move_end(max(since, self._span[0]))
        self._row = self._span = None

    def _move_end(self, end: datetime) -> None:
        assert self._span is not None and self._row is not None
        if end != self._span[1]:
            WatchedTime.objects.filter(pk=self._row, camera__claim__token=self._lease.token).update(
                ended_at=end
            )
            self._span = (self._span[0], end)


def with_coverage_rows(
    cameras: QuerySet[Camera], *, begin: datetime, end: datetime
) -> QuerySet[Camera]:
    """Fetch along what `coverage_of` needs: two queries for any number of cameras."""
    duties = Duty.objects.filter(Q(ended_at=None) | Q(ended_at__gt=begin), began_at__lt=end)
    watched = WatchedTime.objects.filter(began_at__lt=end, ended_at__gt=begin)
    return cameras.prefetch_related(
        Prefetch("duties", queryset=duties, to_attr="duties_due"),
        Prefetch("watched_times", queryset=watched, to_attr="times_watched"),
    )


def coverage_of(camera: Camera, *, begin: datetime, end: datetime, at: datetime) -> Coverage:
    """Coverage between two moments within those of `with_coverage_rows`.

    What is yet to come is not wanted yet.
    """
    end = min(end, at)
    duties: list[Duty] = getattr(camera, "duties_due", [])
    watched: list[WatchedTime] = getattr(camera, "times_watched", [])
    due = coverage.intersection(
        [(duty.began_at, duty.ended_at or end) for duty in duties], [(begin, end)]
    )
    had = coverage.intersection(due, [(row.began_at, row.ended_at) for row in watched])
    return Coverage(
        coverage.total_seconds(due), coverage.total_seconds(had), coverage.missing(due, had)
    )
