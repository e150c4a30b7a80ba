"""A snapshot is a JPEG of the picture with what was seen drawn on it."""

from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.domain.geometry import Box, Polygon
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.evidence.snapshot import annotated_jpeg

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEFT = Box(0.1, 0.3, 0.4, 0.8)
ZONE = Zone("yard", ZoneKind.RESTRICTED, Polygon.of([[0.5, 0.2], [0.9, 0.2], [0.9, 0.8]]))


@pytest.fixture(autouse=True)
def _unreadable_text_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV 5 crashes the process on text that is not valid UTF-8; here the test fails instead."""
    measure, put = cv2.getTextSize, cv2.putText

    def checked_measure(size: Any, text: str, *rest: Any) -> Any:
        text.encode()
        return measure(size, text, *rest)

    def checked_put(canvas: Any, text: str, *rest: Any) -> Any:
        text.encode()
        return put(canvas, text, *rest)

    monkeypatch.setattr(cv2, "getTextSize", checked_measure)
    monkeypatch.setattr(cv2, "putText", checked_put)


def grey(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def person(label: str = "person", box: Box = LEFT, track_id: int = 1) -> Track:
    return Track(track_id, label, 0.87, box)


def drawn(
    picture: NDArray[np.uint8],
    *tracks: Track,
    zones: tuple[Zone, ...] = (),
    suspects: tuple[int, ...] = (),
    caption: str = "trespassing 85 %",
) -> NDArray[np.uint8]:
    """The snapshot, decoded again."""
    jpeg = annotated_jpeg(
        picture, tracks=tracks, suspects=suspects, zones=zones, caption=caption, at=NOON
    )
    assert jpeg.startswith(b"\xff\xd8")
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == picture.shape
    return np.asarray(decoded, np.uint8)


def blue_green_red_at(image: NDArray[np.uint8], x: float, y: float) -> tuple[int, int, int]:
    """The mean colour of a few pixels around a place, because JPEG smears."""
    height, width = image.shape[:2]
    row, column = round(y * height), round(x * width)
    blue, green, red = image[row - 1 : row + 2, column - 1 : column + 2].mean(axis=(0, 1))
    return int(blue), int(green), int(red)


def test_the_picture_itself_is_kept() -> None:
    image = drawn(grey())
    assert blue_green_red_at(image, 0.5, 0.5) == pytest.approx((128, 128, 128), abs=4)


def test_the_picture_that_was_given_is_not_drawn_upon() -> None:
    picture = grey()
    drawn(picture, person(), zones=(ZONE,))
    assert (picture == 128).all()


def test_a_suspect_stands_in_a_red_box_and_others_in_a_grey_one() -> None:
    image = drawn(grey(), person(), person(box=Box(0.6, 0.3, 0.9, 0.8), track_id=2), suspects=(1,))
    blue, green, red = blue_green_red_at(image, 0.4, 0.6)
    assert red > green + 60
    assert red > blue + 60
    blue, green, red = blue_green_red_at(image, 0.9, 0.6)
    assert red == pytest.approx(green, abs=12)
    assert red > 150


def test_a_zone_is_outlined_in_yellow() -> None:
    blue, green, red = blue_green_red_at(drawn(grey(), zones=(ZONE,)), 0.9, 0.5)
    assert red > blue + 60
    assert green > blue + 60


def test_the_caption_stands_on_a_darkened_strip_below() -> None:
    image = drawn(grey())
    strip = image[-24:]
    assert np.median(strip) < 60
    assert strip.max() > 200
    assert (drawn(grey(), caption="")[-24:] != strip).any()


@pytest.mark.parametrize(
    "name", ["", "Wächter “Süd”", "人物", "\N{POLICE CAR}", "a\x00b", "\udcff", "%s%d{}", "x" * 500]
)
def test_odd_names_do_not_break_it(name: str) -> None:
    zone = Zone(name, ZoneKind.RESTRICTED, ZONE.polygon)
    drawn(grey(), person(name), zones=(zone,), caption=name)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 1, 1), Box(0, 0, 0, 0), Box(1, 1, 1, 1), Box(0.999, 0.0, 1, 0.001)]
)
def test_boxes_at_the_edge_are_drawn(box: Box) -> None:
    drawn(grey(), person(box=box))


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (8, 200), (3840, 2160)])
def test_a_picture_of_any_size_can_be_kept(size: tuple[int, int]) -> None:
    drawn(grey(*size), person(), zones=(ZONE,))


def test_a_picture_that_is_a_read_only_view_can_be_kept() -> None:
    view = grey()[:, ::-1]
    view.flags.writeable = False
    drawn(view, person())


def test_what_a_privacy_zone_hides_is_not_in_the_snapshot() -> None:
    corners = [[0.5, 0.1], [0.9, 0.1], [0.9, 0.6], [0.5, 0.6]]
    zone = Zone("neighbour", ZoneKind.PRIVACY, Polygon.of(corners))
    picture = np.random.default_rng(5).integers(0, 256, (240, 320, 3), np.uint8)
    shown = drawn(picture, zones=(zone,))
    hidden = shown[60:130, 200:270]
    assert float(hidden.std()) < 2.0
    assert float(hidden.mean()) == pytest.approx(32, abs=2)
