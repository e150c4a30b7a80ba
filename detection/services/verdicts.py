"""What officers made of the episodes of some days, and how long was watched meanwhile."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db.models import Count

from detection.domain import coverage
from detection.domain.crimes import CrimeType
from detection.models import DismissReason, Episode, Verdict, WatchedTime

SECONDS_A_DAY = 86_400.0


class Verdicts:
    """The reviewed episodes that began between two moments. Drills do not count.

    Read once, each table by one query, however many cameras there are.
    """

    def __init__(self, since: datetime, until: datetime) -> None:
        self._since, self._until = since, until
        self._rows = Episode.objects.filter(started_at__gte=since, started_at__lt=until)

    @property
    def camera_ids(self) -> list[int]:
        """The cameras that any verdict is of."""
        return sorted({camera_id for _, camera_id in self._by_place})

    def of(self, crime_type: CrimeType, camera_id: int) -> list[Episode]:
        """Those of a crime type at one camera."""
        return self._by_place.get((crime_type.value, camera_id), [])

    def everywhere(self, crime_type: CrimeType) -> list[Episode]:
        """Those of a crime type at all cameras."""
        return [episode for key in self.camera_ids for episode in self.of(crime_type, key)]

    def waiting(self, crime_type: CrimeType, camera_id: int) -> int:
        """How many episodes nobody has reviewed yet."""
        return self._waiting.get((crime_type.value, camera_id), 0)

    def days_watched(self, camera_ids: Sequence[int]) -> float:
        """Camera-days; where the coverage is not known, the days since the first verdict."""
        return sum(self._seconds(camera_id) for camera_id in camera_ids) / SECONDS_A_DAY

    @cached_property
    def _by_place(self) -> dict[tuple[str, int], list[Episode]]:
        reviewed = self._rows.exclude(verdict=Verdict.UNREVIEWED)
        real = reviewed.exclude(dismiss_reason=DismissReason.TEST)
        found: dict[tuple[str, int], list[Episode]] = defaultdict(list)
        for episode in real.only("camera_id", "crime_type", "confidence", "verdict", "started_at"):
            found[episode.crime_type, episode.camera_id].append(episode)
        return dict(found)

    @cached_property
    def _waiting(self) -> dict[tuple[str, int], int]:
        waiting = self._rows.filter(verdict=Verdict.UNREVIEWED).order_by()
        counts = waiting.values_list("crime_type", "camera_id").annotate(Count("pk"))
        return {(crime_type, camera_id): count for crime_type, camera_id, count in counts}

    @cached_property
    def _watched(self) -> dict[int, list[coverage.Span]]:
        rows = WatchedTime.objects.filter(
            camera_id__in=self.camera_ids, ended_at__gt=self._since, began_at__lt=self._until
        )
        spans: dict[int, list[coverage.Span]] = defaultdict(list)
        for camera_id, began_at, ended_at in rows.values_list("camera_id", "began_at", "ended_at"):
            spans[camera_id].append((began_at, ended_at))
        return spans

    def _seconds(self, camera_id: int) -> float:
        window = [(self._since, self._until)]
        had = coverage.intersection(self._watched.get(camera_id, []), window)
        if had:
            return coverage.total_seconds(had)
        episodes = (episode for found in self._by_place.values() for episode in found)
        first = min((episode.started_at for episode in episodes), default=self._since)
        return (self._until - first).total_seconds()
