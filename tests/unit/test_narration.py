"""What is told of a watched scene: beginnings, steps and ends, and how a line of it reads."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from detection.analysis import Judgement
from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.management.telling import Clock, Tally, json_of, line_of
from detection.narration import Kind, Narrator, News, told_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THEFT, FIGHT = CrimeType.THEFT, CrimeType.FIGHTING
CLIP = Clock(UTC, NOON)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def suspicion(
    confidence: float, *track_ids: int, crime: CrimeType = THEFT, why: str = "took a bag"
) -> Suspicion:
    return Suspicion(crime, confidence, track_ids, why)


def judgement(
    seconds: float, *suspicions: Suspicion, events: Sequence[EpisodeEvent] = ()
) -> Judgement:
    by_rule = [("theft", one) for one in suspicions]
    return Judgement(Moment(after(seconds)), by_rule, list(suspicions), list(events))


def told(*judgements: Judgement) -> list[tuple[float, Kind, float | None]]:
    narrator = Narrator()
    return [
        ((news.at - NOON).total_seconds(), news.kind, news.confidence)
        for one in judgements
        for news in narrator.hear(one)
    ]


# --- suspicions ----------------------------------------------------------------------------------


def test_a_suspicion_is_told_when_it_begins_moves_by_a_step_and_is_over() -> None:
    values = (50, 55, 59.9, 60, 65, 55, 50)
    frames = [judgement(second, suspicion(value, 1)) for second, value in enumerate(values)]
    assert told(*frames, judgement(7.5), judgement(7.6), judgement(9)) == [
        (0, Kind.SUSPECTED, 50),
        (3, Kind.CHANGED, 60),
        (6, Kind.CHANGED, 50),
        (7.6, Kind.OVER, None),
    ]


def test_a_weak_suspicion_is_told_once_it_has_grown() -> None:
    values = (5, 24.9, 25, 20, 36, 14)
    frames = [judgement(second, suspicion(value, 1)) for second, value in enumerate(values)]
    assert told(*frames) == [
        (2, Kind.SUSPECTED, 25),
        (4, Kind.CHANGED, 36),
        (5, Kind.CHANGED, 14),
    ]


def test_a_suspicion_that_pauses_shortly_goes_on() -> None:
    frames = [judgement(0, suspicion(50, 1)), judgement(0.5), judgement(1.5, suspicion(55, 1))]
    assert told(*frames) == [(0, Kind.SUSPECTED, 50)]


def test_people_and_crimes_have_their_own_lines() -> None:
    frame = judgement(0, suspicion(50, 1), suspicion(60, 2), suspicion(70, 1, crime=FIGHT))
    assert [confidence for _, _, confidence in told(frame)] == [50, 60, 70]


def test_who_is_joined_by_another_is_the_same_suspicion() -> None:
    frames = [judgement(0, suspicion(50, 1)), judgement(1, suspicion(55, 1, 2))]
    assert told(*frames, judgement(2, suspicion(58, 2))) == [(0, Kind.SUSPECTED, 50)]


def test_a_suspicion_of_nobody_in_particular_is_one_too() -> None:
    assert told(judgement(0, suspicion(50)), judgement(1, suspicion(55))) == [
        (0, Kind.SUSPECTED, 50)
    ]


def test_of_several_suspicions_of_nobody_in_particular_the_surest_is_told() -> None:
    frames = [judgement(second, suspicion(30), suspicion(55)) for second in range(3)]
    assert told(*frames) == [(0, Kind.SUSPECTED, 55)]


def test_a_clock_that_is_set_back_ends_what_was_suspected() -> None:
    assert told(judgement(100, suspicion(50, 1)), judgement(10, suspicion(50, 1))) == [
        (100, Kind.SUSPECTED, 50),
        (10, Kind.OVER, None),
        (10, Kind.SUSPECTED, 50),
    ]


def test_the_rules_behind_a_suspicion_are_named_once() -> None:
    by_rule = [
        ("theft", suspicion(50, 1)),
        ("theft", suspicion(40, 1)),
        ("snatching", suspicion(50, 1)),
        ("fights", suspicion(60, 1, crime=FIGHT)),
        ("other", suspicion(60, 3)),
    ]
    fused = Judgement(Moment(NOON), by_rule, [suspicion(75, 1)], [])
    (news,) = Narrator().hear(fused)
    assert news.rules == ("theft", "snatching")


def test_the_steps_of_an_episode_follow_the_suspicions_of_their_frame() -> None:
    opened = EpisodeOpened(after(1), THEFT, 60, after(0), "took a bag")
    assert told(judgement(1, suspicion(60, 1), events=[opened])) == [
        (1, Kind.SUSPECTED, 60),
        (1, Kind.ALERT, 60),
    ]


# --- lines ---------------------------------------------------------------------------------------


EVENTS: list[EpisodeEvent] = [
    EpisodeOpened(after(10), CrimeType.SUSPICIOUS_ACTIVITY, 55.5, after(9.3), "lingers"),
    ConfidenceChanged(after(11), THEFT, 66),
    CrimeConfirmed(after(70), THEFT, 90, after(9.3), "took a bag"),
    EpisodeEnded(after(3700.25), EpisodeState.CLEARED),
]


def test_each_step_of_an_episode_is_a_line() -> None:
    assert [line_of(news, CLIP) for news in told_of(EVENTS)] == [
        "   0:10.0  ALERT      suspicious activity   56 %  since 0:09.3: lingers",
        "   0:11.0  ALERT now  theft                 66 %",
        "   1:10.0  CRIME      theft                 90 %  since 0:09.3: took a bag",
        "1:01:40.2  END                                    cleared",
    ]


def test_a_suspicion_is_a_line_with_its_rules() -> None:
    begun = News(Kind.SUSPECTED, after(5), THEFT, 50, "took a bag", (1,), ("theft", "other"))
    over = News(Kind.OVER, after(8), THEFT, track_ids=(1, 4), since=after(6))
    nobody = News(Kind.OVER, after(8), THEFT, since=after(6))
    assert [line_of(one, CLIP) for one in (begun, over, nobody)] == [
        "   0:05.0  suspected  theft                 50 %  took a bag  [theft, other]",
        "   0:08.0  over       theft                       last at 0:06.0: #1 #4",
        "   0:08.0  over       theft                       last at 0:06.0",
    ]


def test_for_programs_it_is_json() -> None:
    assert [json.loads(json_of(news, CLIP)) for news in told_of(EVENTS)][1:] == [
        {
            "what": "alert_changed",
            "at": "2026-03-01T12:00:11+00:00",
            "seconds": 11.0,
            "crime_type": "theft",
            "confidence": 66,
        },
        {
            "what": "crime",
            "at": "2026-03-01T12:01:10+00:00",
            "seconds": 70.0,
            "crime_type": "theft",
            "confidence": 90,
            "reason": "took a bag",
            "since": "2026-03-01T12:00:09.300000+00:00",
        },
        {
            "what": "ended",
            "at": "2026-03-01T13:01:40.250000+00:00",
            "seconds": 3700.25,
            "reason": "cleared",
        },
    ]


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [(0, "0:00.0"), (9.34, "0:09.3"), (59.96, "1:00.0"), (600, "10:00.0"), (3599.99, "1:00:00.0")],
)
def test_a_place_in_a_clip_is_spelt_in_minutes(seconds: float, spelt: str) -> None:
    assert CLIP.spell(after(seconds)) == spelt


def test_a_cameras_moments_are_those_of_the_sites_clock() -> None:
    assert Clock(ZoneInfo("Europe/Berlin")).spell(after(1)) == "13:00:01"


def test_a_tally_sums_up() -> None:
    tally = Tally(frames=100, first_at=NOON, last_at=after(19.8), wall_seconds=4, cpu_seconds=2.5)
    for news in told_of(EVENTS):
        tally.note(news)
    tally.film, tally.film_cpu_seconds = "out.mp4", 0.5
    assert tally.lines() == [
        "1 episode, 1 crime (theft)",
        "100 frames of 19.8 s judged in 4.0 s: 25.0 frames/s, 25.0 ms CPU a frame",
        "film: out.mp4 (5.0 ms CPU a frame more)",
    ]


def test_a_tally_of_nothing_divides_by_nothing() -> None:
    assert Tally().lines() == [
        "0 episodes, 0 crimes",
        "0 frames of 0.0 s judged in 0.0 s: 0.0 frames/s, 0.0 ms CPU a frame",
    ]
