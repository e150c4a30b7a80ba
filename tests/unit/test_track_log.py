"""The log of tracks: about two samples a second, only while somebody is there, and bounded."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.track_log import (
    MOST_BYTES,
    MOST_TRACKS,
    MOST_WAITING,
    Page,
    Sample,
    TrackLog,
    TrackLogError,
    feet_of,
    read_page,
)
from detection.domain.tracks import Track

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def person(x: float, key: int = 1, label: str = "person") -> Track:
    return Track(key, label, 0.9, Box(x, 0.2, x + 0.1, 0.6))


def moment(seconds: float, *tracks: Track) -> Moment:
    return Moment(NOON + timedelta(seconds=seconds), tracks)


def pages_of(log: TrackLog) -> list[Page]:
    log.end()
    pages = []
    while (page := log.take()) is not None:
        pages.append(page)
    return pages


def samples_of(page: Page) -> list[Sample]:
    return list(read_page(page.packed(), page.began_at)[1])


def test_ten_frames_a_second_are_two_samples_a_second() -> None:
    log = TrackLog()
    for number in range(101):
        log.see(moment(number / 10, person(0.1)))
    (page,) = pages_of(log)
    times = [(sample.at - NOON).total_seconds() for sample in samples_of(page)]
    assert times == pytest.approx([0.5 * number for number in range(21)])


def test_where_somebody_was_is_read_as_it_was_seen() -> None:
    log = TrackLog()
    log.see(Moment(NOON, [person(0.25, 7), person(0.5, 9, "car")], aspect=1.5))
    (page,) = pages_of(log)
    aspect, samples = read_page(page.packed(), page.began_at)
    (sample,) = samples
    assert aspect == 1.5
    assert [(track.id, track.label, track.confidence) for track in sample.tracks] == [
        (7, "person", 0.9),
        (9, "car", 0.9),
    ]
    assert sample.tracks[0].box == pytest.approx(Box(0.25, 0.2, 0.35, 0.6), abs=1e-5)


def test_things_and_empty_pictures_are_not_kept_but_that_somebody_left_is() -> None:
    log = TrackLog()
    log.see(moment(0, person(0.1, label="handbag")))
    log.see(moment(1, person(0.1)))
    for second in range(2, 60):
        log.see(moment(second))
    (page,) = pages_of(log)
    assert [len(sample.tracks) for sample in samples_of(page)] == [1, 0]


def test_pages_take_a_minute_at_first_and_ten_later() -> None:
    log = TrackLog()
    for second in range(2200):
        log.see(moment(second, person(0.1)))
    began = [(page.began_at - NOON).total_seconds() for page in pages_of(log)]
    assert began == [120, 240, 480, 960, 1560, 2160]  # the first two were not taken in time


def test_a_crowd_fills_a_page_sooner_and_never_makes_a_larger_one() -> None:
    log, random = TrackLog(), Random(1)
    crowd = [person(random.random() * 0.9, key) for key in range(100)]
    for second in range(1000):
        log.see(moment(second, *crowd))
    pages = pages_of(log)
    assert [(page.began_at - NOON).total_seconds() for page in pages][-2:] == [480, 934]
    assert all(len(page.samples) <= MOST_BYTES + 5 + 14 * MOST_TRACKS for page in pages)
    assert {len(sample.tracks) for sample in samples_of(pages[0])} == {MOST_TRACKS}


def test_a_clock_that_is_set_back_begins_a_new_page() -> None:
    log = TrackLog()
    log.see(moment(100, person(0.1)))
    log.see(moment(10, person(0.1)))
    assert [page.began_at for page in pages_of(log)] == [
        NOON + timedelta(seconds=100),
        NOON + timedelta(seconds=10),
    ]


def test_a_database_that_stays_away_costs_the_oldest_pages_and_no_memory() -> None:
    log = TrackLog()
    for number in range(10):
        log.see(moment(number * 700, person(0.1)))
    pages = pages_of(log)
    assert len(pages) == MOST_WAITING
    assert pages[-1].began_at == NOON + timedelta(seconds=6300)


@pytest.mark.parametrize("content", [b"", b"nothing", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_is_no_page_is_refused(content: bytes) -> None:
    with pytest.raises(TrackLogError):
        read_page(content, NOON)


def test_a_way_keeps_the_steps_that_can_be_seen() -> None:
    samples = [
        Sample(NOON + timedelta(seconds=number), [person(0.1 + step)])
        for number, step in enumerate((0, 0.001, 0.002, 0.1))
    ]
    assert feet_of(samples, 0.01) == {1: [(0.15, 0.6), (0.25, 0.6)]}
