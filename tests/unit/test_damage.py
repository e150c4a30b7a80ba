"""How much of a stream is damaged or missing, by what arrives of it."""

import random

import pytest

from detection.sources.damage import DamageGauge

FPS = 15


def arriving(gauge: DamageGauge, seconds: float, *, lost: float = 0.0, broken: float = 0.0) -> None:
    """Frames at an even pace, with jitter, of which some are lost and some are broken."""
    chance = random.Random(3)
    for number in range(int(seconds * FPS)):
        if chance.random() >= lost:
            pts = number / FPS + chance.uniform(-0.005, 0.005)
            gauge.note(pts + 0.1, pts, whole=chance.random() >= broken)


@pytest.mark.parametrize("counts_gaps", [True, False])
def test_a_whole_stream_has_no_damage(counts_gaps: bool) -> None:
    gauge = DamageGauge(counts_gaps=counts_gaps)
    arriving(gauge, 10)
    assert gauge.share() == 0.0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_frames_that_never_came_are_counted_by_the_gaps_in_time(share: float) -> None:
    gauge = DamageGauge(counts_gaps=True)
    arriving(gauge, 10, lost=share)
    assert gauge.share() == pytest.approx(share, abs=0.12)


def test_gaps_mean_nothing_where_no_packet_can_be_lost() -> None:
    gauge = DamageGauge(counts_gaps=False)
    arriving(gauge, 10, lost=0.5)
    assert gauge.share() == 0.0


def test_frames_that_came_broken_are_counted() -> None:
    gauge = DamageGauge(counts_gaps=False)
    arriving(gauge, 10, broken=0.3)
    assert gauge.share() == pytest.approx(0.3, abs=0.1)


def test_a_stream_that_was_damaged_is_well_again_after_a_few_seconds() -> None:
    gauge = DamageGauge(counts_gaps=True)
    for number in range(300):
        gauge.note(number / FPS, number / FPS, whole=number < 100 or number >= 180)
        if number == 179:
            assert gauge.share() > 0.8
    assert gauge.share() == 0.0


def test_nothing_is_said_of_the_first_moments() -> None:
    gauge = DamageGauge(counts_gaps=True)
    gauge.note(0.0, None, whole=False)
    gauge.note(0.1, 0.1, whole=False)
    assert gauge.share() == 0.0


def test_a_clock_that_jumps_is_no_gap() -> None:
    gauge = DamageGauge(counts_gaps=True)
    for number in range(80):
        jump = 7200.0 * (number // 20) * (-1) ** (number // 40)
        gauge.note(number / FPS, number / FPS + jump, whole=True)
    assert gauge.share() == 0.0


def test_undecodable_packets_count_though_they_have_no_time() -> None:
    gauge = DamageGauge(counts_gaps=True)
    for number in range(60):
        gauge.note(number / FPS, None, whole=False)
    assert gauge.share() == 1.0
