"""Episodes whose recording is kept, to be played again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from detection.domain.courses import Course
from detection.domain.crimes import CrimeType
from detection.domain.recordings import Recording, RecordingError, read
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Episode, EpisodeEventKind, EvidenceFile, EvidenceKind


def recorded_episodes(
    *, camera_id: int | None = None, since: datetime | None = None, ids: Sequence[UUID] = ()
) -> QuerySet[Episode]:
    """The ended ones with a recording, the oldest first; `ids` asks for these only."""
    kept = EvidenceFile.objects.filter(kind=EvidenceKind.RECORDING, removed_at=None)
    episodes = Episode.objects.filter(Exists(kept.filter(episode_id=OuterRef("pk"))))
    episodes = episodes.exclude(ended_at=None)
    if camera_id is not None:
        episodes = episodes.filter(camera_id=camera_id)
    if since is not None:
        episodes = episodes.filter(started_at__gte=since)
    if ids:
        episodes = episodes.filter(pk__in=ids)
    ordered = episodes.order_by("started_at", "pk").defer("confidence_timeline")
    recordings = Prefetch("files", kept, to_attr="kept_recordings")
    return ordered.select_related("camera").prefetch_related("events", recordings)


def read_recording(episode: Episode) -> Recording:
    """What the rules saw of an episode that `recorded_episodes` gave. Raises RecordingError."""
    kept: list[EvidenceFile] = episode.kept_recordings  # type: ignore[attr-defined]  # see above
    try:
        content = DjangoEvidenceStore().read(kept[-1].name)
    except FileNotFoundError:
        raise RecordingError("its recording is no longer kept") from None
    except OSError as error:
        raise RecordingError(f"its recording cannot be read: {error}") from error
    return read(content)


def course_of(episode: Episode) -> Course:
    """The course that the episode took, from its steps."""
    steps = list(episode.events.all())
    opened = next((step for step in steps if step.kind == EpisodeEventKind.OPENED), None)
    crimes: dict[CrimeType, datetime] = {}
    for step in steps:
        if step.kind == EpisodeEventKind.CONFIRMED:
            crimes.setdefault(CrimeType(step.crime_type), step.at)
    return Course(
        CrimeType(opened.crime_type if opened else episode.crime_type),
        episode.started_at,
        episode.alerted_at,
        episode.ended_at,
        crimes,
    )
