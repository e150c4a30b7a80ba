"""Episodes in a real database: each step written once, fenced, and over when it is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.dispatch import Signal
from django.utils import timezone

from detection import signals
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.models import Camera, Claim, Episode, EvidenceKind, Verdict
from detection.models import EpisodeEvent as EventRow
from detection.services import claims, episodes, reviews
from detection.services.claims import Lease, Overtaken
from detection.services.evidence import KeptFile
from detection.services.review_steps import Actor
from detection.services.reviews import AlreadyReviewed
from integrations.models import Delivery

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)


def after(number: float) -> datetime:
    return BEGAN + timedelta(seconds=number)


OPENED = EpisodeOpened(after(0.6), CrimeType.TRESPASSING, 55.0, after(0), "person 3 in “yard”")
RISEN = ConfidenceChanged(after(2), CrimeType.TRESPASSING, 70.0)
SURE = CrimeConfirmed(after(6), CrimeType.TRESPASSING, 85.0, after(0), "person 3 stayed")
CLEARED = EpisodeEnded(after(20), EpisodeState.CLEARED)


def a_camera(number: int = 1, registry: str = "laravel") -> Camera:
    return Camera.objects.create(registry=registry, name=f"Camera {number}", external_id=number)


def a_lease(camera: Camera, at: datetime | None = None, instance: str = "here") -> Lease:
    lease = claims.take_lease(
        camera_id=camera.pk,
        instance=instance,
        worker=f"streams@{instance}",
        max_cameras=10,
        at=at or timezone.now(),
    )
    assert lease is not None
    return lease


def record_step(lease: Lease, episode_id: UUID, event: EpisodeEvent, step: int) -> Episode | None:
    return episodes.record_event(
        lease=lease,
        episode_id=episode_id,
        event=event,
        step=step,
        timeline=[(0.0, 51.0), (0.6, 55.0)],
        decided_at=after(0.7),
    )


def record(lease: Lease, episode_id: UUID, *events: EpisodeEvent) -> Episode:
    """The next steps of the episode."""
    rows = EventRow.objects.filter(episode_id=episode_id)
    last: int = rows.aggregate(last=Max("step"))["last"] or 0
    for step, event in enumerate(events, start=last + 1):
        episode = record_step(lease, episode_id, event, step)
    assert episode is not None
    return episode


def told() -> list[tuple[str, str, dict[str, Any]]]:
    rows = Delivery.objects.order_by("created_at", "sequence")
    return [(row.kind, row.status, row.payload) for row in rows]


@contextmanager
def heard(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    """What the signal says meanwhile."""
    calls: list[dict[str, Any]] = []

    def listen(**arguments: Any) -> None:
        calls.append({k: v for k, v in arguments.items() if k not in ("signal", "sender")})

    signal.connect(listen)
    try:
        yield calls
    finally:
        signal.disconnect(listen)


# --- steps ---------------------------------------------------------------------------------------


def test_an_opened_episode_is_written_with_its_times_and_its_alert() -> None:
    camera, key = a_camera(), uuid4()
    episode = record(a_lease(camera), key, OPENED)
    episode.refresh_from_db()
    assert (episode.pk, episode.camera, episode.claim_token) == (key, camera, 1)
    assert (episode.status, episode.crime_type) == ("suspicious", "trespassing")
    assert (episode.confidence, episode.reason) == (55.0, "person 3 in “yard”")
    assert (episode.started_at, episode.alerted_at) == (after(0), after(0.6))
    assert episode.decided_at == after(0.7)
    assert (episode.confirmed_at, episode.ended_at) == (None, None)
    assert episode.confidence_timeline == [[0.0, 51.0], [0.6, 55.0]]
    assert told() == [("alert", "pending", {"confidence": 55.0})]


def test_a_changed_confidence_raises_the_peak_and_never_lowers_it() -> None:
    lease, key = a_lease(a_camera()), uuid4()
    assert record(lease, key, OPENED, RISEN).confidence == 70.0
    fallen = ConfidenceChanged(after(3), CrimeType.TRESPASSING, 52.0)
    assert record(lease, key, fallen).confidence == 70.0
    assert Episode.objects.get().status == "suspicious"
    assert told()[-1] == ("alert", "pending", {"confidence": 52.0})


def test_a_peak_between_two_steps_counts() -> None:
    episode = episodes.record_event(
        lease=a_lease(a_camera()),
        episode_id=uuid4(),
        event=OPENED,
        step=1,
        timeline=[(0.0, 55.0), (0.3, 64.0), (0.6, 55.0)],
        decided_at=after(0.7),
    )
    assert episode is not None
    assert episode.confidence == 64.0
    assert told() == [("alert", "pending", {"confidence": 55.0})], "what it was when it was raised"


def test_a_confirmed_crime_is_told_with_its_capture_times() -> None:
    episode = record(a_lease(a_camera()), uuid4(), OPENED, SURE)
    assert (episode.status, episode.confirmed_at) == ("confirmed", after(6))
    assert (episode.confidence, episode.reason) == (85.0, "person 3 stayed")
    assert told()[-1] == (
        "crime",
        "pending",
        {
            "crime_type": "trespassing",
            "confidence": 85.0,
            "started_at": "2026-02-27T14:28:00+00:00",
            "confirmed_at": "2026-02-27T14:28:06+00:00",
        },
    )


def test_a_second_and_worse_crime_is_told_and_names_the_episode_from_then_on() -> None:
    fight = CrimeConfirmed(after(9), CrimeType.FIGHTING, 95.0, after(5), "two persons fight")
    episode = record(a_lease(a_camera()), uuid4(), OPENED, SURE, fight)
    assert (episode.crime_type, episode.confirmed_at) == ("fighting", after(6))
    assert episode.confidence == 95.0
    assert [payload["crime_type"] for kind, _, payload in told() if kind == "crime"] == [
        "trespassing",
        "fighting",
    ]


@pytest.mark.parametrize(
    ("crime", "verdict", "reason"),
    [(CrimeType.ROBBERY, "unreviewed", ""), (CrimeType.TRESPASSING, "dismissed", "authorised")],
)
def test_a_worse_crime_than_was_dismissed_waits_for_a_verdict_again(
    crime: CrimeType, verdict: str, reason: str
) -> None:
    lease, key = a_lease(a_camera()), uuid4()
    record_step(lease, key, OPENED, 1)
    by = Actor(User.objects.create_user("officer"))
    reviews.review_episode(episode_id=key, verdict=Verdict.DISMISSED, by=by, reason="authorised")
    record_step(lease, key, CrimeConfirmed(after(6), crime, 85.0, after(0), "they stayed"), 2)
    episode = Episode.objects.get(pk=key)
    assert (episode.verdict, episode.dismiss_reason) == (verdict, reason)
    assert (episode.reviewed_by is None) == (verdict == "unreviewed")


@pytest.mark.parametrize("outcome", [EpisodeState.CLEARED, EpisodeState.LOST])
def test_an_ended_episode_says_how_and_keeps_whether_it_was_a_crime(outcome: EpisodeState) -> None:
    lease, key = a_lease(a_camera()), uuid4()
    episode = record(lease, key, OPENED, SURE, EpisodeEnded(after(20), outcome))
    assert (episode.status, episode.ended_at) == (outcome.value, after(20))
    assert episode.confirmed_at == after(6)
    assert told()[-1] == ("stop", "pending", {})


def test_an_episode_never_ends_before_it_raised_its_alert() -> None:
    lost = EpisodeEnded(after(0.1), EpisodeState.LOST)
    assert record(a_lease(a_camera()), uuid4(), OPENED, lost).ended_at == after(0.6)


def test_each_step_is_kept_in_order_with_what_it_said() -> None:
    record(a_lease(a_camera()), uuid4(), OPENED, RISEN, SURE, CLEARED)
    rows = [
        (row.kind, row.at, row.crime_type, row.confidence, row.started_at, row.detail)
        for row in EventRow.objects.all()
    ]
    assert rows == [
        ("opened", after(0.6), "trespassing", 55.0, after(0), "person 3 in “yard”"),
        ("confidence", after(2), "trespassing", 70.0, None, ""),
        ("confirmed", after(6), "trespassing", 85.0, after(0), "person 3 stayed"),
        ("cleared", after(20), "", None, None, ""),
    ]


def test_the_episodes_of_two_cameras_are_independent() -> None:
    first, second = a_lease(a_camera(1)), a_lease(a_camera(2))
    record(first, uuid4(), OPENED)
    record(second, uuid4(), OPENED, CLEARED)
    assert sorted(Episode.objects.values_list("status", flat=True)) == ["cleared", "suspicious"]


# --- fencing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [OPENED, RISEN, SURE, CLEARED], ids=lambda s: type(s).__name__)
def test_an_overtaken_watcher_writes_nothing_and_tells_nobody(step: EpisodeEvent) -> None:
    camera, key = a_camera(), uuid4()
    old = a_lease(camera, timezone.now() - timedelta(seconds=13))
    if not isinstance(step, EpisodeOpened):
        record(old, key, OPENED)
    before = (list(Episode.objects.values()), EventRow.objects.count(), told())
    a_lease(camera, instance="elsewhere")
    with heard(signals.episode_recorded) as calls, pytest.raises(Overtaken, match="lease 1"):
        record(old, key, step)
    assert (list(Episode.objects.values()), EventRow.objects.count(), told()) == before
    assert calls == []


def closed_by_the_sweep(key: UUID) -> Lease:
    """An episode that the sweep ended, and the lease of its watcher, whom nobody overtook."""
    late = a_lease(a_camera(), timezone.now() - timedelta(seconds=60))
    record(late, key, OPENED)
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 1
    return late


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [(RISEN, "suspicious", "alert"), (SURE, "confirmed", "crime")],
    ids=["confidence", "crime"],
)
def test_what_a_living_watcher_sees_opens_an_episode_again_that_the_sweep_closed(
    event: EpisodeEvent, status: str, kind: str
) -> None:
    key = uuid4()
    late = closed_by_the_sweep(key)
    claims.renew_lease(
        lease=late,
        at=timezone.now(),
        last_frame_at=after(6),
        counters=claims.WatchCounters(),
        frames_per_second=5,
    )
    record(late, key, event)
    episode = Episode.objects.get()
    assert (episode.status, episode.ended_at) == (status, None)
    assert [(row[0], row[1]) for row in told()][-2:] == [("stop", "pending"), (kind, "pending")]
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 0

    record(late, key, CLEARED)
    episode = Episode.objects.get()
    assert (episode.status, episode.ended_at) == ("cleared", after(20))
    assert [row[0] for row in told()][-2:] == [kind, "stop"]


def test_an_end_that_the_sweep_has_told_already_is_not_told_again() -> None:
    key = uuid4()
    late = closed_by_the_sweep(key)
    before = (list(Episode.objects.values()), EventRow.objects.count(), told())
    assert record_step(late, key, CLEARED, 2) is None
    assert (list(Episode.objects.values()), EventRow.objects.count(), told()) == before


def test_an_overtaken_watcher_opens_nothing_again() -> None:
    key = uuid4()
    late = closed_by_the_sweep(key)
    a_lease(Camera.objects.get(), instance="elsewhere")
    before = (list(Episode.objects.values()), EventRow.objects.count(), told())
    with pytest.raises(Overtaken, match="lease 1"):
        record_step(late, key, SURE, 2)
    assert (list(Episode.objects.values()), EventRow.objects.count(), told()) == before


@pytest.mark.parametrize("event", [OPENED, RISEN, SURE, CLEARED], ids=lambda e: type(e).__name__)
def test_a_step_whose_commit_was_not_heard_of_is_not_told_twice(event: EpisodeEvent) -> None:
    lease, key = a_lease(a_camera()), uuid4()
    if event is not OPENED:
        record(lease, key, OPENED)
    record(lease, key, event)
    before = (list(Episode.objects.values()), EventRow.objects.count(), told())
    with heard(signals.episode_recorded) as calls:
        assert record_step(lease, key, event, 1 if event is OPENED else 2) is None
    assert (list(Episode.objects.values()), EventRow.objects.count(), told()) == before
    assert calls == []


def test_the_same_step_of_another_episode_is_another_step() -> None:
    lease = a_lease(a_camera())
    record(lease, uuid4(), OPENED, CLEARED)
    assert record_step(lease, uuid4(), OPENED, 1) is not None
    assert [row[0] for row in told()] == ["alert", "stop", "alert"]


def test_a_receiver_that_fails_takes_the_step_back() -> None:
    lease = a_lease(a_camera())

    def fail(**_: Any) -> None:
        raise RuntimeError("nobody can be told")

    signals.episode_recorded.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            record(lease, uuid4(), OPENED)
    finally:
        signals.episode_recorded.disconnect(fail)
    assert (Episode.objects.count(), EventRow.objects.count(), told()) == (0, 0, [])


def test_the_database_refuses_two_open_episodes_of_a_camera() -> None:
    camera = a_camera()
    record(a_lease(camera), uuid4(), OPENED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Episode.objects.create(
            camera=camera,
            claim_token=1,
            crime_type="theft",
            confidence=50,
            started_at=BEGAN,
            alerted_at=BEGAN,
            decided_at=BEGAN,
        )
    record(a_lease(a_camera(2)), uuid4(), OPENED)


# --- orphans -------------------------------------------------------------------------------------


def test_an_orphan_that_cannot_be_closed_keeps_no_other_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    long_ago = timezone.now() - timedelta(seconds=60)
    for number in (1, 2, 3):
        record(a_lease(a_camera(number), long_ago), uuid4(), OPENED)
    Claim.objects.filter(camera__external_id=3).delete()

    def refuse(episode: Episode, **_: Any) -> None:
        if episode.camera.external_id == 1:
            raise ValueError("one bad row")

    signals.episode_recorded.connect(refuse)
    try:
        assert episodes.close_orphaned_episodes(at=timezone.now()) == 2
    finally:
        signals.episode_recorded.disconnect(refuse)
    left = Episode.objects.filter(ended_at=None)
    assert [episode.camera.external_id for episode in left] == [1], "whole: no half of it is kept"
    assert "cannot be closed" in caplog.text
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 1


def test_the_next_watcher_closes_what_the_dead_one_left_open_with_its_stop() -> None:
    camera, left, own = a_camera(), uuid4(), uuid4()
    record(a_lease(camera, timezone.now() - timedelta(seconds=13)), left, OPENED)
    new = a_lease(camera, instance="elsewhere")
    second = EpisodeOpened(after(30), CrimeType.THEFT, 60.0, after(29), "again")
    with heard(signals.siren_unwanted) as calls:
        record(new, own, second)
    orphan = Episode.objects.get(pk=left)
    assert (orphan.status, orphan.ended_at) == ("lost", after(30))
    assert Episode.objects.get(pk=own).status == "suspicious"
    of_orphan = Delivery.objects.filter(episode=orphan).order_by("sequence")
    assert [row.kind for row in of_orphan] == ["alert", "stop"]
    assert calls == [{"camera_id": camera.pk, "episode_id": left}]


def test_an_episode_whose_watcher_is_gone_is_closed_after_the_grace() -> None:
    camera, now = a_camera(), timezone.now()
    lease = a_lease(camera, now)
    record(lease, uuid4(), OPENED)
    Claim.objects.update(last_frame_at=after(15))
    just_before = now + timedelta(seconds=12 + 9.9)
    assert episodes.close_orphaned_episodes(at=just_before) == 0
    with heard(signals.siren_unwanted) as calls:
        assert episodes.close_orphaned_episodes(at=now + timedelta(seconds=12 + 10)) == 1
    episode = Episode.objects.get()
    assert (episode.status, episode.ended_at) == ("lost", after(15)), "by the last frame seen"
    assert [kind for kind, *_ in told()] == ["alert", "stop"]
    assert calls == [{"camera_id": camera.pk, "episode_id": episode.pk}]
    assert episodes.close_orphaned_episodes(at=now + timedelta(seconds=60)) == 0


def test_an_episode_of_an_earlier_watcher_is_closed_at_once() -> None:
    camera = a_camera()
    record(a_lease(camera, timezone.now() - timedelta(seconds=13)), uuid4(), OPENED)
    a_lease(camera)
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 1
    assert Episode.objects.get().status == "lost"


def test_an_episode_of_a_camera_that_was_given_back_is_closed_at_once() -> None:
    lease = a_lease(a_camera())
    record(lease, uuid4(), OPENED)
    claims.give_lease_back(lease=lease)
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 1


def test_an_episode_that_is_watched_is_left_open() -> None:
    record(a_lease(a_camera()), uuid4(), OPENED)
    assert episodes.close_orphaned_episodes(at=timezone.now()) == 0
    assert Episode.objects.get().is_open


# --- review --------------------------------------------------------------------------------------


@pytest.fixture
def officer() -> User:
    return User.objects.create_user("officer", password="x")


@pytest.fixture
def another() -> User:
    return User.objects.create_user("another", password="x")


def test_a_verdict_is_kept_with_who_and_when(officer: User) -> None:
    key = uuid4()
    record(a_lease(a_camera()), key, OPENED, SURE, CLEARED)
    began = timezone.now()
    reviews.review_episode(
        episode_id=key, verdict=Verdict.CONFIRMED, by=Actor(officer), note="seen", reason="x"
    )
    episode = Episode.objects.get()
    assert (episode.verdict, episode.note, episode.dismiss_reason) == ("confirmed", "seen", "")
    assert episode.reviewed_by == officer
    assert episode.reviewed_at is not None and episode.reviewed_at >= began


def test_a_dismissal_needs_a_reason(officer: User) -> None:
    key = uuid4()
    record(a_lease(a_camera()), key, OPENED)
    with pytest.raises(ValueError, match="choose a reason"):
        reviews.review_episode(episode_id=key, verdict=Verdict.DISMISSED, by=Actor(officer))
    assert Episode.objects.get().verdict == "unreviewed"


def test_an_officer_who_saw_an_older_verdict_is_told_who_was_first(
    officer: User, another: User
) -> None:
    key = uuid4()
    record(a_lease(a_camera()), key, OPENED)
    reviews.review_episode(episode_id=key, verdict=Verdict.CONFIRMED, by=Actor(officer))
    with pytest.raises(AlreadyReviewed, match="officer has already set this episode to confirmed"):
        reviews.review_episode(
            episode_id=key, verdict=Verdict.DISMISSED, by=Actor(another), reason="test"
        )
    assert Episode.objects.get().reviewed_by == officer


def test_a_verdict_may_be_changed_by_whoever_saw_it(officer: User, another: User) -> None:
    key = uuid4()
    record(a_lease(a_camera()), key, OPENED)
    reviews.review_episode(episode_id=key, verdict=Verdict.CONFIRMED, by=Actor(officer))
    reviews.review_episode(
        episode_id=key,
        verdict=Verdict.DISMISSED,
        by=Actor(another),
        reason="authorised",
        expected=Verdict.CONFIRMED,
    )
    episode = Episode.objects.get()
    assert (episode.verdict, episode.dismiss_reason) == ("dismissed", "authorised")
    assert episode.reviewed_by == another


@pytest.mark.parametrize(
    ("verdict", "reason", "silenced"),
    [(Verdict.DISMISSED, "no_crime", True), (Verdict.CONFIRMED, "", False)],
)
def test_a_dismissal_silences_the_siren_once_it_is_committed(
    officer: User, verdict: Verdict, reason: str, silenced: bool
) -> None:
    camera, key = a_camera(), uuid4()
    record(a_lease(camera), key, OPENED)
    committed = transaction.get_connection().run_on_commit
    with heard(signals.siren_unwanted) as calls:
        asked_before = len(committed)
        reviews.review_episode(episode_id=key, verdict=verdict, by=Actor(officer), reason=reason)
        assert calls == [], "nobody is told of what may yet be rolled back"
        after_commit = [entry[1] for entry in committed[asked_before:]]
        assert len(after_commit) == silenced
        with transaction.atomic():  # the rings that follow are not meant to leave this test
            for act in after_commit:
                act()
    assert calls == ([{"camera_id": camera.pk, "episode_id": key}] if silenced else [])


def a_picture(name: str) -> KeptFile:
    return KeptFile(EvidenceKind.SNAPSHOT, name, 3, "ab" * 32)


def test_picture_and_timeline_are_the_holders_alone() -> None:
    camera, key = a_camera(), uuid4()
    lease = a_lease(camera)
    record(lease, key, OPENED)
    episodes.attach_evidence(lease=lease, episode_id=key, kept=a_picture("mine.jpg"))
    episodes.save_timeline(lease=lease, episode_id=key, timeline=[(0.0, 51.0)])
    a_lease(camera, timezone.now() + timedelta(seconds=13), "elsewhere")
    episodes.attach_evidence(lease=lease, episode_id=key, kept=a_picture("too-late.jpg"))
    episodes.save_timeline(lease=lease, episode_id=key, timeline=[(0.0, 99.0)])
    episode = Episode.objects.get(pk=key)
    assert [file.name for file in episode.files.all()] == ["mine.jpg"]
    assert episode.confidence_timeline == [[0.0, 51.0]]
