"""The chain of an episode's evidence: each file with its hash, each link with the one before."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from detection.evidence.chain import link_of, removal_of
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Episode, EvidenceFile, EvidenceKind, WhyRemoved

logger = logging.getLogger(__name__)

CONTENT_TYPES: dict[EvidenceKind, str] = {
    EvidenceKind.SNAPSHOT: "image/jpeg",
    EvidenceKind.CLEAN_SNAPSHOT: "image/jpeg",
    EvidenceKind.PREVIEW: "image/webp",
    EvidenceKind.CLIP: "video/mp4",
    EvidenceKind.RECORDING: "application/gzip",
}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that lies in the evidence storage, and what is said of it."""

    kind: EvidenceKind
    name: str
    size: int
    sha256: str
    facts: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def attach_file(
    *,
    episode_id: UUID,
    kind: EvidenceKind,
    name: str,
    size: int,
    sha256: str,
    facts: dict[str, Any] | None = None,
    at: datetime | None = None,
    discard: Callable[[str], None] | None = None,
) -> EvidenceFile | None:
    """Make a kept file the next link of its episode's chain; None where the episode is gone.

    Older files of its kind go, their rows say why; of an episode on hold nothing goes. `discard`
    is told the names of those that went, once that is certain, and removes them when it suits.
    """
    episode = Episode.objects.select_for_update(of=("self",)).filter(pk=episode_id).first()
    if episode is None:
        return None
    file = EvidenceFile(
        episode=episode,
        sequence=episode.evidence_links + 1,
        kind=kind,
        name=name,
        content_type=CONTENT_TYPES[kind],
        size=size,
        sha256=sha256,
        facts=facts or {},
        kept_at=at or timezone.now(),
        previous=episode.evidence_head,
    )
    file.link = link_of(said_of(file))
    file.save()
    episode.evidence_links, episode.evidence_head = file.sequence, file.link
    episode.save(update_fields=["evidence_links", "evidence_head"])
    if episode.held_at is None:
        _supersede(file, discard or delete_file)
    return file


def _supersede(file: EvidenceFile, discard: Callable[[str], None]) -> None:
    """The rows first: a file that stays in spite of its row goes by retention."""
    older = files_of(file.episode_id).filter(kind=file.kind, sequence__lt=file.sequence)
    names = _say_removed(older, WhyRemoved.SUPERSEDED, file.kept_at)
    for name in sorted(set(names) - {file.name}):
        transaction.on_commit(partial(discard, name))


def delete_file(name: str) -> None:
    """Remove a file of which its row says that it went; waits for the storage."""
    try:
        DjangoEvidenceStore().delete(name)
    except OSError as error:
        logger.warning("%s is not removed, which retention tries again: %s", name, error)


@transaction.atomic
def forget_files(*, episode_ids: Sequence[UUID], why: WhyRemoved, at: datetime) -> list[UUID]:
    """Let the rows say that the files of these episodes are gone, unless one is on hold.

    Returns the episodes whose files may be removed now.
    """
    rows = Episode.objects.select_for_update().filter(pk__in=episode_ids, held_at=None)
    free = list(rows.order_by("pk").values_list("pk", flat=True))
    _say_removed(EvidenceFile.objects.filter(episode_id__in=free, removed_at=None), why, at)
    return free


def _say_removed(files: QuerySet[EvidenceFile], why: WhyRemoved, at: datetime) -> list[str]:
    """Write it into the rows; returns the names of the files."""
    gone = list(files)
    for file in gone:
        file.removed_at, file.removed_why = at, why
        file.removal = removal_of(file.link, said_of(file)["removed_at"], why)
    EvidenceFile.objects.bulk_update(gone, ["removed_at", "removed_why", "removal"], 500)
    return [file.name for file in gone]


def said_of(file: EvidenceFile) -> dict[str, Any]:
    """All that its row says of a file, as detection.evidence.chain takes it."""
    return {
        "episode": str(file.episode_id),
        "sequence": file.sequence,
        "kind": str(file.kind),
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "facts": file.facts,
        "kept_at": _in_utc(file.kept_at),
        "previous": file.previous,
        "link": file.link,
        "removed_at": _in_utc(file.removed_at) if file.removed_at else "",
        "removed_why": str(file.removed_why),
        "removal": file.removal,
    }


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def files_of(episode_id: UUID) -> QuerySet[EvidenceFile]:
    """What is kept of the episode, the oldest first."""
    return EvidenceFile.objects.filter(episode_id=episode_id, removed_at=None).order_by("sequence")


def newest_of(episode_id: UUID, kind: EvidenceKind) -> EvidenceFile | None:
    """The file of this kind that counts."""
    return files_of(episode_id).filter(kind=kind).last()
