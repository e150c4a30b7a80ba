"""Small stories of people as boxes and skeletons, with the numbers worked out by hand."""

from collections.abc import Sequence
from math import isnan, log

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.behaviour.bodies import Body, matched, person_features
from detection.behaviour.fight_features import BODY_FEATURES, body_features, pose_of
from detection.behaviour.motion import earlier_looks, motion_features
from detection.behaviour.regions import CROP_SIDE, Crop, regions_of
from detection.behaviour.sights import Sight, near, people_in, thinned, windows

GREY = np.zeros((360, 640), np.uint8)
Numbers = NDArray[np.float32]


def _person(x: float, y: float = 100.0, height: float = 100.0) -> list[float]:
    """An upright box by its left edge and top, 0.4 as wide as high: its size is its height."""
    return [x, y, x + 0.4 * height, y + height]


def _box(x: float, y: float = 100.0, height: float = 100.0) -> Numbers:
    return np.array(_person(x, y, height), np.float32)


def _story(*sights: Sequence[list[float]], rate: float = 5.0) -> list[Sight]:
    return [
        Sight(number / rate, GREY, np.array(boxes, np.float32).reshape(-1, 4))
        for number, boxes in enumerate(sights)
    ]


def _named(vector: Numbers) -> dict[str, float]:
    return dict(zip(BODY_FEATURES, vector.tolist(), strict=True))


# --- who is near whom ----------------------------------------------------------------------------


def test_one_person_seen_twice_is_one_and_a_doubtful_one_is_nobody() -> None:
    rows = np.array(
        [
            [*_person(100), 0.3],
            [*_person(101), 0.9],
            [*_person(300), 0.09],
        ],
        np.float32,
    )
    assert people_in(rows).tolist() == [_box(101).tolist()]


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        (_box(150), True),  # 10 pixels between people of 100
        (_box(215), True),  # 75 pixels
        (_box(225), False),  # 85 pixels
        (_box(150, height=30), False),  # one is far behind the other
        (_box(100, y=230), True),  # one below the other's feet, 30 pixels
        (_box(100, y=245), False),
    ],
)
def test_people_are_near_who_could_touch(other: Numbers, answer: bool) -> None:
    assert near(_box(100), other) is answer
    assert near(other, _box(100)) is answer


def test_two_who_stand_together_are_a_region_and_a_third_far_away_is_not_in_it() -> None:
    (region,) = regions_of(_story(*[[_person(100), _person(150), _person(500)]] * 4))
    assert region.box.tolist() == [100, 100, 190, 200]
    assert len(region.members) == 8


def test_two_pairs_far_apart_are_two_regions() -> None:
    pairs = [_person(50), _person(100), _person(400), _person(450)]
    assert len(regions_of(_story(*[pairs] * 3))) == 2


def test_who_walks_alone_makes_no_region() -> None:
    assert regions_of(_story(*[[_person(50 + 20 * n), _person(500)] for n in range(5)])) == []


def test_two_who_grapple_and_are_seen_as_one_still_belong_to_their_region() -> None:
    apart = [_person(100), _person(145)]
    as_one = [[105.0, 100.0, 165.0, 200.0]]
    (region,) = regions_of(_story(apart, as_one, as_one, apart))
    assert {member.sight for member in region.members} == {0, 1, 2, 3}


def test_a_single_sight_is_no_region() -> None:
    assert regions_of(_story([_person(100), _person(150)])) == []


def test_the_crop_holds_the_region_and_puts_its_middle_into_the_middle() -> None:
    (region,) = regions_of(_story(*[[_person(100), _person(150)]] * 2))
    crop = Crop.around(region)
    (inside,) = crop.inside(region.box[None])
    assert inside.min() > 0
    assert inside.max() < CROP_SIDE
    assert ((inside[:2] + inside[2:]) / 2).tolist() == [128, 128]
    picture = GREY.copy()
    picture[150, 145] = 255  # the region's middle
    bright = np.unravel_index(np.argmax(crop.cut(picture)), (CROP_SIDE, CROP_SIDE))
    assert np.allclose(bright, 128, atol=2)


# --- time ----------------------------------------------------------------------------------------


def test_sights_that_follow_too_closely_are_left_out() -> None:
    kept = thinned(_story(*[[]] * 10, rate=10))
    assert [round(sight.at, 1) for sight in kept] == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert len(thinned(_story(*[[]] * 10, rate=5))) == 10


def test_a_long_clip_is_cut_into_windows_of_two_seconds() -> None:
    cut = windows(_story(*[[]] * 21))  # 0 to 4 s
    assert [(w[0].at, w[-1].at) for w in cut] == [(0, 2), (1, 3), (2, 4)]
    assert len(windows(_story(*[[]] * 12))) == 1
    assert windows([]) == []


def test_each_look_is_compared_with_the_one_so_many_seconds_before() -> None:
    at_five = [0.0, 0.2, 0.4, 0.6]
    assert earlier_looks(at_five, 0.2) == [(1, 0), (2, 1), (3, 2)]
    assert earlier_looks(at_five, 0.4) == [(2, 0), (3, 1)]
    assert earlier_looks([0.0, 0.2], 0.4) == [(1, 0)]


# --- bodies --------------------------------------------------------------------------------------


def test_speeds_are_in_body_sizes_per_second_at_any_rate_and_distance() -> None:
    for rate in (4.0, 5.0):
        for scale in (1.0, 3.0):
            pixels = 50 * scale / rate  # half a body height a second
            bodies = [[Body(_box(100 + pixels * n, height=100 * scale), None)] for n in range(5)]
            found = _named(body_features(bodies, [n / rate for n in range(5)]))
            assert found["mean over time of the mean speed"] == pytest.approx(0.5, rel=1e-4)
            assert found["greatest over time of the greatest speed"] == pytest.approx(0.5, rel=1e-4)


def test_two_who_close_in_on_each_other() -> None:
    # 10 pixels nearer from each side each 0.2 s: 1 body height a second.
    bodies = [[Body(_box(100 + 10 * n), None), Body(_box(200 - 10 * n), None)] for n in range(4)]
    found = _named(body_features(bodies, [0.0, 0.2, 0.4, 0.6]))
    assert found["mean over time of the mean closing"] == pytest.approx(1.0)
    assert found["mean over time of the mean relative speed"] == pytest.approx(1.0)
    assert found["pairs"] == 1
    assert found["people"] == 2
    assert found["share of sights with a pair"] == 1
    assert isnan(found["mean over time of the mean reach"])  # no pose was seen


def test_a_picture_and_its_mirror_image_have_the_same_numbers() -> None:
    boxes = [[_box(100 + 7 * n), _box(160 - 9 * n, height=90)] for n in range(4)]
    mirrored = [[np.array([640 - b[2], b[1], 640 - b[0], b[3]], np.float32) for b in some]
                for some in boxes]  # fmt: skip
    times = [0.0, 0.2, 0.4, 0.6]
    one, other = (
        body_features([[Body(box, None) for box in some] for some in story], times)
        for story in (boxes, mirrored)
    )
    assert np.allclose(one, other, equal_nan=True, atol=1e-4)


def test_nobody_in_a_sight_is_unknown_and_not_still() -> None:
    found = _named(body_features([[], [], []], [0.0, 0.2, 0.4]))
    assert isnan(found["mean over time of the mean speed"])
    assert found["people"] == 0


def _skeleton(wrist_x: float) -> Numbers:
    points = np.zeros((17, 3), np.float32)
    points[[5, 6]] = [[110, 120, 0.9], [130, 120, 0.9]]  # shoulders
    points[[11, 12]] = [[112, 160, 0.9], [128, 160, 0.9]]  # hips
    points[9] = [wrist_x, 140, 0.9]
    return points


def test_a_blow_is_a_fast_wrist_and_walking_is_none() -> None:
    still, punching = (Body(_box(100), _skeleton(x)) for x in (120, 180))
    assert person_features(still, punching, 0.2)[3] == pytest.approx(60 / 100 / 0.2)
    walked = _skeleton(120)
    walked[:, 0] += 30
    assert person_features(still, Body(_box(130), walked), 0.2)[3] == 0
    faint = _skeleton(180)
    faint[9, 2] = 0.2
    assert isnan(person_features(still, Body(_box(100), faint), 0.2)[3])


def test_who_lies_is_tilted_and_wide() -> None:
    lying = _skeleton(120)
    lying[[5, 6], :2] = [[100, 158], [100, 162]]
    lying[[11, 12], :2] = [[140, 158], [140, 162]]
    found = person_features(None, Body(np.array([90, 140, 190, 180], np.float32), lying), 0.2)
    assert found[6] == pytest.approx(np.pi / 2)
    assert found[8] == pytest.approx(log(100 / 40))


def test_people_keep_their_identity_by_the_least_change() -> None:
    before = [Body(_box(100), None), Body(_box(200), None)]
    now = [Body(_box(210), None), Body(_box(105), None), Body(_box(500), None)]
    assert matched(before, now) == {0: 1, 1: 0}


def test_a_pose_is_given_to_the_person_whom_it_covers() -> None:
    def guess(x: float, confidence: float) -> list[float]:
        return [x + 20, 150, 40, 100, confidence, *[float(x)] * 51]

    poses = np.array([guess(100, 0.5), guess(160, 0.9), guess(104, 0.7)], np.float32)
    first, second = pose_of(_box(100), poses), pose_of(_box(160), poses)
    assert first is not None and first[0, 0] == 104  # surer, and almost as good a cover
    assert second is not None and second[0, 0] == 160
    assert pose_of(_box(400), poses) is None
    assert pose_of(_box(100), np.array([guess(100, 0.2)], np.float32)) is None


# --- motion --------------------------------------------------------------------------------------


def test_what_does_not_change_has_no_motion_and_what_changes_has_as_much_wherever_it_is() -> None:
    still = [np.ones((2, 8, 8), np.float32)]
    assert np.allclose(motion_features([still, still, still], [0, 0.2, 0.4]), log(1e-3))
    answers = []
    for row, column in ((1, 1), (6, 3)):
        moved = [still[0].copy()]
        moved[0][1, row, column] += 4
        answers.append(motion_features([still, moved, still], [0, 0.2, 0.4]))
    assert np.allclose(answers[0], answers[1])
    short_still, short_moved, long_still, long_moved = answers[0].tolist()
    # 4 in one of the 4 strongest cells; over 0.4 s everything is back where it was.
    assert short_moved == pytest.approx(log(1 + 1e-3), abs=1e-6)
    assert short_still == long_still == long_moved == pytest.approx(log(1e-3))
