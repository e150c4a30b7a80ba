"""One window of people near each other as a vector of fixed length, whatever the frame rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.bodies import (
    PAIR_FEATURES,
    PERSON_FEATURES,
    Body,
    Keypoints,
    matched,
    pair_features,
    person_features,
)
from detection.behaviour.motion import MOTION_FEATURES, Maps, motion_features
from detection.behaviour.sights import Boxes, near
from detection.domain.close_ups import CloseUp

FEATURES_VERSION: Final = 1
"""Raised with every change of what a number of the vector means: an older model is then refused."""

LEAST_POSE_CONFIDENCE: Final = 0.25
LEAST_POSE_OVERLAP: Final = 0.3
OVER_PEOPLE: Final = ("mean", "greatest")
OVER_TIME: Final = ("mean", "greatest")
BODY_FEATURES: Final = (
    *(
        f"{over_time} over time of the {over_people} {name}"
        for over_time in OVER_TIME
        for names in (PERSON_FEATURES, PAIR_FEATURES)
        for over_people in OVER_PEOPLE
        for name in names
    ),
    "people",
    "pairs",
    "share of sights with a pair",
)
VECTOR_LENGTH: Final = len(BODY_FEATURES) + MOTION_FEATURES


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The pose network's answer to one crop.

    `poses` (n, 56): centre x, y, width, height, confidence and 17 keypoints, in crop pixels, as the
    network guessed them, many for one person. `maps` are its inner layers.
    """

    poses: NDArray[np.float32]
    maps: Maps


def fight_features(close_up: CloseUp, looks: Sequence[Look]) -> NDArray[np.float32]:
    """What the fight model is given: BODY_FEATURES, then the motion of each layer's channels.

    `looks` answer the crops of the close-up. nan stands for what cannot be told.
    """
    pairs = zip(close_up.people, looks, strict=True)
    bodies = [bodies_in(people, look) for people, look in pairs]
    motion = motion_features([look.maps for look in looks], close_up.times)
    return np.concatenate([body_features(bodies, close_up.times), motion])


def bodies_in(people: Boxes, look: Look) -> list[Body]:
    """The people of one crop with their poses, in its pixels."""
    return [Body(box, pose_of(box, look.poses)) for box in people]


def pose_of(box: NDArray[np.float32], poses: NDArray[np.float32]) -> Keypoints | None:
    """The keypoints (17, 3) of the surest guess that covers the person's box, if one does."""
    corners = np.hstack([poses[:, :2] - poses[:, 2:4] / 2, poses[:, :2] + poses[:, 2:4] / 2])
    inner = np.minimum(corners[:, 2:], box[2:]) - np.maximum(corners[:, :2], box[:2])
    common = np.prod(np.clip(inner, 0, None), axis=1)
    areas = np.prod(poses[:, 2:4], axis=1) + float(np.prod(box[2:] - box[:2]))
    overlaps = common / np.maximum(areas - common, 1e-6)
    best = int(np.argmax(poses[:, 4] * overlaps))
    if poses[best, 4] < LEAST_POSE_CONFIDENCE or overlaps[best] < LEAST_POSE_OVERLAP:
        return None
    return np.asarray(poses[best, 5:].reshape(17, 3), np.float32)


def body_features(bodies: Sequence[Sequence[Body]], times: Sequence[float]) -> NDArray[np.float32]:
    """BODY_FEATURES of a window from the people of each sight."""
    people: list[NDArray[np.float64]] = []
    pairs: list[NDArray[np.float64]] = []
    pair_counts = []
    for now in range(1, len(bodies)):
        of_people, of_pairs = _step(bodies[now - 1], bodies[now], times[now] - times[now - 1])
        people.append(_over_people(of_people, len(PERSON_FEATURES)))
        pairs.append(_over_people(of_pairs, len(PAIR_FEATURES)))
        pair_counts.append(len(of_pairs))
    both = np.hstack([np.array(people), np.array(pairs)])
    counts = [
        float(np.mean([len(some) for some in bodies])),
        float(np.mean(pair_counts)),
        float(np.mean(np.array(pair_counts) > 0)),
    ]
    return np.concatenate([_mean(both), _greatest(both), counts]).astype(np.float32)


def _step(
    before: Sequence[Body], now: Sequence[Body], seconds: float
) -> tuple[list[list[float]], list[list[float]]]:
    earlier = matched(before, now)
    olds = [before[earlier[j]] if j in earlier else None for j in range(len(now))]
    people = [person_features(old, new, seconds) for old, new in zip(olds, now, strict=True)]
    pairs = [
        pair_features((olds[i], olds[j]), (now[i], now[j]), seconds)
        for i in range(len(now))
        for j in range(i)
        if near(now[i].box, now[j].box)
    ]
    return people, pairs


def _over_people(values: list[list[float]], width: int) -> NDArray[np.float64]:
    table = np.array(values, np.float64).reshape(-1, width)
    return np.concatenate([_mean(table), _greatest(table)])


def _mean(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """By column, without the nans; nan for a column that has nothing else."""
    known = ~np.isnan(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _greatest(table: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(table)
    greatest = np.where(known, table, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(known.any(axis=0), greatest, np.nan)
