"""How fast limbs move: by poses, and by what changes in drawn pictures."""

from datetime import timedelta

import numpy as np
import pytest

from detection.behaviour.vigour import Vigour
from detection.domain.moments import Moment
from tests.unit.scenes import START, Walk, moments
from tests.unit.walls import Wall


def vigours(*walks: Walk, seconds: float, **scene: object) -> list[float | None]:
    """Of person 1, frame by frame; None where it cannot be told."""
    vigour = Vigour()
    return [
        vigour.observe(moment, moment.people).get(1)
        for moment in moments(*walks, seconds=seconds, **scene)  # type: ignore[arg-type]  # as moments takes them
    ]


def test_an_arm_that_shoots_out_and_back_is_fast() -> None:
    boxer = Walk("dddd", poses="|>|>", size=(0.08, 0.35))
    found = vigours(boxer, seconds=0.4)
    assert found[0] is None
    assert all(speed is not None and speed > 1 for speed in found[1:])


def test_who_stands_has_slow_limbs() -> None:
    assert vigours(Walk("dddd", poses="||||"), seconds=0.4)[1:] == [None, None, None], "one look"
    swaying = Walk("dddd", poses="||||", sway=0.002)
    assert all((speed or 0.0) < 0.2 for speed in vigours(swaying, seconds=0.4))


def test_who_walks_with_arms_down_has_slow_limbs() -> None:
    assert all((speed or 0.0) < 0.2 for speed in vigours(Walk("defg", poses="||||"), seconds=0.4))


def test_looks_too_far_apart_tell_nothing() -> None:
    assert vigours(Walk("ddd", poses="|>|"), seconds=1.5) == [None, None, None]


def test_without_poses_the_picture_tells() -> None:
    man = Walk("dddddd", size=(0.08, 0.35))
    swinging = vigours(man, seconds=0.2, pictures=Wall([man], limbs=lambda *_: "blows"))
    still = vigours(man, seconds=0.2, pictures=Wall([man]))
    assert all(speed is not None and speed > 1 for speed in swinging[1:])
    assert all(speed is not None and speed < 0.1 for speed in still[1:])


@pytest.mark.parametrize("light", [0.6, 1.5])
def test_a_flash_of_light_is_no_motion(light: float) -> None:
    man = Walk("dddd", size=(0.08, 0.35))
    flickering = Wall([man], light=lambda number: light if number % 2 else 1.0)
    assert all((speed or 0.0) < 0.5 for speed in vigours(man, seconds=0.2, pictures=flickering))


def test_what_others_do_is_theirs() -> None:
    man, other = Walk("dddd", size=(0.08, 0.35)), Walk("eeee", id=2, size=(0.08, 0.35))
    drawn = Wall([man, other], limbs=lambda _, who: "work" if who == 2 else "")
    assert all((speed or 0.0) < 0.5 for speed in vigours(man, other, seconds=0.2, pictures=drawn))


def test_of_people_too_small_nothing_is_told() -> None:
    child = Walk("DDDD", size=(0.04, 0.2))
    assert vigours(child, seconds=0.2, pictures=Wall([child])) == [None] * 4


def test_a_picture_of_another_size_tells_nothing() -> None:
    man = Walk("d", size=(0.08, 0.35))
    wall, vigour = Wall([man]), Vigour()
    vigour.observe(Moment(START, man.at(0), picture=wall(0)), man.at(0))
    other = Moment(START + timedelta(seconds=0.2), man.at(0), picture=np.zeros((90, 160), np.uint8))
    assert vigour.observe(other, man.at(0)) == {}
