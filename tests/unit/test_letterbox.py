"""Pixels go into the network's size and boxes come back as shares of the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detection.domain.letterbox import Letterbox


def _picture(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _rows(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32).reshape(-1, 6)


def test_a_substream_picture_is_padded_by_12_rows_and_not_resized() -> None:
    picture = _picture(640, 360)
    boxed = Letterbox((640, 360), (640, 384)).apply(picture)
    assert boxed.shape == (384, 640, 3)
    assert np.array_equal(boxed[12:372], picture)
    assert (boxed[:12] == 114).all()
    assert (boxed[372:] == 114).all()


def test_a_picture_that_fits_already_is_handed_back_itself() -> None:
    picture = _picture(64, 32)
    assert Letterbox((64, 32), (64, 32)).apply(picture) is picture


def test_a_tall_picture_is_scaled_and_padded_at_the_sides() -> None:
    boxed = Letterbox((100, 200), (64, 32)).apply(np.full((200, 100, 3), 9, dtype=np.uint8))
    assert boxed.shape == (32, 64, 3)
    assert (boxed[:, 24:40] == 9).all()
    assert (boxed[:, :24] == 114).all()
    assert (boxed[:, 40:] == 114).all()


def test_each_answer_is_the_callers_to_keep() -> None:
    letterbox = Letterbox((640, 360), (640, 384))
    first = letterbox.apply(np.zeros((360, 640, 3), dtype=np.uint8))
    letterbox.apply(np.full((360, 640, 3), 255, dtype=np.uint8))
    assert (first[12:372] == 0).all()


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="build a new one"):
        Letterbox((640, 360), (640, 384)).apply(_picture(320, 180))


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="sizes start at 1"):
        Letterbox((0, 360), (640, 384))


def test_boxes_come_back_as_shares_of_the_picture() -> None:
    found = Letterbox((1280, 720), (640, 384)).undo(_rows((160, 102, 320, 372, 0.9, 0)))
    assert found.boxes_xyxy.tolist() == [[0.25, 0.25, 0.5, 1.0]]
    assert found.confidences.tolist() == pytest.approx([0.9])
    assert found.class_ids.tolist() == [0]
    dtypes = [found.boxes_xyxy.dtype.name, found.confidences.dtype.name, found.class_ids.dtype.name]
    assert dtypes == ["float32", "float32", "int64"]


def test_boxes_that_reach_beyond_the_picture_are_clipped() -> None:
    found = Letterbox((640, 360), (640, 384)).undo(_rows((-5, 0, 700, 384, 0.5, 2)))
    assert found.boxes_xyxy.tolist() == [[0.0, 0.0, 1.0, 1.0]]


def test_boxes_wholly_in_the_padding_are_dropped() -> None:
    found = Letterbox((640, 360), (640, 384)).undo(
        _rows((10, 2, 30, 10, 0.5, 0), (10, 100, 30, 200, 0.6, 1))
    )
    assert found.class_ids.tolist() == [1]


def test_no_rows_give_no_detections() -> None:
    assert len(Letterbox((640, 360), (640, 384)).undo(_rows())) == 0


@given(st.integers(2, 2000), st.integers(2, 2000))
def test_any_picture_fills_one_side_of_the_target_and_keeps_its_middle(
    width: int, height: int
) -> None:
    letterbox = Letterbox((width, height), (64, 32))
    boxed = letterbox.apply(np.zeros((height, width, 3), dtype=np.uint8))
    inside = (boxed == 0).all(axis=2)
    assert inside.any(axis=0).all() or inside.any(axis=1).all()
    found = letterbox.undo(_rows((0, 0, 64, 32, 1, 0)))
    assert found.boxes_xyxy.tolist() == [[0.0, 0.0, 1.0, 1.0]]
