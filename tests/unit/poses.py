"""Bodies for scenes: what the pose network would give for somebody in a box, one letter each.

|   stands, arms down          ^   both hands above the head
<   an arm stretched to the left          >   an arm stretched to the right
/   a leg kicked out to the left          \\   a leg kicked out to the right
_   lies on the ground, head to the left
"""

import numpy as np

from detection.domain.geometry import Box
from detection.domain.moments import Keypoints

# Of the box: x from its left to its right edge, y from top to bottom; in the order of COCO.
STANDING = (
    *((0.5, 0.07), (0.55, 0.05), (0.45, 0.05), (0.62, 0.07), (0.38, 0.07)),  # nose, eyes, ears
    *((0.75, 0.2), (0.25, 0.2), (0.8, 0.35), (0.2, 0.35), (0.8, 0.5), (0.2, 0.5)),  # arms
    *((0.65, 0.52), (0.35, 0.52), (0.65, 0.75), (0.35, 0.75), (0.65, 0.98), (0.35, 0.98)),  # legs
)
# What of a standing body differs, by the number of the joint; an outstretched limb leaves the box.
CHANGES = {
    "|": {},
    "^": {7: (0.85, 0.1), 8: (0.15, 0.1), 9: (0.8, -0.08), 10: (0.2, -0.08)},
    "<": {8: (-0.5, 0.2), 10: (-1.2, 0.2)},
    ">": {7: (1.5, 0.2), 9: (2.2, 0.2)},
    "/": {14: (-0.4, 0.6), 16: (-1.2, 0.6)},
    "\\": {13: (1.4, 0.6), 15: (2.2, 0.6)},
}


def body(letter: str, box: Box) -> Keypoints:
    """The seventeen keypoints of somebody in this box."""
    joints = list(STANDING)
    if letter == "_":
        joints = [(y, x) for x, y in STANDING]
    else:
        for number, joint in CHANGES[letter].items():
            joints[number] = joint
    rows = [(box.x1 + x * box.width, box.y1 + y * box.height, 0.9) for x, y in joints]
    return np.array(rows, np.float32)
