"""Vandalism, by drawn pictures of a brick wall (walls.py) in the street of scenes.py.

Frames come five times a second. Somebody comes along after ten seconds, stands at d from frame 59
to 98 and has gone by frame 111. Paint is on the wall, or the light is another one, from frame 80.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from detection.behaviour.appearance import Appearance
from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone, ZoneKind
from detection.rules.settings import Settings
from detection.rules.vandalism import Vandalism
from tests.unit.scenes import START, Walk, moments, play
from tests.unit.walls import Wall

FRAME = 0.2
WALL = Zone.of("wall", ZoneKind.PROTECTED, [[0.2, 0.1], [0.8, 0.1], [0.8, 0.55], [0.2, 0.55]])
MAN = Walk(50 * "." + "aaabbbccc" + 40 * "d" + "eeefffgggjjj" + 111 * ".", size=(0.08, 0.35))
BEHIND_HIM = Box(0.34, 0.2, 0.46, 0.42)
GRAFFITI = (80, BEHIND_HIM, "paint")


def at_work(number: int, track_id: int) -> str:
    return "work" if 59 <= number < 99 and track_id == 1 else ""


def dealing_blows(number: int, track_id: int) -> str:
    return "blows" if 59 <= number < 99 and track_id == 1 else ""


def seen(
    *walks: Walk, zone: Zone | None = WALL, settings: Settings | None = None, **drawn: Any
) -> dict[int, Suspicion]:
    """What is suspected, by frame, in a scene drawn so."""
    rule = Vandalism([zone] if zone else [], settings or Settings())
    frames = play(rule, *walks, seconds=FRAME, pictures=Wall(walks, **drawn))
    return {number: max(found, key=_sureness) for number, found in enumerate(frames) if found}


def _sureness(suspicion: Suspicion) -> float:
    return suspicion.confidence


# --- what must be seen -----------------------------------------------------------------------


def test_paint_on_the_wall_after_somebody_was_at_work_is_vandalism() -> None:
    found = seen(MAN, limbs=at_work, marks=[GRAFFITI])
    first = min(found)
    assert 99 < first < 99 + 5 / FRAME, "within five seconds of leaving the place"
    assert found[first].crime_type is CrimeType.VANDALISM
    assert found[first].confidence == 50.0
    assert found[first].track_ids == (1,)
    assert "“wall” has looked different for 2 s after somebody was at work" in found[first].reason
    assert max(map(_sureness, found.values())) == 85.0


def test_it_is_sure_for_long_enough_to_be_confirmed_and_then_the_wall_is_as_it_is() -> None:
    found = seen(MAN, limbs=at_work, marks=[GRAFFITI])
    sure = [number for number, suspicion in found.items() if suspicion.confidence >= 80]
    assert len(sure) * FRAME > 2.0
    assert max(found) < 200, "it is not told for ever"


def test_one_look_is_never_enough() -> None:
    found = seen(MAN, limbs=at_work, marks=[(80, BEHIND_HIM, "paint")])
    assert len(found) > 10
    steps = np.diff([suspicion.confidence for suspicion in found.values()])
    assert (steps < 6).all(), "it rises step by step"


def test_paint_is_seen_at_night_through_the_noise_of_the_camera() -> None:
    assert seen(MAN, limbs=at_work, marks=[GRAFFITI], noise=8.0)


def test_paint_is_seen_where_frames_are_rarer() -> None:
    walk = Walk("".join(MAN.steps[::2]), size=MAN.size)
    rule = Vandalism([WALL], Settings())
    wall = Wall(
        [walk],
        limbs=lambda number, _: "work" if 30 <= number < 50 else "",
        marks=[(40, BEHIND_HIM, "paint")],
    )
    assert any(play(rule, walk, seconds=0.4, pictures=wall))


def test_a_clock_that_steps_back_a_little_now_and_then_hides_no_paint() -> None:
    rule = Vandalism([WALL], Settings())
    scene = moments(MAN, seconds=FRAME, pictures=Wall([MAN], limbs=at_work, marks=[GRAFFITI]))
    late = [
        replace(moment, at=moment.at - timedelta(seconds=0.9 if number % 20 == 5 else 0))
        for number, moment in enumerate(scene)
    ]
    assert any(rule.observe(moment) for moment in late)


def test_blows_at_a_parked_car_are_vandalism() -> None:
    car = Walk(222 * "e", id=2, label="car")
    found = seen(MAN, car, zone=None, limbs=dealing_blows)
    assert found, "no zone is needed"
    first = found[min(found)]
    assert first.crime_type is CrimeType.VANDALISM
    assert first.track_ids == (1,)
    assert first.reason.startswith("blows at car 2: 2")
    assert max(map(_sureness, found.values())) > 80


def test_blows_at_the_protected_wall_are_vandalism_before_it_looks_different() -> None:
    found = seen(MAN, limbs=dealing_blows)
    assert min(found) < 99
    assert found[min(found)].reason.startswith("blows at “wall”")


# --- what must not ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "drawn",
    [
        {},
        {"limbs": at_work},
        {"limbs": at_work, "noise": 10.0},
        {"limbs": at_work, "light": lambda number: 1.0 if number < 80 else 1.6},
        {"limbs": at_work, "light": lambda number: 1.0 if number < 80 else 0.4},
        {"limbs": at_work, "light": lambda number: 1 + 0.3 * np.sin(number / 30)},
        {"limbs": at_work, "marks": [(80, Box(0, 0, 0.5, 1), "shade")]},
        {"limbs": at_work, "marks": [(80, Box(0.3, 0.2, 0.5, 0.42), "shade")]},
        {"limbs": at_work, "nudged": 80},
        {"limbs": at_work, "marks": [(80, Box(0.86, 0.2, 0.98, 0.42), "paint")]},
        {"limbs": at_work, "marks": [(80, Box(0.39, 0.25, 0.41, 0.29), "paint")]},
    ],
    ids=[
        "somebody just stands there",
        "somebody works and leaves all as it was",
        "the same at night",
        "a lamp is switched on",
        "a lamp is switched off",
        "clouds",
        "a long shadow",
        "a small shadow",
        "the camera is nudged",
        "another place is painted",
        "something tiny is left",
    ],
)
def test_it_is_no_vandalism_where(drawn: dict[str, Any]) -> None:
    assert seen(MAN, **drawn) == {}


def test_paint_that_appears_while_somebody_just_stands_there_is_not_held_against_him() -> None:
    assert seen(MAN, marks=[GRAFFITI]) == {}


def test_who_walks_past_a_change_has_not_made_it() -> None:
    passing = Walk(70 * "." + "abcdefghij" + 110 * ".", size=(0.08, 0.35))
    always: Callable[[int, int], str] = lambda number, track_id: "work"  # noqa: E731 — it is short
    assert seen(passing, limbs=always, marks=[GRAFFITI]) == {}


def test_a_car_that_parks_before_the_wall_is_no_vandalism_even_where_it_is_then_missed() -> None:
    car = Walk(85 * "." + 50 * "d" + 55 * ".", id=2, label="car")  # and its look stays
    lump = (85, Box(0.23, 0.25, 0.47, 0.5), "lump")
    assert seen(MAN, car, limbs=at_work, marks=[lump]) == {}


def test_two_who_fight_beside_a_car_do_not_strike_the_car() -> None:
    car = Walk(222 * "e", id=2, label="car")
    other = Walk(222 * "d", id=3, size=(0.02, 0.1))  # hides hardly anything of him
    assert seen(MAN, other, car, zone=None, limbs=dealing_blows) == {}


def test_a_car_that_drives_is_not_struck() -> None:
    car = Walk("".join("cdef"[number // 3 % 4] for number in range(222)), id=2, label="car")
    assert seen(MAN, car, zone=None, limbs=dealing_blows) == {}


def test_blows_into_the_air_are_none() -> None:
    assert seen(MAN, zone=None, limbs=dealing_blows) == {}


def test_without_a_picture_nothing_is_said_of_change() -> None:
    rule = Vandalism([WALL], Settings())
    assert not any(play(rule, MAN, seconds=FRAME))


# --- settings and oddities -------------------------------------------------------------------


def test_a_zone_that_is_not_armed_by_day_is_left_alone_by_day() -> None:
    own = {"vandalism": {"armed_in": ["night"]}}
    zone = Zone.of("wall", ZoneKind.PROTECTED, [[0.2, 0.1], [0.8, 0.1], [0.8, 0.55]], own)
    drawn = {"limbs": at_work, "marks": [GRAFFITI]}
    for profile, expected in ((Profile.DAY, False), (Profile.NIGHT, True)):
        rule = Vandalism([zone], Settings())
        frames = play(rule, MAN, seconds=FRAME, profile=profile, pictures=Wall([MAN], **drawn))  # type: ignore[arg-type]  # a mapping of both
        assert any(list(frames)) is expected


def test_a_longer_dwell_may_be_asked_for() -> None:
    settings = Settings(({"vandalism": {"dwell_seconds": 9}},))
    assert seen(MAN, settings=settings, limbs=at_work, marks=[GRAFFITI]) == {}


def test_a_picture_of_another_size_is_learnt_anew() -> None:
    rule = Vandalism([WALL], Settings())
    wall = Wall([MAN], limbs=at_work, marks=[GRAFFITI])
    found: list[Suspicion] = []
    for number, moment in enumerate(moments(MAN, seconds=FRAME, pictures=wall)):
        picture = wall(number) if number < 105 else wall(number)[:, ::2].copy()
        found += rule.observe(Moment(moment.at, moment.tracks, picture=picture))
    assert found == []


# --- what is not looked at -----------------------------------------------------------------------


def test_without_a_protected_zone_no_picture_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(Appearance, "look", lambda *_: looks.append(1))
    assert seen(MAN, zone=None, limbs=at_work, marks=[GRAFFITI]) == {}
    assert looks == []


def test_a_picture_too_flat_to_be_compared_spoils_nothing() -> None:
    rule = Vandalism([WALL], Settings())
    assert rule.observe(Moment(START, picture=np.zeros((4, 320), np.uint8))) == []
