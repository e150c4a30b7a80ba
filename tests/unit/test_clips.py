"""Packets become a clip that shows what the camera sent, when it was, from a key frame on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from detection.domain.geometry import Polygon
from detection.domain.packets import PacketRing
from detection.evidence.clip import ClipError, write_clip
from detection.evidence.film import Film
from detection.evidence.making import MadeClip, make_clip
from detection.evidence.preview import MOST_BYTES, make_preview
from detection.evidence.spool import SpoolWriter, index
from detection.evidence.spool_folder import ClipOrder, FolderLock, abandoned, part_path
from detection.evidence.spooled_clip import SpooledClip
from tests.films import FPS, a_ring, coded, fill, has_its_index_in_front, pictures_of

BEGAN = 1_772_000_000.0
EPISODE = "0b0e7a52-3a4c-4d5b-9b77-5d51a5f0c001"
LEFT = Polygon.of([[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]])
TOP = Polygon.of([[0.0, 0.0], [1.0, 0.0], [1.0, 0.3], [0.0, 0.3]])


def order(begins: float = 0.0) -> ClipOrder:
    return ClipOrder(EPISODE, 7, BEGAN + begins, BEGAN + begins + 5)


def spooled(tmp_path: Path, ring: PacketRing, begins: float = 0.0, **how: object) -> SpooledClip:
    masks = how.pop("masks", ())
    most = how.pop("max_seconds", 600.0)
    return SpooledClip(tmp_path / EPISODE, order(begins), ring, masks, most)  # type: ignore[arg-type]  # as given


def finish(clip: SpooledClip, *more: Polygon) -> tuple[MadeClip, ClipOrder]:
    """All that the ring holds is taken, and made into a film as whoever finishes does it."""
    clip.close()
    assert clip.pull()
    clip.finish()
    ordered = ClipOrder.read(clip.folder)
    masks = [Polygon.of(corners) for corners in ordered.masks]
    return make_clip(clip.folder, ordered, (*masks, *more)), ordered


def levels(film: Path, rows: slice, columns: slice) -> set[int]:
    """How bright that part is in all pictures, by steps that coding does not blur."""
    with av.open(str(film)) as container:
        return {
            round(float(frame.to_ndarray(format="gray")[rows, columns].mean()) / 8)
            for frame in container.decode(video=0)
        }


# --- copied ------------------------------------------------------------------------------------


def test_a_clip_begins_at_the_key_frame_before_the_moment_and_holds_every_picture(
    tmp_path: Path,
) -> None:
    clip = spooled(tmp_path, a_ring(BEGAN, 60, key_every=20), begins=2.7)
    made, ordered = finish(clip)
    assert made.shape.began_at == pytest.approx(BEGAN + 2.0, abs=1e-4)
    assert pictures_of(made.film) == [(n / FPS, (20 + n) % 24) for n in range(40)]
    assert made.shape.seconds == pytest.approx(4.0)
    assert (made.is_re_encoded, made.is_masked, ordered.is_cut) == (False, False, False)
    assert has_its_index_in_front(made.film)


def test_its_packets_are_the_cameras_own(tmp_path: Path) -> None:
    _, packets = coded(20)
    made, _ = finish(spooled(tmp_path, a_ring(BEGAN, 20)))
    with av.open(str(made.film)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    # A key frame's units have start codes of three bytes, which become lengths of four.
    sent = [len(content) for _, _, content in packets]
    assert all(0 <= size - was <= 4 for size, was in zip(sizes, sent, strict=True))


def test_pictures_that_wait_for_later_ones_are_shown_in_their_order(tmp_path: Path) -> None:
    made, _ = finish(spooled(tmp_path, a_ring(BEGAN, 48, key_every=24, b_frames=2)))
    assert pictures_of(made.film) == [(n / FPS, n % 24) for n in range(48)]


@pytest.mark.parametrize("key_every", [1, 60])
def test_any_distance_of_key_frames_will_do(tmp_path: Path, key_every: int) -> None:
    made, _ = finish(spooled(tmp_path, a_ring(BEGAN, 60, key_every=key_every), begins=5.0))
    first = 50 if key_every == 1 else 0
    assert [number for _, number in pictures_of(made.film)] == [n % 24 for n in range(first, 60)]


def test_a_camera_that_was_opened_just_now_gives_what_there_is_and_says_so(
    tmp_path: Path,
) -> None:
    made, ordered = finish(spooled(tmp_path, a_ring(BEGAN, 30), begins=-8.0))
    assert made.shape.began_at == pytest.approx(BEGAN)
    assert ordered.is_cut


def test_a_line_that_wavers_moves_no_picture(tmp_path: Path) -> None:
    coding, packets = coded(40)
    ring = PacketRing(1000, 64_000_000)
    ring.begin_segment()
    for number, (place, is_key, content) in enumerate(packets):
        line = BEGAN + (0.08 if number < 3 else 0.0)  # until the way's delay is known
        ring.append(coding, place, line, is_key, len(content), content)
    made, _ = finish(spooled(tmp_path, ring))
    assert made.shape.began_at == pytest.approx(BEGAN, abs=1e-4)
    assert [at for at, _ in pictures_of(made.film)] == [n / FPS for n in range(40)]


def test_after_a_reconnect_the_clip_goes_on_where_the_pictures_do(tmp_path: Path) -> None:
    ring = a_ring(BEGAN, 20)
    ring.begin_segment()
    fill(ring, BEGAN + 5.0, *coded(20, first=20))  # three seconds are missing
    made, _ = finish(spooled(tmp_path, ring))
    shown = pictures_of(made.film)
    assert [number for _, number in shown] == [n % 24 for n in range(40)]
    assert [shown[19][0], shown[20][0], shown[39][0]] == [1.9, 5.0, 6.9]
    assert not made.shape.is_whole


def test_a_format_that_changes_within_is_made_one(tmp_path: Path) -> None:
    ring = a_ring(BEGAN, 20)
    ring.begin_segment()
    fill(ring, BEGAN + 2.0, *coded(20, size=(128, 96), first=20))
    made, _ = finish(spooled(tmp_path, ring))
    assert (made.shape.width, made.shape.height) == (64, 48)
    assert [number for _, number in pictures_of(made.film)] == [n % 24 for n in range(40)]
    assert made.is_re_encoded


@pytest.mark.parametrize("codec", ["mjpeg", "libx265"])
def test_what_browsers_do_not_play_is_made_h264(tmp_path: Path, codec: str) -> None:
    try:
        ring = a_ring(BEGAN, 30, codec=codec, key_every=10)
    except av.error.FFmpegError:
        pytest.skip(f"this PyAV has no {codec}")
    clip = spooled(tmp_path, ring)
    assert clip.is_recoded, "it goes to the thread that has the time"
    made, _ = finish(clip)
    with av.open(str(made.film)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert pictures_of(made.film) == [(n / FPS, n % 24) for n in range(30)]
    assert made.is_re_encoded


def test_a_long_episode_is_cut_and_says_so(tmp_path: Path) -> None:
    clip = spooled(tmp_path, a_ring(BEGAN, 60), max_seconds=3.0)
    assert clip.pull(), "it is over"
    clip.finish()
    assert ClipOrder.read(clip.folder).is_cut
    made = make_clip(clip.folder, ClipOrder.read(clip.folder), ())
    assert made.shape.seconds == pytest.approx(3.1)


def test_packets_are_taken_until_the_end_that_was_set(tmp_path: Path) -> None:
    ring = a_ring(BEGAN, 20)
    clip = spooled(tmp_path, ring)
    assert not clip.pull()
    clip.end(BEGAN + 3.0)
    assert not clip.pull()
    coding, packets = coded(40)
    for place, is_key, content in packets[20:]:
        ring.append(coding, place, BEGAN, is_key, len(content), content)
    assert clip.pull()
    clip.finish()
    made = make_clip(clip.folder, ClipOrder.read(clip.folder), ())
    assert made.shape.seconds == pytest.approx(3.1)


# --- what goes wrong ---------------------------------------------------------------------------


def test_what_a_killed_worker_wrote_is_a_clip(tmp_path: Path) -> None:
    clip = spooled(tmp_path, a_ring(BEGAN, 40))
    assert not clip.pull()  # and no more: the process is gone
    part = part_path(clip.folder, 1)
    whole = part.read_bytes()
    part.write_bytes(whole[:-30])  # the last record is written in part
    with pytest.raises(BlockingIOError):
        FolderLock(clip.folder)  # while the process lives, the folder is its own
    clip.give_up()
    FolderLock(clip.folder).free()
    assert abandoned(tmp_path) == [clip.folder]
    made = make_clip(clip.folder, ClipOrder.read(clip.folder), ())
    assert [number for _, number in pictures_of(made.film)] == [n % 24 for n in range(39)]


@pytest.mark.parametrize("content", [b"", b"nonsense" * 20, b"C" + b"\0" * 19])
def test_a_spool_of_which_nothing_can_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.packets").write_bytes(content)
    assert index(tmp_path / "1.packets") == []
    with pytest.raises(ClipError, match="no key frame came"):
        make_clip(
            tmp_path,
            ClipOrder(EPISODE, 7, BEGAN, BEGAN, parts=[{"masks": [], "re_encoded": False}]),
            (),
        )


def test_packets_without_a_picture_in_them_are_named(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "1.packets")
    ring = a_ring(BEGAN, 1)
    writer.write([packet._replace(content=b"\xff" * 50) for packet in ring.since(0)])
    writer.close()
    write_clip(tmp_path / "1.packets", tmp_path / "x.mp4")
    with pytest.raises(ClipError):
        make_preview(tmp_path / "x.mp4", 0)


# --- masked ------------------------------------------------------------------------------------


def test_under_a_privacy_mask_nothing_is_spooled_and_nothing_shown(tmp_path: Path) -> None:
    clip = spooled(tmp_path, a_ring(BEGAN, 30), masks=(LEFT,))
    assert clip.is_recoded
    made, _ = finish(clip)
    assert len(levels(made.film, slice(0, 48), slice(2, 22))) == 1, "always the mask's own"
    assert pictures_of(made.film) == [(n / FPS, n % 24) for n in range(30)]
    assert (made.is_masked, made.is_re_encoded) == (True, True)
    # What lay on the disk before it was finished shows no more than that.
    raw = tmp_path / "raw.mp4"
    write_clip(part_path(clip.folder, 1), raw)
    assert len(levels(raw, slice(0, 48), slice(2, 22))) == 1


def test_a_mask_drawn_during_the_episode_hides_from_its_beginning(tmp_path: Path) -> None:
    ring = a_ring(BEGAN, 20)
    clip = spooled(tmp_path, ring)
    assert not clip.pull()
    clip.mask((LEFT,))
    coding, packets = coded(40)
    for place, is_key, content in packets[20:]:
        ring.append(coding, place, BEGAN, is_key, len(content), content)
    made, _ = finish(clip)
    later = tmp_path / "later.mp4"
    write_clip(part_path(clip.folder, 2), later)
    assert len(levels(later, slice(0, 48), slice(2, 22))) == 1, "from then on not even spooled"
    assert len(levels(made.film, slice(0, 48), slice(2, 22))) == 1
    assert [number for _, number in pictures_of(made.film)] == [n % 24 for n in range(40)]


def test_a_mask_drawn_before_it_is_finished_hides_as_well(tmp_path: Path) -> None:
    made, _ = finish(spooled(tmp_path, a_ring(BEGAN, 20), masks=(LEFT,)), TOP)
    assert len(levels(made.film, slice(2, 12), slice(30, 60))) == 1
    assert len(levels(made.film, slice(20, 48), slice(2, 22))) == 1


# --- the preview -------------------------------------------------------------------------------


def test_a_preview_shows_the_seconds_around_the_peak_and_is_small(tmp_path: Path) -> None:
    made, _ = finish(spooled(tmp_path, a_ring(BEGAN, 240, size=(640, 360), key_every=48)))
    content = make_preview(made.film, peak_seconds=12.0)
    assert len(content) <= MOST_BYTES
    (tmp_path / "preview.webp").write_bytes(content)
    with Image.open(tmp_path / "preview.webp") as preview:
        assert preview.size == (320, 180)
        shown = []
        for number in range(getattr(preview, "n_frames", 1)):
            preview.seek(number)
            shown.append(round((float(np.asarray(preview.convert("L")).mean()) - 40) / 8))
    assert shown[0] == 95 % 24, "two and a half seconds before"
    assert 12 <= len(shown) <= 16


def test_a_preview_of_noise_is_small_as_well(tmp_path: Path) -> None:
    rng, at = np.random.default_rng(3), datetime(2026, 1, 1, tzinfo=UTC)
    with Film(tmp_path / "noise.mp4") as film:
        for number in range(40):
            picture = rng.integers(0, 256, (360, 640, 3), np.uint8)
            film.add(picture, at + timedelta(seconds=number / 10))
    assert len(make_preview(tmp_path / "noise.mp4", 2.0)) <= MOST_BYTES
