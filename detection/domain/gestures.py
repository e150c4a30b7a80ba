"""What a body says."""

from typing import Final

from detection.domain.moments import Keypoints

SHOULDERS, WRISTS, HIPS = [5, 6], [9, 10], [11, 12]  # in the order of COCO
LEAST_CONFIDENCE: Final = 0.35
RAISED_TORSOS: Final = 0.3  # above the shoulders: about the height of the mouth


def are_hands_up(body: Keypoints) -> bool:
    """Whether both wrists are well above the shoulders of somebody upright."""
    if float(body[SHOULDERS + WRISTS + HIPS, 2].min()) < LEAST_CONFIDENCE:
        return False
    shoulders, hips = float(body[SHOULDERS, 1].mean()), float(body[HIPS, 1].mean())
    lowest_wrist = float(body[WRISTS, 1].max())
    torso = hips - shoulders
    return torso > 0 and lowest_wrist < shoulders - RAISED_TORSOS * torso
