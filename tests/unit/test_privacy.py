"""What lies under a privacy mask is not in the picture any more, and all else is as it was."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.zones import Zone, ZoneKind
from detection.evidence.privacy import hide, masks_of

QUARTER = [[0.5, 0.0], [1.0, 0.0], [1.0, 0.5], [0.5, 0.5]]
RNG = np.random.default_rng(1)


def privacy(corners: list[list[float]]) -> Zone:
    return Zone.of("neighbour", ZoneKind.PRIVACY, corners)


def noise(height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def test_under_the_mask_nothing_is_left_and_beyond_its_edge_nothing_is_changed() -> None:
    picture = noise()
    shown = hide(picture, [privacy(QUARTER)])
    assert np.unique(shown[:46, 79:].reshape(-1, 3), axis=0).shape == (1, 3), "one colour"
    assert (shown[:, :74] == picture[:, :74]).all()
    assert (shown[52:] == picture[52:]).all()


def test_the_picture_itself_is_left_as_it_was() -> None:
    picture = noise()
    before = picture.copy()
    assert hide(picture, [privacy(QUARTER)]) is not picture
    assert (picture == before).all()


@pytest.mark.parametrize("kind", [kind for kind in ZoneKind if kind is not ZoneKind.PRIVACY])
def test_other_zones_hide_nothing_and_cost_no_copy(kind: ZoneKind) -> None:
    picture = noise()
    corners = QUARTER[:2] if kind is ZoneKind.ENTRY_LINE else QUARTER
    assert hide(picture, [Zone.of("other", kind, corners)]) is picture
    assert hide(picture, []) is picture


def test_a_mask_over_the_whole_picture_hides_all_of_it() -> None:
    whole = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    assert len(np.unique(hide(noise(), [privacy(whole)]))) == 1


def test_a_mask_thinner_than_a_pixel_still_hides_it() -> None:
    thin = [[0.5, 0.2], [0.5005, 0.2], [0.5005, 0.8], [0.5, 0.8]]
    shown = hide(noise(), [privacy(thin)])
    assert len(np.unique(shown[20:70, 80])) == 1


def test_masks_are_found_among_all_zones() -> None:
    zones = [privacy(QUARTER), Zone.of("yard", ZoneKind.RESTRICTED, QUARTER)]
    assert [mask.corners for mask in masks_of(zones)] == [zones[0].area.corners]
