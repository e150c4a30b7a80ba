"""What is old or too much goes, and what somebody still needs stays."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from celery.signals import after_task_publish
from celery.utils.nodenames import worker_direct
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import Settings

from crimeops.queues import LONGEST_QUEUE, trim
from crimeops.ringing import ring
from detection import tasks as detection_tasks
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, Episode, EpisodeEvent, EvidenceFile, Trouble
from detection.services import retention
from integrations import tasks as integrations_tasks
from integrations.models import Delivery
from tests.rows import a_file

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def evidence(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "evidence"
    default = settings.STORAGES["default"]
    here = default | {"OPTIONS": default["OPTIONS"] | {"location": folder}}
    settings.STORAGES = settings.STORAGES | {"default": here}
    return folder


def limit(settings: Settings, **changes: float) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)


def an_episode(days: float, *, picture: int = 0, **fields: Any) -> Episode:
    """One that ended so many days ago, with a picture of so many bytes."""
    camera, _ = Camera.objects.get_or_create(registry="laravel", external_id=1, name="Camera 1")
    at = NOW - timedelta(days=days)
    values: dict[str, Any] = {"status": "cleared", "ended_at": at} | fields
    episode = Episode.objects.create(
        camera=camera,
        claim_token=1,
        crime_type="trespassing",
        confidence=90,
        started_at=at,
        alerted_at=at,
        decided_at=at,
        **values,
    )
    EpisodeEvent.objects.create(episode=episode, step=1, kind="opened", at=at)
    if picture:
        a_file(episode, content=b"x" * picture)
    return episode


def a_delivery(episode: Episode, status: str, days: float = 0) -> Delivery:
    made = Delivery.objects.create(
        reporter="laravel",
        kind="alert",
        camera=episode.camera,
        episode=episode,
        sequence=Delivery.objects.count() + 1,
        payload={},
        status=status,
        next_attempt_at=NOW,
    )
    Delivery.objects.filter(pk=made.pk).update(created_at=NOW - timedelta(days=days))
    return made


def a_trouble(*, days: float, subject: str = "a disk") -> None:
    at = NOW - timedelta(days=days)
    Trouble.objects.create(subject=subject, text="full", since=at, last_at=at)


def left() -> set[UUID]:
    return set(Episode.objects.values_list("pk", flat=True))


def pictures(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.rglob("*.jpg")}


# --- episodes and their reports ------------------------------------------------------------------


def test_old_episodes_go_with_all_that_is_theirs(evidence: Path) -> None:
    old, young = an_episode(400, picture=10), an_episode(300)
    a_delivery(old, "delivered", days=400)
    detection_tasks.prune()
    assert left() == {young.pk}
    assert (EpisodeEvent.objects.count(), Delivery.objects.count()) == (1, 0)
    assert not (evidence / "episodes" / str(old.pk)).exists()


def test_crimes_are_kept_longer_unless_an_officer_dismissed_them(evidence: Path) -> None:
    crime = an_episode(400, confirmed_at=NOW)
    approved = an_episode(400, verdict="confirmed")
    dismissed = an_episode(400, confirmed_at=NOW, verdict="dismissed")
    ancient = an_episode(2000, verdict="confirmed")
    detection_tasks.prune()
    assert left() == {crime.pk, approved.pk}
    assert {dismissed.pk, ancient.pk}.isdisjoint(left())


def test_an_open_episode_and_one_with_waiting_reports_stay_for_ever(
    evidence: Path, settings: Settings
) -> None:
    limit(settings, evidence_max_gb=1e-9)
    still_open = an_episode(9000, status="suspicious", ended_at=None, picture=10)
    untold = an_episode(9000, picture=10)
    a_delivery(untold, "pending", days=9000)
    for _ in range(2):
        detection_tasks.prune()
        integrations_tasks.prune()
    assert left() == {still_open.pk, untold.pk}
    assert pictures(evidence) == {str(still_open.pk), str(untold.pk)}
    assert Delivery.objects.count() == 1


def test_more_than_a_batch_goes_in_one_run_past_what_must_stay(
    evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    needed = [an_episode(500 + number) for number in range(6)]
    for episode in needed:
        a_delivery(episode, "pending")
    for number in range(9):
        an_episode(400 + number)
    detection_tasks.prune()
    assert left() == {episode.pk for episode in needed}


def test_a_run_ends_and_the_next_goes_on(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "RUN_SECONDS", 0.0)
    an_episode(400)
    detection_tasks.prune()
    assert len(left()) == 1
    monkeypatch.setattr(retention, "RUN_SECONDS", 5.0)
    detection_tasks.prune()
    assert left() == set()


def test_delivered_reports_go_and_refused_ones_stay_with_their_episode() -> None:
    episode = an_episode(100)
    for status in ("delivered", "superseded"):
        a_delivery(episode, status, days=100)
    kept = {
        a_delivery(episode, status, days).pk
        for status, days in (("refused", 100), ("pending", 100), ("delivered", 10))
    }
    integrations_tasks.prune()
    assert set(Delivery.objects.values_list("pk", flat=True)) == kept


# --- the rest ------------------------------------------------------------------------------------


def test_the_history_and_ended_sessions_go(evidence: Path) -> None:
    user = User.objects.create_user("officer")
    for days in (400, 10):
        entry = LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(User),
            object_id="1",
            action_flag=CHANGE,
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=NOW - timedelta(days=days))
    for key, days in (("over", -1), ("live", 1)):
        Session.objects.create(session_key=key, expire_date=NOW + timedelta(days=days))
    detection_tasks.prune()
    assert LogEntry.objects.count() == 1
    assert [session.session_key for session in Session.objects.all()] == ["live"]


def test_what_cannot_be_removed_keeps_nothing_else_from_going(
    evidence: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a sort that takes longer than the database lets a statement, each time anew."""

    def too_slow(*_: object, **__: object) -> None:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(retention, "prune_episodes", too_slow)
    monkeypatch.setattr(retention, "prune_evidence_by_age", too_slow)
    limit_of = retention._limit
    monkeypatch.setattr(
        retention, "_limit", lambda d, at: too_slow() if d == "audit_days" else limit_of(d, at)
    )
    unknown = DjangoEvidenceStore().save(f"episodes/{uuid4()}/snapshot.jpg", b"x")
    an_episode(1, picture=10)
    grown_old(evidence, days=100)
    Session.objects.create(session_key="over", expire_date=NOW - timedelta(days=1))
    a_trouble(days=2)
    detection_tasks.prune()
    assert not (evidence / unknown).exists()
    assert not Session.objects.exists() and not Trouble.objects.exists()
    assert caplog.text.count("statement timeout") == 3


def test_a_batch_that_takes_too_long_goes_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    delete = QuerySet.delete

    def slow(rows: "QuerySet[Any]") -> tuple[int, dict[str, int]]:
        if rows.count() > 60:
            raise OperationalError("canceling statement due to statement timeout")
        return delete(rows)

    for number in range(200):
        a_trouble(days=2, subject=f"trouble {number}")
    monkeypatch.setattr(QuerySet, "delete", slow)
    retention.prune_tables(retention.TABLES, at=NOW)
    assert not Trouble.objects.exists()


def test_a_trouble_that_nobody_names_any_more_goes_after_a_day() -> None:
    a_trouble(days=1.1, subject="Evidence on a host that is gone")
    a_trouble(days=0.9, subject="Evidence on one that is not")
    detection_tasks.prune()
    assert [trouble.subject for trouble in Trouble.objects.all()] == ["Evidence on one that is not"]


# --- evidence ------------------------------------------------------------------------------------


def test_old_pictures_go_and_their_episodes_stay(evidence: Path) -> None:
    old, young = an_episode(100, picture=10), an_episode(80, picture=10)
    crime = an_episode(100, picture=10, confirmed_at=NOW)
    detection_tasks.prune()
    assert pictures(evidence) == {str(young.pk), str(crime.pk)}
    gone = old.files.get()
    assert (gone.removed_why, gone.removed_at is not None) == ("age", True)
    assert young.files.get().removed_at is None


def test_too_many_bytes_go_the_oldest_first_and_crimes_last(
    evidence: Path, settings: Settings
) -> None:
    limit(settings, evidence_max_gb=250 / 1e9)
    crime = an_episode(60, picture=100, confirmed_at=NOW)
    middle, new = an_episode(40, picture=100), an_episode(20, picture=100)
    oldest = an_episode(50, picture=100)
    detection_tasks.prune()
    assert pictures(evidence) == {str(crime.pk), str(new.pk)}
    limit(settings, evidence_max_gb=50 / 1e9)
    detection_tasks.prune()
    assert pictures(evidence) == set()
    assert left() == {crime.pk, middle.pk, new.pk, oldest.pk}


def grown_old(folder: Path, days: float) -> None:
    long_ago = time.time() - days * 86_400
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (long_ago, long_ago))


def test_what_no_episode_knows_goes_when_it_is_old(evidence: Path) -> None:
    known = an_episode(1, picture=10)
    DjangoEvidenceStore().save(f"episodes/{uuid4()}/snapshot.jpg", b"x")
    unfinished = evidence / "episodes" / str(uuid4())
    unfinished.mkdir()
    (unfinished / ".0123.part").write_bytes(b"half")
    grown_old(evidence, days=80)
    detection_tasks.prune()
    assert len(pictures(evidence)) == 2, "they may be of an episode of an older backup"
    grown_old(evidence, days=100)
    detection_tasks.prune()
    assert pictures(evidence) == {str(known.pk)}
    assert not unfinished.exists()


def test_a_folder_that_somebody_else_made_is_left_alone(evidence: Path) -> None:
    an_episode(1, picture=10)
    strange = ["for-the-court", str(uuid4()).upper(), uuid4().hex]
    for name in strange:
        DjangoEvidenceStore().save(f"episodes/{name}/snapshot.jpg", b"x")
    grown_old(evidence, days=1000)
    detection_tasks.prune()
    assert set(strange) <= pictures(evidence)


def test_many_folders_of_unknown_episodes_are_another_databases(
    evidence: Path, caplog: pytest.LogCaptureFixture
) -> None:
    an_episode(1, picture=10)
    for _ in range(retention.FEW_ORPHANS + 1):
        DjangoEvidenceStore().save(f"episodes/{uuid4()}/snapshot.jpg", b"x")
    grown_old(evidence, days=1000)
    detection_tasks.prune()
    assert len(pictures(evidence)) == retention.FEW_ORPHANS + 2
    assert "is EVIDENCE_DIR another's" in caplog.text


def test_pictures_that_are_out_of_reach_keep_their_names(evidence: Path) -> None:
    """An empty mount point is not an empty archive."""
    old, ancient = an_episode(100, picture=10), an_episode(400, picture=10)
    plain = an_episode(400)
    (evidence / "episodes").rename(evidence / "not mounted")
    detection_tasks.prune()
    assert old.files.get().removed_at is None
    assert left() == {old.pk, ancient.pk}, f"{plain.pk} never had one"
    (evidence / "not mounted").rename(evidence / "episodes")
    detection_tasks.prune()
    assert (left(), pictures(evidence)) == ({old.pk}, set())


def test_a_picture_whose_name_was_never_written_goes_with_the_others(evidence: Path) -> None:
    for days in (100, 80):
        episode = an_episode(days, picture=10)
        EvidenceFile.objects.filter(episode=episode).delete()
        grown_old(evidence / "episodes" / str(episode.pk), days=days)
    detection_tasks.prune()
    assert pictures(evidence) == {str(episode.pk)}


def test_an_empty_database_removes_no_evidence(evidence: Path) -> None:
    """It is more likely the wrong one."""
    name = DjangoEvidenceStore().save(f"episodes/{uuid4()}/snapshot.jpg", b"x")
    long_ago = time.time() - 9 * 86_400
    os.utime(evidence / name, (long_ago, long_ago))
    detection_tasks.prune()
    assert (evidence / name).exists()


# --- the broker ----------------------------------------------------------------------------------


def test_a_queue_that_nobody_consumes_stays_short_and_ends(broker: "redis.Redis") -> None:
    after_task_publish.connect(trim)
    try:
        for number in range(LONGEST_QUEUE + 200):
            assert ring("integrations.warm_alarm", number, expires=1)
        ring("detection.send_heartbeat", "here", queue=worker_direct("dead@host"), expires=1)
    finally:
        after_task_publish.disconnect(trim)
    assert broker.llen("alarms") == LONGEST_QUEUE
    newest = broker.lindex("alarms", 0)
    assert f"({LONGEST_QUEUE + 199},)".encode() in newest  # type: ignore[operator] # not awaitable
    for queue in ("alarms", worker_direct("dead@host").name):
        assert 0 < broker.ttl(queue) <= 86_400
