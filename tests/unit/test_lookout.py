"""Which place a camera sends close-ups of, and when."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from detection.behaviour.lookout import Lookout
from detection.behaviour.sights import Sight

GREY = np.zeros((384, 640), np.uint8)
COUPLE = [[100.0, 100, 140, 200], [150.0, 100, 190, 200]]
OTHERS = [[450.0, 100, 490, 200], [500.0, 100, 540, 200]]
ALONE = [[300.0, 100, 340, 200]]


def sight(at: float, *boxes: Sequence[float]) -> Sight:
    return Sight(at, GREY, np.array(boxes, np.float32).reshape(-1, 4))


def looks(
    seconds: float, *boxes: Sequence[float], rate: float = 5.0, lookout: Lookout | None = None
) -> list[tuple[float, int]]:
    """When a look was due and where its middle is across, where each frame is answered at once."""
    lookout = lookout or Lookout()
    found = []
    for number in range(round(seconds * rate)):
        at = number / rate
        close_up = lookout.next_close_up(at)
        if close_up:
            found.append((at, round(640 * (close_up.place.x1 + close_up.place.x2) / 2)))
        lookout.see(sight(at, *boxes))
    return found


def test_people_near_each_other_are_looked_at_every_04_s() -> None:
    assert [at for at, _ in looks(3.5, *COUPLE)] == [1.4, 1.8, 2.2, 2.6, 3.0, 3.4]


def test_nobody_looks_where_nobody_is_near_anybody() -> None:
    assert looks(4, *ALONE) == []
    assert looks(4) == []


def test_of_several_places_the_one_that_waited_longest_is_next() -> None:
    found = looks(3.5, *COUPLE, *OTHERS)
    assert [place for _, place in found[:4]] == [145, 495, 145, 495]
    assert all(later - earlier >= 0.19 for (earlier, _), (later, _) in pairwise(found))


def test_the_step_can_be_set() -> None:
    assert [at for at, _ in looks(3.5, *COUPLE, lookout=Lookout(1.0))] == [1.4, 2.4, 3.4]


def test_too_few_pictures_a_second_are_not_worth_a_look() -> None:
    assert looks(8, *COUPLE, rate=3.0) == []
    assert looks(4, *COUPLE, rate=4.0) != []


def test_more_pictures_are_wanted_while_people_are_near_each_other() -> None:
    lookout = Lookout()
    assert not lookout.is_wanted()
    lookout.see(sight(0.0, *COUPLE))
    assert lookout.is_wanted()
    for number in range(1, 6):
        lookout.see(sight(number / 3, *ALONE))
    assert not lookout.is_wanted()


def test_where_nothing_follows_each_place_is_looked_at_once_more() -> None:
    lookout = Lookout()
    looks(3, *COUPLE, *OTHERS, lookout=lookout)
    last = lookout.last_close_ups()
    assert sorted(round(640 * (c.place.x1 + c.place.x2) / 2) for c in last) == [145, 495]
    assert all(close_up.times[-1] == 2.8 for close_up in last)
    assert Lookout().last_close_ups() == []


def test_what_was_seen_long_ago_is_not_looked_at() -> None:
    lookout = Lookout()
    looks(2, *COUPLE, lookout=lookout)
    assert lookout.next_close_up(3.5) is None


def test_a_close_up_holds_two_seconds_of_the_place_and_its_people() -> None:
    lookout = Lookout()
    looks(4, *COUPLE, *ALONE, lookout=lookout)
    close_up = lookout.next_close_up(4.2)
    assert close_up is not None
    assert close_up.times == pytest.approx([1.8 + 0.2 * number for number in range(11)])
    assert close_up.crops.shape == (11, 256, 256)
    assert [len(boxes) for boxes in close_up.people] == [2] * 11, "without the one who is alone"
    assert close_up.place == pytest.approx((100 / 640, 100 / 384, 190 / 640, 200 / 384))
    back = close_up.box_in_input(close_up.people[0][0])
    assert back == pytest.approx((100 / 640, 100 / 384, 140 / 640, 200 / 384), abs=1e-4)


def test_keypoints_of_a_crop_come_back_to_the_detectors_input() -> None:
    lookout = Lookout()
    looks(4, *COUPLE, lookout=lookout)
    close_up = lookout.next_close_up(4.2)
    assert close_up is not None
    keypoints = np.full((17, 3), 128, np.float32)  # the middle of the crop
    keypoints[:, 2] = 0.5
    found = close_up.keypoints_in_input(keypoints)
    np.testing.assert_allclose(found[0], [145 / 640, 150 / 384, 0.5], rtol=1e-5)


def test_a_repeated_time_stamp_loses_nothing_and_a_clock_set_back_begins_anew() -> None:
    lookout = Lookout()
    looks(2, *COUPLE, lookout=lookout)
    lookout.see(sight(1.8))
    assert lookout.next_close_up(2.0) is None, "looked at with the frame at 1.8"
    assert lookout.next_close_up(2.4) is not None
    lookout.see(sight(-3600.0, *COUPLE))
    assert lookout.next_close_up(-3599.8) is None
    for number in range(1, 7):
        lookout.see(sight(-3600 + number / 5, *COUPLE))
    assert lookout.next_close_up(-3600 + 1.4) is not None
