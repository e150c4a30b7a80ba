"""Keypoints find the tracks of their people, and come back from the network's picture."""

import numpy as np
import pytest

from detection.domain.geometry import Box
from detection.domain.letterbox import Letterbox
from detection.domain.moments import Opinion
from detection.domain.poses import Pose, keypoints_by_track, overlap
from detection.domain.tracks import Track


def pose(x: float, mark: float = 1.0) -> Pose:
    return Pose(Box(x, 0.2, x + 0.1, 0.6), np.full((17, 3), mark, np.float32))


def track(number: int, x: float, label: str = "person") -> Track:
    return Track(number, label, 0.9, Box(x, 0.2, x + 0.1, 0.6))


def test_each_pose_goes_to_the_person_who_stands_there() -> None:
    found = keypoints_by_track([track(7, 0.1), track(8, 0.5)], [pose(0.51, 5), pose(0.12, 1)])
    assert {number: float(keypoints[0, 0]) for number, keypoints in found.items()} == {7: 1, 8: 5}


def test_two_who_overlap_share_no_pose() -> None:
    found = keypoints_by_track([track(7, 0.10), track(8, 0.13)], [pose(0.12)])
    assert list(found) == [8]


def test_a_pose_where_nobody_stands_and_a_dog_get_nothing() -> None:
    assert keypoints_by_track([track(7, 0.8), track(8, 0.1, "dog")], [pose(0.1)]) == {}


def test_overlap_is_the_common_part_of_both() -> None:
    assert overlap(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 1, 1), Box(1, 0, 2, 1)) == 0.0


def test_places_come_back_as_shares_of_the_picture() -> None:
    letterbox = Letterbox((1280, 720), (640, 384))  # half as large, 12 rows of padding above
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[0] = 0.25, 102 / 384, 0.8
    seen = letterbox.undo_pose(Pose(Box(0.25, 102 / 384, 0.5, 192 / 384), keypoints))
    assert seen.box == pytest.approx((0.25, 0.25, 0.5, 0.5))
    np.testing.assert_allclose(seen.keypoints[0], [0.25, 0.25, 0.8], rtol=1e-6)


def test_an_opinion_of_the_whole_input_is_one_of_the_whole_picture() -> None:
    whole = Opinion("fighting", 0.7, own=True)
    assert Letterbox((1280, 720), (640, 384)).undo_opinion(whole) == whole
