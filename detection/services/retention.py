"""What is kept for how long: no table and no folder grows without end.

A table is one line of `TABLES`. Everything goes in small batches, each in a transaction of its own,
and a run ends after a while: the next one goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import OperationalError
from django.db.models import Exists, Manager, OuterRef, Q

from detection import signals
from detection.evidence.storage import FOLDER, DjangoEvidenceStore, Kept
from detection.models import OPEN_STATUSES, Episode, EvidenceFile, Verdict, WhyRemoved
from detection.services import logins
from detection.services.evidence import forget_files

logger = logging.getLogger(__name__)

BATCH = 500
SMALLEST_BATCH = 20
RUN_SECONDS = 20.0
# So many folders that no episode knows may be remains of crashes; more are another database's.
FEW_ORPHANS = 10
ORPHANS_SHARE = 0.1
TROUBLE_DAYS = 1  # for one whose host is gone; what still is wrong is named again

SERIOUS = Q(verdict=Verdict.CONFIRMED) | (
    Q(confirmed_at__isnull=False) & ~Q(verdict=Verdict.DISMISSED)
)

WITHOUT_EVIDENCE = ~Exists(EvidenceFile.objects.filter(episode_id=OuterRef("pk"), removed_at=None))
NOT_HELD = Q(held_at=None)


@dataclass(frozen=True, slots=True)
class KeptTable:
    """Rows go when `date_field` is older than `days`, or the setting of that name."""

    model: str
    date_field: str
    days: str | float
    only: Q | Callable[[], Q] = field(default_factory=Q)  # called at each run


def about_held_episodes() -> Q:
    """What the audit trail says of episodes on hold: it tells who had the evidence."""
    held = Episode.objects.filter(~NOT_HELD).values_list("pk", flat=True)
    return Q(object_type=Episode._meta.label_lower, object_id__in=[str(pk) for pk in held])


TABLES: tuple[KeptTable, ...] = (
    KeptTable("admin.LogEntry", "action_time", "history_keep_days"),
    KeptTable("detection.AuditRecord", "at", "audit_days", lambda: ~about_held_episodes()),
    KeptTable("detection.HealthEvent", "ended_at", "history_keep_days"),
    KeptTable("detection.WatchedTime", "ended_at", "history_keep_days"),
    KeptTable("detection.Duty", "ended_at", "history_keep_days"),
    KeptTable("detection.ThresholdSuggestion", "made_at", "history_keep_days"),
    KeptTable("detection.TrackLog", "ended_at", "track_log_days"),
    KeptTable("detection.Trouble", "last_at", TROUBLE_DAYS),
    KeptTable("detection.EvidenceLink", "expires_at", "history_keep_days"),
)


def prune(*, at: datetime) -> None:
    """Remove what is older or larger than the settings allow: first what fills the disk."""
    store = DjangoEvidenceStore()
    _do("evidence by age", lambda: prune_evidence_by_age(store, at=at))
    _do("evidence by size", lambda: prune_evidence_by_size(store, at=at))
    _do("episodes", lambda: prune_episodes(at=at))
    prune_tables(TABLES, at=at)
    _do("sessions", import_module(settings.SESSION_ENGINE).SessionStore.clear_expired)
    _do("failed logins", lambda: logins.prune_attempts(at=at))


def _do(what: str, act: Callable[[], object]) -> None:
    """One that fails must not keep the others from being done, each time anew."""
    try:
        act()
    except (DatabaseFault, OSError) as error:
        logger.error("old %s are not removed: %s: %s", what, type(error).__name__, error)
    except Exception:
        logger.exception("old %s are not removed", what)


def prune_tables(tables: Sequence[KeptTable], *, at: datetime) -> None:
    """Remove the rows that are too old, the oldest first."""
    for table in tables:
        _do(f"rows of {table.model}", partial(_prune_table, table, at))


def _prune_table(table: KeptTable, at: datetime) -> None:
    rows = apps.get_model(table.model)._default_manager
    only = table.only() if callable(table.only) else table.only
    old = rows.filter(only, **{f"{table.date_field}__lt": _limit(table.days, at)})
    removed = 0
    for _ in _turns():
        batch = list(old.order_by(table.date_field).values_list("pk", flat=True)[:BATCH])
        removed += _delete(rows, batch) if batch else 0
        if len(batch) < BATCH:
            break
    if removed:
        logger.info("%d old rows of %s removed", removed, table.model)


def _delete(rows: "Manager[Any]", batch: Sequence[Any]) -> int:
    """Delete a batch; by halves where that takes longer than the database lets a statement."""
    try:
        return rows.filter(pk__in=batch).delete()[0]
    except OperationalError:
        if len(batch) <= SMALLEST_BATCH:
            raise
    half = len(batch) // 2
    return _delete(rows, batch[:half]) + _delete(rows, batch[half:])


def prune_episodes(*, at: datetime) -> None:
    """Remove old episodes with their steps, reports and evidence."""
    store = DjangoEvidenceStore()
    # Where the files are out of reach, their episodes stay: nobody could name them later.
    which = Q() if store.is_there() else Q(WITHOUT_EVIDENCE)
    for batch in _old_episodes(which, "episode_keep_days", at):
        free = _forget_evidence(store, batch, WhyRemoved.AGE, at)
        _delete(Episode.objects, free)
        logger.info("%d old episodes removed", len(free))


def prune_evidence_by_age(store: DjangoEvidenceStore, *, at: datetime) -> None:
    """Remove the files of old episodes; the episodes and what is said of their files stay."""
    if not store.is_there():
        return
    for batch in _old_episodes(~Q(WITHOUT_EVIDENCE), "evidence_keep_days", at):
        _forget_evidence(store, batch, WhyRemoved.AGE, at)
        logger.info("the evidence of %d old episodes removed", len(batch))


def prune_evidence_by_size(store: DjangoEvidenceStore, *, at: datetime) -> None:
    """Remove what no episode knows, then the oldest, until it fits; confirmed crimes go last."""
    kept = {key: folder for folder in store.kept() if (key := _episode_of(folder))}
    known = _known(list(kept))
    orphans = [folder for key, folder in kept.items() if key not in known]
    if known:  # a database without episodes is more likely the wrong one
        _remove_orphans(store, orphans, len(known), at)
    _remove_unnamed(store, {key: kept[key] for key in known}, at)
    total = sum(kept[key].size for key in known)
    allowed = settings.ENVIRONMENT.evidence_max_gb * 1e9
    rank = {key: place for key, place in known.items() if place is not None}
    removed: list[UUID] = []
    for key in sorted(rank, key=lambda key: rank[key]):
        if total <= allowed:
            break
        total -= kept[key].size
        removed.append(key)
    for start in range(0, len(removed), BATCH):
        _forget_evidence(store, removed[start : start + BATCH], WhyRemoved.SIZE, at)
    if removed:
        logger.warning("the evidence of %d episodes removed: EVIDENCE_MAX_GB", len(removed))


def _old_episodes(which: Q, days: str, at: datetime) -> Iterator[list[UUID]]:
    """Batches of ended episodes that are too old and that nobody needs any more."""
    ordinary, confirmed = _limit(days, at), _limit("confirmed_keep_days", at)
    too_old = (SERIOUS & Q(ended_at__lt=confirmed)) | (~SERIOUS & Q(ended_at__lt=ordinary))
    ended = Episode.objects.exclude(status__in=OPEN_STATUSES).filter(which & too_old, NOT_HELD)
    after: datetime | None = None
    for _ in _turns():
        rows = ended if after is None else ended.filter(ended_at__gte=after)
        found = list(rows.order_by("ended_at").values_list("pk", "ended_at")[:BATCH])
        ids = [pk for pk, _ in found]
        needed = _needed(ids)
        unneeded = [pk for pk in ids if pk not in needed]
        if unneeded:
            yield unneeded
        if len(found) < BATCH or found[-1][1] == after:
            return
        after = found[-1][1]


def _needed(ids: Sequence[UUID]) -> set[UUID]:
    """The episodes among these that some listener still needs; one in trouble ends the run."""
    answers: Sequence[tuple[object, Any]] = signals.episodes_outdated.send(
        sender=Episode, episode_ids=ids
    )
    return {episode_id for _, needed in answers for episode_id in needed}


def _known(ids: Sequence[UUID]) -> dict[UUID, tuple[bool, datetime] | None]:
    """The episodes there are, each with its place in the order of removal; None: it must stay."""
    known: dict[UUID, tuple[bool, datetime] | None] = {}
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        rows = Episode.objects.filter(pk__in=batch)
        serious = set(rows.filter(SERIOUS).values_list("pk", flat=True))
        must_stay = Q(status__in=OPEN_STATUSES) | ~NOT_HELD
        stay = _needed(batch) | set(rows.filter(must_stay).values_list("pk", flat=True))
        for pk, started_at in rows.values_list("pk", "started_at"):
            known[pk] = None if pk in stay else (pk in serious, started_at)
    return known


def _remove_orphans(
    store: DjangoEvidenceStore, orphans: Sequence[Kept], known: int, at: datetime
) -> None:
    """As old as other evidence, and only a few: many are another database's, or a newer one's."""
    limit = _limit("evidence_keep_days", at)
    old = [orphan for orphan in orphans if orphan.newest is None or orphan.newest < limit]
    if len(old) > max(FEW_ORPHANS, ORPHANS_SHARE * known):
        told = "%d folders of evidence are of no episode of this database (%d are), and stay"
        logger.error(
            f"{told}: is EVIDENCE_DIR another's, or the database an old copy?", len(old), known
        )
        return
    for orphan in old:
        store.remove(orphan.folder)
    if old:
        logger.warning("%d folders of evidence removed that no episode knows", len(old))


def _remove_unnamed(store: DjangoEvidenceStore, known: dict[UUID, Kept], at: datetime) -> None:
    """Files that are removed by their rows, and old ones of which no row ever was written."""
    limit = _limit("evidence_keep_days", at)
    ids = list(known)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        rows = EvidenceFile.objects.filter(episode_id__in=batch)
        named = dict(rows.order_by("sequence").values_list("name", "removed_at"))
        free = Episode.objects.filter(NOT_HELD, pk__in=batch).exclude(status__in=OPEN_STATUSES)
        for key in free.values_list("pk", flat=True):
            for file in known[key].files:
                name = f"{FOLDER}/{key}/{file.name}"
                if (file.modified < limit) if name not in named else named[name] is not None:
                    store.delete(name)


def _forget_evidence(
    store: DjangoEvidenceStore, batch: Sequence[UUID], why: WhyRemoved, at: datetime
) -> list[UUID]:
    """Those of the batch whose files are gone; one that was put on hold meanwhile keeps them.

    The rows say so first: what then stays in spite of its row is found by the next run.
    """
    free = forget_files(episode_ids=batch, why=why, at=at)
    for episode_id in free:
        store.remove(str(episode_id))
    return free


def _episode_of(kept: Kept) -> UUID | None:
    """Whose folder it is; None for one that an operator made, which is none of our business."""
    try:
        key = UUID(kept.folder)
    except ValueError:
        return None
    return key if str(key) == kept.folder else None


def _limit(days: str | float, at: datetime) -> datetime:
    many = getattr(settings.ENVIRONMENT, days) if isinstance(days, str) else days
    return at - timedelta(days=many)


def _turns() -> Iterator[None]:
    """As many turns as fit into a run."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        yield
