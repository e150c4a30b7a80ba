"""What a camera's view is judged to be, on drawn pictures with a sensor's noise."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.view_health import ACCEPT_SECONDS, LOOK_SIZE, HealthKind, ViewHealth

Grey = NDArray[np.uint8]
WIDTH, HEIGHT = LOOK_SIZE
LOOKS_A_SECOND = 2


def a_yard(seed: int = 1) -> NDArray[np.float64]:
    """Forty boxes of different brightness: walls, doors, cars."""
    random = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH), 120.0)
    for _ in range(40):
        x, y = random.integers(0, WIDTH - 20), random.integers(0, HEIGHT - 15)
        picture[y : y + random.integers(6, 15), x : x + random.integers(6, 20)] = random.integers(
            30, 220
        )
    return picture


YARD = a_yard()


class Camera:
    """Shows pictures to a view, twice a second, each with noise of its own."""

    def __init__(self) -> None:
        self.view = ViewHealth()
        self.at = 0.0
        self._random = np.random.default_rng(7)

    def show(
        self, picture: NDArray[np.float64], seconds: float, noise: float = 0.7
    ) -> HealthKind | None:
        """What is wrong at the end."""
        for _ in range(round(seconds * LOOKS_A_SECOND)):
            noisy = picture + self._random.normal(0, noise, picture.shape)
            self._look(noisy)
        return self.view.trouble.kind if self.view.trouble else None

    def repeat(self, pictures: list[NDArray[np.float64]], seconds: float) -> HealthKind | None:
        for number in range(round(seconds * LOOKS_A_SECOND)):
            self._look(pictures[number % len(pictures)])
        return self.view.trouble.kind if self.view.trouble else None

    def _look(self, picture: NDArray[np.float64]) -> None:
        self.at += 1 / LOOKS_A_SECOND
        self.view.look(np.clip(picture, 0, 255).round().astype(np.uint8), self.at)


@pytest.fixture
def camera() -> Camera:
    """A camera whose normal view is known."""
    camera = Camera()
    assert camera.show(YARD, 25) is None
    return camera


def blurred(picture: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    kernel = np.ones(2 * radius + 1) / (2 * radius + 1)
    for axis in (0, 1):
        for _ in range(2):
            picture = np.apply_along_axis(np.convolve, axis, picture, kernel, "same")
    return picture


HAND = np.linspace(15, 40, WIDTH)[None, :].repeat(HEIGHT, axis=0)
PAPER = np.full((HEIGHT, WIDTH), 180.0)
BROKEN: list[tuple[NDArray[np.float64], HealthKind]] = [
    (YARD * 0.02, HealthKind.BLACK),
    (HAND, HealthKind.COVERED),
    (PAPER, HealthKind.COVERED),
    (blurred(YARD, 3), HealthKind.COVERED),
    (np.roll(YARD, 40, axis=1), HealthKind.MOVED),
    (np.roll(YARD, 15, axis=0), HealthKind.MOVED),
    (a_yard(seed=2), HealthKind.MOVED),
]


@pytest.mark.parametrize(("picture", "kind"), BROKEN)
def test_a_bad_view_is_named_within_ten_seconds_and_ends_with_the_fault(
    camera: Camera, picture: NDArray[np.float64], kind: HealthKind
) -> None:
    began = camera.at
    assert camera.show(picture, 2) is None, "a flash or a passer-by is no fault"
    assert camera.show(picture, 7) is kind
    assert camera.view.trouble is not None
    assert began <= camera.view.trouble.since <= began + 1
    assert camera.show(YARD, 3) is None


@pytest.mark.parametrize(
    "light",
    [
        lambda p: p * 0.3,
        lambda p: p * 1.4 + 10,
        lambda p: 255 * (p / 255) ** 0.5,
        lambda p: p * 0.4 + 90,
        lambda p: 255 - p,
        lambda p: p + np.linspace(-40, 60, WIDTH)[None, :],
    ],
    ids=["dusk", "glare", "gamma", "fog", "inverted", "a-lamp-at-one-side"],
)
def test_other_light_is_no_fault(camera: Camera, light: Callable[..., NDArray[np.float64]]) -> None:
    assert camera.show(light(YARD), 20, noise=1.2) is None


def test_a_lorry_that_stops_in_a_third_of_the_picture_is_no_fault(camera: Camera) -> None:
    lorry = YARD.copy()
    lorry[20:, 20:80] = a_yard(seed=9)[20:, 20:80]
    assert camera.show(lorry, 20) is None


def test_a_black_picture_with_the_cameras_clock_in_it_is_black(camera: Camera) -> None:
    black = np.zeros((HEIGHT, WIDTH))
    black[2:8, 4:60:3] = 250
    assert camera.show(black, 5) is HealthKind.BLACK


def test_a_cover_that_is_there_from_the_beginning_is_found_where_the_picture_is_empty() -> None:
    assert Camera().show(PAPER, 6) is HealthKind.COVERED


def test_a_dark_start_is_not_learnt_as_the_normal_view() -> None:
    camera = Camera()
    assert camera.show(YARD * 0.02, 30) is HealthKind.BLACK
    assert camera.show(YARD, 20) is None
    assert camera.show(np.roll(YARD, 40, axis=1), 7) is HealthKind.MOVED


# --- frozen -------------------------------------------------------------------------------------


def test_one_picture_again_and_again_is_frozen_after_six_seconds(camera: Camera) -> None:
    began = camera.at
    assert camera.repeat([YARD], 6) is None
    assert camera.repeat([YARD], 2) is HealthKind.FROZEN
    assert camera.view.trouble is not None
    assert camera.view.trouble.since == pytest.approx(began, abs=1.1)
    assert camera.show(YARD, 3) is None


def test_a_short_loop_of_pictures_is_frozen_too(camera: Camera) -> None:
    noise = np.random.default_rng(3)
    loop = [YARD + noise.normal(0, 0.7, YARD.shape) for _ in range(4)]
    assert camera.repeat(loop, 10) is HealthKind.FROZEN


def drawn(second: float) -> NDArray[np.float64]:
    """Without noise: somebody crosses the yard for ten seconds of each forty."""
    picture, x = YARD.copy(), int(second % 40 * 12)
    if x < 120:
        picture[30:60, x : x + 12] = 20
    return picture


def test_a_drawn_scene_that_stands_still_for_half_a_minute_again_and_again_is_not_frozen() -> None:
    camera = Camera()
    story = [drawn(look / LOOKS_A_SECOND) for look in range(80)]
    for _ in range(600):
        assert camera.repeat(story[:1], 0.5) is None
        story.append(story.pop(0))


def test_a_drawn_scene_that_never_moves_is_frozen_only_after_a_minute() -> None:
    camera = Camera()
    assert camera.repeat([YARD], 58) is None
    assert camera.repeat([YARD], 5) is HealthKind.FROZEN


# --- what lasts ---------------------------------------------------------------------------------


def test_a_view_that_stays_moved_is_the_normal_one_after_five_minutes(camera: Camera) -> None:
    elsewhere = a_yard(seed=2)
    assert camera.show(elsewhere, ACCEPT_SECONDS - 5) is HealthKind.MOVED
    assert camera.show(elsewhere, 30) is None
    assert camera.show(YARD, 7) is HealthKind.MOVED


def test_a_cover_that_stays_is_never_normal(camera: Camera) -> None:
    assert camera.show(HAND, 400) is HealthKind.COVERED


def test_dusk_that_falls_slowly_is_followed(camera: Camera) -> None:
    for minute in range(30):
        assert camera.show(YARD * (1 - minute / 35), 60) is None
    assert camera.show(np.roll(YARD * 0.15, 40, axis=1), 7) is HealthKind.MOVED


def test_a_camera_that_was_turned_while_it_was_away_is_found(camera: Camera) -> None:
    camera.at += 120
    assert camera.show(np.roll(YARD, 40, axis=1), 7) is HealthKind.MOVED


def test_a_bad_view_before_a_pause_and_one_after_it_are_not_added_up(camera: Camera) -> None:
    assert camera.show(YARD * 0.02, 2) is None
    camera.at += 60
    assert camera.show(YARD * 0.02, 2) is None


def test_a_camera_without_lasting_structure_is_not_called_moved() -> None:
    camera, random = Camera(), np.random.default_rng(4)
    for _ in range(60):
        assert camera.show(a_yard(seed=int(random.integers(0, 10**6))), 1) is None
