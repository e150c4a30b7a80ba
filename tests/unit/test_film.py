"""A film is there whole or not at all, and its pictures stand where they were captured."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from detection.domain.episodes import EpisodeState, Thresholds
from detection.domain.geometry import Box
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.evidence.confidence_strip import ConfidenceStrip
from detection.evidence.film import Film, FilmError
from detection.evidence.scene_picture import scene_picture

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GREY = np.full((48, 64, 3), 128, np.uint8)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def filmed(path: Path, moments: Sequence[float]) -> list[float]:
    with Film(path) as film:
        for seconds in moments:
            film.add(GREY, after(seconds))
    with av.open(str(path)) as container:
        return [frame.time or 0.0 for frame in container.decode(video=0)]


def film_and_raise(path: Path, kind: type[BaseException]) -> None:
    with Film(path) as film:
        film.add(GREY, NOON)
        raise kind


def test_pictures_stand_where_they_were_captured(tmp_path: Path) -> None:
    moments = [number / 3 for number in range(31)] + [10.5, 12.25]
    assert filmed(tmp_path / "a.mp4", moments) == pytest.approx(moments, abs=0.001)


def test_a_clock_that_jumps_leaves_no_long_pause(tmp_path: Path) -> None:
    shown = filmed(tmp_path / "a.mp4", [0, 1, 5000, 5001, 3, 4])
    assert shown == pytest.approx([0, 1, 11, 12, 12.2, 13.2])


def test_a_film_of_nothing_is_none(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_leaves_nothing_and_keeps_the_film_of_before(tmp_path: Path) -> None:
    old = tmp_path / "a.mp4"
    old.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        film_and_raise(old, RuntimeError)
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, BrokenPipeError])
def test_whoever_is_interrupted_keeps_what_was_filmed(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    with pytest.raises(kind):
        film_and_raise(tmp_path / "a.mp4", kind)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert len(list(container.decode(video=0))) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_odd_sizes_and_changes_of_size_are_filmed(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4") as film:
        film.add(np.zeros((47, 63, 3), np.uint8), after(0))
        film.add(np.zeros((480, 640, 3), np.uint8), after(1))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [(f.width, f.height) for f in container.decode(video=0)] == [(62, 46)] * 2


@pytest.mark.parametrize("name", ["a.avi", "a", "no/a.mp4", "folder.mp4"])
def test_where_no_film_can_be_it_is_said_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(FilmError, match=r"^.*/"):
        Film(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


# --- its pictures --------------------------------------------------------------------------------


def strip_of(*confidences: float) -> ConfidenceStrip:
    strip = ConfidenceStrip()
    for number, confidence in enumerate(confidences):
        strip.note(after(number), {"theft": confidence} if confidence else {}, confidence)
    return strip


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (320, 240), (64, 48), (1920, 1080)])
@pytest.mark.parametrize("state", [EpisodeState.QUIET, EpisodeState.CONFIRMED])
def test_a_scene_of_any_size_has_its_picture_between_head_and_strip(
    size: tuple[int, int], state: EpisodeState
) -> None:
    width, height = size
    picture = np.full((height, width, 3), 128, np.uint8)
    shown = scene_picture(
        picture,
        tracks=[Track(1, "person", 0.9, Box(0.1, 0.3, 0.2, 0.9))],
        suspicions=[],
        zones=[Zone.of("yard", ZoneKind.RESTRICTED, [[0.6, 0.4], [0.9, 0.4], [0.9, 0.9]])],
        state=state,
        strip=strip_of(0, 50, 60, 0),
        thresholds=Thresholds(50, 80),
        clock="0:03.0",
    )
    assert shown.shape[1] == width
    assert shown.shape[0] % 2 == 0
    rows = [row for row in range(shown.shape[0]) if (shown[row, width // 2] == 128).all()]
    assert len(rows) > 0.9 * height - 12
    assert (picture == 128).all(), "the picture itself is not drawn upon"


def test_confidence_is_drawn_to_scale_and_in_time() -> None:
    size, thresholds = (640, 120), Thresholds(50, 80)
    blank = ConfidenceStrip().draw(size, 1.0, thresholds)
    low, high = (
        strip_of(20, 20).draw(size, 1.0, thresholds),
        strip_of(95, 95).draw(size, 1.0, thresholds),
    )
    curves = slice(400, 490)  # left of the names, right of what was before
    drawn = [np.argwhere((one != blank)[:, curves].any(axis=2)) for one in (low, high)]
    assert drawn[0][:, 0].min() > drawn[1][:, 0].min() + 20, "the surer, the higher"
    assert drawn[0][:, 1].min() > 40, "a second ago, and not before"


def test_a_strip_whose_clock_is_set_back_begins_anew() -> None:
    strip = strip_of(95, 95, 95)
    strip.note(NOON, {}, 0)
    size, thresholds = (640, 120), Thresholds(50, 80)
    anew = ConfidenceStrip()
    anew.note(after(0), {"theft": 0.0}, 0)
    assert (strip.draw(size, 1, thresholds) == anew.draw(size, 1, thresholds)).all()
