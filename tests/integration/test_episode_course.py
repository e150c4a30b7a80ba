"""The course of an episode: its moments, and its way from the camera to siren and reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from detection.admin.episode_additions import Stage
from detection.admin.episode_course import Latency, latencies_of, marks_of, stages_of
from detection.models import Episode, EpisodeEvent
from integrations.models import Delivery, Sounding
from tests.rows import a_camera, a_delivery, an_episode

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 20, 22, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def passed(at: float) -> dict[str, float]:
    """The stages of a frame that was captured so many seconds after the beginning."""
    names = ("captured", "decoded", "posted", "inferred", "decided")
    return {
        name: (after(at) + timedelta(milliseconds=ms)).timestamp()
        for name, ms in zip(names, (0, 40, 45, 85, 90), strict=True)
    }


def an_event(episode: Episode, kind: str, at: float, **fields: Any) -> EpisodeEvent:
    return EpisodeEvent.objects.create(episode=episode, kind=kind, at=after(at), **fields)


def a_report(episode: Episode, number: int, kind: str, delivered: float | None) -> Delivery:
    report = a_delivery(
        episode,
        number,
        kind=kind,
        status="delivered" if delivered else "pending",
        payload={"crime_type": "theft"} if kind == "crime" else {},
        delivered_at=after(delivered) if delivered else None,
    )
    Delivery.objects.filter(pk=report.pk).update(created_at=after((delivered or 60) - 0.5))
    return report


def a_sounding(episode: Episode, asked: float, **fields: Any) -> Sounding:
    return Sounding.objects.create(
        camera=episode.camera, episode_id=episode.pk, asked_at=after(asked), **fields
    )


@pytest.fixture
def episode() -> Episode:
    """Suspicious at 0 s, alerted at 1 s, a theft at 4 s, over at 20 s."""
    episode = an_episode(
        a_camera(),
        started_at=BEGAN,
        alerted_at=after(1),
        decided_at=after(1.09),
        confirmed_at=after(4),
        ended_at=after(20),
    )
    an_event(episode, "opened", 1, stages=passed(1))
    an_event(episode, "confidence", 2)
    an_event(episode, "confirmed", 4, crime_type="theft", stages=passed(4))
    an_event(episode, "confirmed", 6, crime_type="vandalism", stages=passed(6))
    an_event(episode, "cleared", 20)
    a_sounding(
        episode,
        1.1,
        answered_at=after(1.14),
        silenced_at=after(12),
        silenced_by="officer",
        officer="ann",
        method="tapo",
    )
    a_report(episode, 1, "alert", 1.5)
    a_report(episode, 2, "alert", 2.5)
    a_report(episode, 3, "crime", 4.6)
    a_report(episode, 4, "stop", None)
    return episode


def test_the_timeline_has_each_moment_in_its_order(episode: Episode) -> None:
    told = [((mark.at - BEGAN).total_seconds(), mark.key, mark.label) for mark in marks_of(episode)]
    assert told == [
        (0, "suspicious", "Suspicious"),
        (1, "alerted", "Alert raised"),
        (1.14, "siren-on", "Siren on"),
        (1.5, "alert-delivered", "Alert delivered"),
        (4, "confirmed-theft", "Confirmed: theft"),
        (4.6, "crime-delivered", "Crime delivered"),
        (6, "confirmed-vandalism", "Confirmed: vandalism"),
        (12, "siren-off", "Siren off: by hand, ann"),
        (20, "cleared", "Cleared"),
    ]


def test_the_way_of_the_alert_is_told_stage_by_stage(episode: Episode) -> None:
    told = [
        (one.key, one.since, None if one.milliseconds is None else round(one.milliseconds))
        for one in latencies_of(stages_of(episode))
    ]
    assert told == [
        ("captured", "", None),
        ("decoded", "Captured", 40),
        ("posted", "Decoded", 5),
        ("inferred", "Sent to the detector", 40),
        ("decided", "Looked at", 5),
        ("siren", "the decision", 50),
        ("alert", "the decision", 410),
        ("crime", "the decision", 510),  # since the decision on its own frame, at 4.09 s
        ("stop", "", None),
    ]


def test_an_episode_without_stages_says_what_is_known() -> None:
    episode = an_episode(a_camera(), started_at=BEGAN, alerted_at=after(1), decided_at=after(1.2))
    told = {one.key: one for one in latencies_of(stages_of(episode))}
    assert [key for key, one in told.items() if one.at is not None] == ["captured", "decided"]
    assert told["decided"].milliseconds == pytest.approx(200)
    assert told["decided"].since == "Captured"
    assert told["siren"].milliseconds is None


@pytest.mark.parametrize("ahead", [-0.2, 3600])
def test_a_camera_whose_clock_is_another_gives_no_latency(ahead: float) -> None:
    stages = [
        Stage("captured", "Captured", BEGAN),
        Stage("decoded", "Decoded", after(ahead)),
        Stage("posted", "Posted", after(ahead + 0.005)),
    ]
    _, decoded, posted = latencies_of(stages)
    assert decoded == Latency("decoded", "Decoded", after(ahead), None, "Captured", True)
    assert posted.milliseconds == pytest.approx(5)


def test_a_second_sounding_is_marked_too_and_the_first_counts(episode: Episode) -> None:
    a_sounding(episode, 14, answered_at=after(14.5))
    a_sounding(episode, 16)  # never heard
    keys = [mark.key for mark in marks_of(episode)]
    assert keys.count("siren-on") == 2 and keys.count("siren-off") == 1
    siren = next(stage for stage in stages_of(episode) if stage.key == "siren")
    assert siren.at == after(1.14)


def test_the_course_costs_the_same_however_long_it_was(
    episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        an_event(episode, "confidence", 7 + number / 10)
        a_report(episode, 10 + number, "alert", 7 + number / 10)
    fresh = Episode.objects.select_related("camera").prefetch_related("events").get()
    with django_assert_num_queries(2):  # deliveries and soundings, read once
        marks_of(fresh)
        latencies_of(stages_of(fresh))
