"""Identities last, are never given twice, and stay with what they were given to."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detection.domain.frames import Detections
from detection.domain.tracks import Track
from detection.trackers.bytetrack import ByteTracker

NAMES = {
    0: "person",
    2: "car",
    7: "truck",
    15: "cat",
    24: "backpack",
    26: "handbag",
    80: "ski mask",
}
CLASSES = {name: class_id for class_id, name in NAMES.items()}


@pytest.fixture
def tracker(model_dir: Path) -> ByteTracker:
    return ByteTracker(model_dir)


def see(tracker: ByteTracker, *seen: tuple[str, float, float]) -> list[Track]:
    """One frame, 0.25 s after the last: label, confidence and where from left to right."""
    boxes = [[x - 0.05, 0.3, x + 0.05, 0.6] for _, _, x in seen]
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in seen], np.float32),
        np.array([CLASSES[label] for label, _, _ in seen], np.int64),
    )
    return tracker.update(detections, NAMES, 0.25)


def identities(tracks: Sequence[Track]) -> dict[str, int]:
    return {track.label: track.id for track in tracks}


def test_a_camera_that_starts_later_does_not_make_the_first_give_an_identity_again(
    tracker: ByteTracker, model_dir: Path
) -> None:
    first = see(tracker, ("person", 0.9, 0.1))
    see(ByteTracker(model_dir), ("person", 0.9, 0.5))
    for _ in range(2):
        tracks = see(tracker, ("person", 0.9, 0.1), ("person", 0.9, 0.8))
    assert tracks[0].id == first[0].id
    assert len({track.id for track in tracks}) == 2


def test_cameras_in_threads_count_for_themselves(model_dir: Path) -> None:
    def watch(_: int) -> list[int]:
        tracker = ByteTracker(model_dir)
        for _ in range(30):
            tracks = see(tracker, *(("person", 0.9, x) for x in (0.1, 0.3, 0.5, 0.7, 0.9)))
        return sorted(track.id for track in tracks)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(watch, range(4))) == [[1, 2, 3, 4, 5]] * 4


def test_no_two_groups_share_an_identity(tracker: ByteTracker) -> None:
    tracks = see(tracker, ("person", 0.9, 0.1), ("car", 0.9, 0.5), ("backpack", 0.9, 0.9))
    assert len({track.id for track in tracks}) == 3


def test_a_person_who_steps_before_a_bag_does_not_become_the_bag(tracker: ByteTracker) -> None:
    bag = identities(see(tracker, ("backpack", 0.9, 0.5)))["backpack"]
    for _ in range(3):
        tracks = see(tracker, ("person", 0.9, 0.5))
    assert [track.label for track in tracks] == ["person"]
    assert tracks[0].id != bag
    again = see(tracker, ("person", 0.9, 0.55), ("backpack", 0.9, 0.5))
    assert identities(again) == {"person": tracks[0].id, "backpack": bag}


def test_a_network_that_wavers_between_two_words_does_not_make_the_label_flip(
    tracker: ByteTracker,
) -> None:
    words = ["car", "car", "truck", "car", "truck", "car"]
    seen = [see(tracker, (word, 0.9, 0.5))[0] for word in words]
    assert {(track.id, track.label) for track in seen} == {(1, "car")}


def test_what_the_network_names_most_is_the_label(tracker: ByteTracker) -> None:
    words = ["backpack", "handbag", "handbag"]
    labels = [see(tracker, (word, 0.9, 0.5))[0].label for word in words]
    assert labels == ["backpack", "backpack", "handbag"]


def test_who_is_seen_twice_is_one_person(tracker: ByteTracker) -> None:
    for _ in range(3):
        tracks = see(tracker, ("person", 0.6, 0.5), ("person", 0.9, 0.505), ("person", 0.9, 0.56))
    assert [track.id for track in tracks] == [1, 2]


def test_what_is_of_no_interest_is_dropped(tracker: ByteTracker) -> None:
    assert identities(see(tracker, ("cat", 0.9, 0.5), ("person", 0.9, 0.2))) == {"person": 1}


def test_the_operators_own_labels_are_followed_in_a_group_of_their_own(model_dir: Path) -> None:
    assert see(ByteTracker(model_dir), ("ski mask", 0.9, 0.5)) == []
    own = ByteTracker(model_dir, own_labels=["ski mask"])
    tracks = see(own, ("ski mask", 0.9, 0.5), ("person", 0.9, 0.5))
    assert identities(tracks) == {"person": 1, "ski mask": 2}


def test_who_is_missed_for_some_frames_is_the_same_and_who_comes_next_is_new(
    tracker: ByteTracker,
) -> None:
    see(tracker, ("person", 0.9, 0.2))
    for _ in range(10):
        assert see(tracker) == []
    assert see(tracker, ("person", 0.9, 0.2))[0].id == 1
    for _ in range(20):
        see(tracker)
    see(tracker, ("person", 0.9, 0.2))
    assert see(tracker, ("person", 0.9, 0.2))[0].id == 2
