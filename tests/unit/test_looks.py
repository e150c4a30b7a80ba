"""A place is known again whatever the light, and is seen to have changed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.geometry import Box
from detection.domain.looks import Look, Sight

BOX = Box(0.4, 0.4, 0.5, 0.6)  # x 128 to 160, y 72 to 108 of the picture
NOISE = np.random.default_rng(3)
STREET = np.kron(NOISE.integers(60, 160, (18, 32)), np.ones((10, 10))).astype(np.uint8)
THING = NOISE.integers(0, 255, (36, 32)).astype(np.uint8)


def picture(*, thing: bool = True) -> NDArray[np.uint8]:
    """A street of grey slabs, with a thing on it or without."""
    painted = STREET.copy()
    if thing:
        painted[72:108, 128:160] = THING
    return painted


def look_of(painted: NDArray[np.uint8], box: Box = BOX) -> Look:
    look = Look.of(painted, box)
    assert look is not None
    return look


def test_a_thing_that_stands_there_looks_the_same() -> None:
    noisy = np.clip(picture() + NOISE.normal(0, 6, STREET.shape), 0, 255).astype(np.uint8)
    assert look_of(picture()).compare(noisy) is Sight.SAME


def test_a_thing_that_is_gone_has_changed_the_place() -> None:
    assert look_of(picture()).compare(picture(thing=False)) is Sight.CHANGED


@pytest.mark.parametrize("light", [0.2, 0.5, 1.4])
def test_light_changes_nothing(light: float) -> None:
    lit = np.clip(picture() * light, 0, 255).astype(np.uint8)
    assert look_of(picture()).compare(lit) is Sight.SAME
    gone = np.clip(picture(thing=False) * light, 0, 255).astype(np.uint8)
    assert look_of(picture()).compare(gone) is Sight.CHANGED


def test_a_camera_that_sways_by_a_pixel_sees_the_same() -> None:
    assert look_of(picture()).compare(np.roll(picture(), 1, axis=(0, 1))) is Sight.SAME


def test_a_camera_that_looks_elsewhere_tells_nothing() -> None:
    elsewhere = np.roll(picture(), (60, 100), axis=(0, 1))
    assert look_of(picture()).compare(elsewhere) is Sight.UNCLEAR


def test_in_the_dark_nothing_is_told() -> None:
    dark = NOISE.integers(0, 6, STREET.shape).astype(np.uint8)
    assert look_of(picture()).compare(dark) is Sight.UNCLEAR


def test_a_picture_of_another_size_tells_nothing() -> None:
    assert look_of(picture()).compare(picture()[:178]) is Sight.UNCLEAR


def test_slow_changes_are_followed() -> None:
    look, worn = look_of(picture()), picture()
    worn[72:108, 128:160] = np.roll(THING, 16, axis=1)
    for _ in range(30):
        look.refresh(worn)
    assert look.compare(worn) is Sight.SAME


@pytest.mark.parametrize(
    "box", [Box(0.4, 0.4, 0.401, 0.401), Box(1.0, 1.0, 1.0, 1.0), Box(0.0, 0.2, 0.0, 0.2)]
)
def test_a_place_too_small_to_be_known_again_has_no_look(box: Box) -> None:
    assert Look.of(picture(), box) is None


def test_a_flat_place_has_no_look() -> None:
    assert Look.of(np.full((180, 320), 90, np.uint8), BOX) is None
