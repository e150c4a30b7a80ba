"""The FrameSource port on a simulated camera, on files, and on a served MJPEG stream.

The clips count: picture n has the grey level of n, so that a picture tells its position.
"""

import socket
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, groupby, islice, pairwise
from pathlib import Path
from threading import Thread, Timer
from threading import enumerate as enumerate_threads

import av
import cv2
import numpy as np
import pytest

from detection.domain.packets import PacketRing
from detection.ports import Picture, SourceError, SourceOptions
from detection.reader import RetryPolicy, StreamReader
from detection.sources import pyav
from detection.sources.addresses import check_address
from detection.sources.pyav import PyAvSource
from simulators.demo.processes import free_port
from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.services import wait_until

FPS = 15
PASSWORD = "p@ss:word/1"


def grey_of(number: int) -> int:
    return 30 + number * 6


def number_of(picture: Picture) -> int:
    assert picture.pixels is not None
    return round((float(picture.pixels.mean()) - grey_of(0)) / 6)


def make_clip(path: Path, width: int, height: int, pictures: int = 2 * FPS) -> Path:
    options = {"profile": "baseline", "g": "5", "sc_threshold": "0", "crf": "12"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(pictures):
            # yuvj420p to yuv420p would squeeze the levels: fill the planes of the latter.
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = round(16 + grey_of(number) * 219 / 255)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip_file(folder: Path) -> Path:
    return make_clip(folder / "small.mp4", 160, 120)


@pytest.fixture(scope="module")
def small(clip_file: Path) -> Clip:
    return load_clip(clip_file)


@pytest.fixture(scope="module")
def large(folder: Path) -> Clip:
    return load_clip(make_clip(folder / "large.mp4", 320, 180))


@pytest.fixture
def camera(small: Clip) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="viewer", password=PASSWORD, clip=small) as simulated:
        yield simulated


def a_source(
    url: str, *, transport: str = "tcp", frame_skip: int = 5, read_seconds: float = 3.0
) -> PyAvSource:
    return PyAvSource(
        SourceOptions(
            url,
            transport=transport,
            frame_skip=frame_skip,
            open_timeout_seconds=2.0,
            read_timeout_seconds=read_seconds,
        )
    )


def look(source: PyAvSource, pictures: int) -> list[Picture]:
    """The first pictures; then hang up."""
    with closing(source.pictures()) as stream:
        return list(islice(stream, pictures))


def failure(source: PyAvSource) -> SourceError:
    """Watch until it fails. No password may be in what is told of it."""
    with pytest.raises(SourceError) as trouble, closing(source.pictures()) as stream:
        for _ in stream:
            pass
    told = f"{trouble.value!r} {''.join(traceback.format_exception(trouble.value))}"
    for secret in (PASSWORD, "p%40ss%3Aword%2F1", "p%40ss"):
        assert secret not in told
    return trouble.value


def assert_rising(pictures: Sequence[Picture]) -> None:
    moments = [picture.captured_at for picture in pictures]
    assert all(earlier < later for earlier, later in pairwise(moments))


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_is_sampled_and_its_pictures_are_dated_by_its_clock(
    camera: SimulatedTapo, transport: str
) -> None:
    pictures = look(a_source(camera.rtsp_url, transport=transport), 16)
    sampled = [number for number, picture in enumerate(pictures) if picture.pixels is not None]
    assert sampled == [0, 5, 10, 15]
    assert_rising(pictures)
    assert camera.started_at is not None
    for picture in pictures[::5]:
        assert picture.pixels is not None
        assert picture.pixels.shape == (120, 160, 3)
        assert picture.pixels.dtype == np.uint8
        taken_at = camera.started_at + number_of(picture) / FPS
        assert picture.captured_at.timestamp() == pytest.approx(taken_at, abs=0.1)
    wait_until(lambda: camera.teardowns == 1, "the camera was told goodbye", 3)
    wait_until(lambda: camera.active_clients == 0, "the camera has nobody left", 3)


def test_every_picture_is_sampled_where_none_may_be_skipped(camera: SimulatedTapo) -> None:
    pictures = look(a_source(camera.rtsp_url, frame_skip=1), 4)
    assert all(picture.pixels is not None for picture in pictures)


def test_a_picture_may_change_its_size_midway(camera: SimulatedTapo, large: Clip) -> None:
    sizes: list[tuple[int, ...]] = []
    with closing(a_source(camera.rtsp_url, frame_skip=1).pictures()) as stream:
        for number, picture in enumerate(stream):
            assert picture.pixels is not None and number < 100
            if picture.pixels.shape[:2] not in sizes:
                sizes.append(picture.pixels.shape[:2])
            if number == 5:
                camera.switch_clip(large)
            if len(sizes) == 2:
                break
    assert sizes == [(120, 160), (180, 320)]


def test_a_file_is_played_at_the_pace_of_life_and_ends_without_an_error(clip_file: Path) -> None:
    arrived, pictures = [], []
    for picture in a_source(str(clip_file)).pictures():
        arrived.append(time.monotonic())
        pictures.append(picture)
    assert len(pictures) == 2 * FPS
    assert [n for n, p in enumerate(pictures) if p.pixels is not None] == [0, 5, 10, 15, 20, 25]
    assert [number_of(picture) for picture in pictures[::5]] == [0, 5, 10, 15, 20, 25]
    assert arrived[-1] - arrived[0] == pytest.approx(29 / FPS, abs=0.25)
    assert_rising(pictures)
    span = (pictures[-1].captured_at - pictures[0].captured_at).total_seconds()
    assert span == pytest.approx(29 / FPS, abs=0.05)


def test_a_file_may_be_given_as_an_address(clip_file: Path) -> None:
    assert number_of(look(a_source(f"file://{clip_file}"), 1)[0]) == 0


def test_mjpeg_over_http_is_read_and_dated_by_its_arrival() -> None:
    with web_server(mjpeg) as port:
        pictures = []
        source = a_source(f"http://viewer:secret@127.0.0.1:{port}/video", frame_skip=2)
        with closing(source.pictures()) as stream:
            for picture in islice(stream, 9):
                pictures.append(picture)
            now = time.time()
    assert [number for number, p in enumerate(pictures) if p.pixels is not None] == [0, 2, 4, 6, 8]
    assert pictures[0].pixels is not None and pictures[0].pixels.shape == (48, 64, 3)
    assert_rising(pictures)
    assert pictures[-1].captured_at.timestamp() == pytest.approx(now, abs=0.2)


# --- packets kept as they come -------------------------------------------------------------------


def a_ring() -> PacketRing:
    return PacketRing(60, 8_000_000)


def watched(url: str, ring: PacketRing, pictures: int, **how: str) -> list[Picture]:
    options = SourceOptions(url, frame_skip=1, packets=ring, **how)  # type: ignore[arg-type]
    return look(PyAvSource(options), pictures)


def assert_dated_alike(ring: PacketRing, pictures: Sequence[Picture]) -> None:
    """Each picture has a packet of its moment; the last is kept after it was shown."""
    moments = [packet.at for packet in ring.since(0)]
    for picture in pictures[1:-1]:
        at = picture.captured_at.timestamp()
        assert min(abs(moment - at) for moment in moments) < 0.002


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_cameras_packets_are_dated_as_its_pictures(camera: SimulatedTapo, transport: str) -> None:
    ring = a_ring()
    pictures = watched(camera.rtsp_url, ring, 20, transport=transport)
    held = ring.since(0)
    assert held[0].is_key
    assert len(held) >= 19
    assert held[0].coding.codec == "h264"
    assert_dated_alike(ring, pictures)


def test_a_files_packets_are_dated_as_its_pictures(clip_file: Path) -> None:
    ring = a_ring()
    pictures = watched(str(clip_file), ring, 20)
    assert_dated_alike(ring, pictures)


def test_mjpeg_packets_are_dated_by_their_arrival_as_its_pictures() -> None:
    ring = a_ring()
    with web_server(mjpeg) as port:
        pictures = watched(f"http://viewer:secret@127.0.0.1:{port}/video", ring, 9)
    assert all(packet.is_key for packet in ring.since(0))
    assert_dated_alike(ring, pictures)


def test_another_size_midway_and_another_connection_begin_new_segments(
    camera: SimulatedTapo, large: Clip
) -> None:
    ring, sizes = a_ring(), set()
    source = PyAvSource(SourceOptions(camera.rtsp_url, frame_skip=1, packets=ring))
    with closing(source.pictures()) as stream:
        for number, picture in enumerate(stream):
            assert picture.pixels is not None and number < 100
            sizes.add(picture.pixels.shape[:2])
            if number == 5:
                camera.switch_clip(large)
            if len(sizes) == 2 and number > 30:
                break
    watched(camera.rtsp_url, ring, 8)
    runs = [list(run) for _, run in groupby(ring.since(0), key=lambda packet: packet.segment)]
    assert [(run[0].is_key, run[0].coding.width) for run in runs] == [
        (True, 160),
        (True, 320),
        (True, 320),
    ]
    assert all(len({packet.coding for packet in run}) == 1 for run in runs)


# --- failures and their reasons ------------------------------------------------------------------


def test_a_closed_port_is_refused(camera: SimulatedTapo) -> None:
    camera.refuse_rtsp()
    assert failure(a_source(camera.rtsp_url)).reason == "refused"


def test_a_wrong_password_is_an_authentication_that_failed(camera: SimulatedTapo) -> None:
    url = camera.rtsp_url
    camera.change_password("another one")
    assert failure(a_source(url)).reason == "auth_failed"


def test_a_camera_with_no_room_for_another_viewer_refuses(camera: SimulatedTapo) -> None:
    camera.max_clients = 0
    error = failure(a_source(camera.rtsp_url))
    assert error.reason == "refused"
    assert "serves no more viewers" in str(error)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_freezes_is_timed_out(camera: SimulatedTapo, transport: str) -> None:
    source = a_source(camera.rtsp_url, transport=transport, read_seconds=0.5)
    with closing(source.pictures()) as stream:
        next(stream)
        camera.freeze()
        began = time.monotonic()
        with pytest.raises(SourceError, match="sent nothing in time") as trouble:
            for _ in stream:
                pass
    assert trouble.value.reason == "timed_out"
    assert time.monotonic() - began < 2.0


def test_a_silence_is_told_after_one_time_out_and_not_after_two(camera: SimulatedTapo) -> None:
    """FFmpeg hands out the packet that it held back, in place of the first time-out."""
    with closing(a_source(camera.rtsp_url, read_seconds=2.0).pictures()) as stream:
        next(stream)
        camera.freeze()
        began = time.monotonic()
        with pytest.raises(SourceError, match="sent nothing in time"):
            for _ in stream:
                pass
    assert time.monotonic() - began < 3.5


def damage_after(camera: SimulatedTapo, seconds: float, transport: str = "tcp") -> float:
    """What the source says of the damage after so long."""
    told, began = 0.0, time.monotonic()
    source = a_source(camera.rtsp_url, transport=transport, frame_skip=1)
    with closing(source.pictures()) as stream:
        for picture in stream:
            told = picture.damage or 0.0
            if time.monotonic() - began > seconds:
                return told
    raise AssertionError("the stream ended")


def test_a_stream_whose_pictures_are_rubbish_says_so(camera: SimulatedTapo) -> None:
    camera.pictures_damaged = True
    assert damage_after(camera, 3.0) > 0.6


def test_half_the_packets_lost_is_damage_and_none_lost_is_none(camera: SimulatedTapo) -> None:
    assert damage_after(camera, 3.0, "udp") == 0.0
    camera.packet_loss = 0.5
    assert damage_after(camera, 5.0, "udp") > 0.4


@pytest.mark.parametrize("jump", [3 * 3600.0, -3 * 3600.0])
def test_pictures_of_a_camera_whose_clock_jumped_are_dated_on(
    camera: SimulatedTapo, jump: float
) -> None:
    moments = []
    with closing(a_source(camera.rtsp_url, frame_skip=1).pictures()) as stream:
        for number, picture in enumerate(stream):
            moments.append(picture.captured_at)
            if number == 10:
                camera.jump_clock(jump)
            if number == 40:
                break
            assert picture.captured_at.timestamp() == pytest.approx(time.time(), abs=0.7)
    steps = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert min(steps) > -0.05
    assert max(steps) < 0.5


def test_a_host_that_accepts_and_says_nothing_is_timed_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        url = f"rtsp://viewer:p%40ss%3Aword%2F1@127.0.0.1:{port}/stream2"
        assert failure(a_source(url)).reason == "timed_out"
        assert time.monotonic() - began < 4.0


def test_packets_without_a_key_frame_are_no_video(
    camera: SimulatedTapo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyav, "NO_PICTURE_SECONDS", 1.0)  # eight are long for a test
    camera.suppress_key_frames()
    assert failure(a_source(camera.rtsp_url)).reason == "no_video"


def test_a_stream_that_the_camera_does_not_know_is_no_video(camera: SimulatedTapo) -> None:
    camera.video_unavailable = True
    error = failure(a_source(camera.rtsp_url))
    assert error.reason == "no_video"
    assert "check its path" in str(error)


def test_a_camera_that_hangs_up_at_the_end_has_ended(folder: Path) -> None:
    short = load_clip(make_clip(folder / "short.mp4", 160, 120, pictures=10))
    with SimulatedTapo(user="viewer", password=PASSWORD, clip=short, loop=False) as camera:
        assert failure(a_source(camera.rtsp_url)).reason == "ended"


def test_a_connection_that_breaks_is_told_and_read_anew(camera: SimulatedTapo) -> None:
    Timer(0.4, camera.drop_clients).start()
    assert failure(a_source(camera.rtsp_url)).reason in {"ended", "unreachable"}
    assert len(look(a_source(camera.rtsp_url), 3)) == 3


def test_a_stream_that_no_decoder_reads_is_a_matter_of_the_codec() -> None:
    with web_server(nonsense) as port:
        assert failure(a_source(f"http://127.0.0.1:{port}/video")).reason == "codec"


@pytest.mark.parametrize(
    ("page", "reason"), [(401, "auth_failed"), (403, "auth_failed"), (404, "no_video")]
)
def test_refusals_over_http_are_told_apart(page: int, reason: str) -> None:
    def refuse(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(page)

    with web_server(refuse) as port:
        url = f"http://viewer:p%40ss%3Aword%2F1@127.0.0.1:{port}/video"
        assert failure(a_source(url)).reason == reason


def test_a_playlist_of_a_camera_cannot_open_files_of_this_host(clip_file: Path) -> None:
    def playlist(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/vnd.apple.mpegurl")
        handler.end_headers()
        lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", f"file://{clip_file}", "")
        handler.wfile.write("\n".join((*lines[:4], "#EXT-X-ENDLIST", "")).encode())

    with web_server(playlist) as port:
        failure(a_source(f"http://127.0.0.1:{port}/video.m3u8", read_seconds=1.0))


@pytest.mark.parametrize("kind", ["redirect", "playlist"])
def test_a_camera_leads_us_to_no_other_host(kind: str) -> None:
    reached: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        reached.append(handler.path)
        mjpeg(handler)

    with web_server(elsewhere) as other:
        away = f"http://127.0.0.1:{other}/video"

        def lead(handler: BaseHTTPRequestHandler) -> None:
            if kind == "redirect":
                handler.send_response(302)
                handler.send_header("Location", away)
                handler.end_headers()
                return
            handler.send_response(200)
            handler.send_header("Content-Type", "application/vnd.apple.mpegurl")
            handler.end_headers()
            lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", away, "#EXT-X-ENDLIST", "")
            handler.wfile.write("\n".join(lines).encode())

        with web_server(lead) as port:
            error = failure(a_source(f"http://viewer:secret@127.0.0.1:{port}/video.m3u8"))
    assert reached == []
    assert error.reason == {"redirect": "unreachable", "playlist": "codec"}[kind]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://viewer:p%40ss%3Aword%2F1@host/clip", "ftp:// is no camera stream"),
        ("concat:/etc/passwd", "concat:// is no camera stream"),
        ("rtsp:///stream2", "names no host"),
        ("/etc/passwd", "files are no cameras here"),
        ("file:///etc/passwd", "files are no cameras here"),
    ],
)
def test_what_is_no_camera_is_a_bad_address(url: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as trouble:
        check_address(url, allow_files=False)
    assert trouble.value.reason == "bad_address"
    assert "p%40ss" not in str(trouble.value)


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no file .*nowhere\.mp4") as trouble:
        check_address(str(folder / "nowhere.mp4"), allow_files=True)
    assert trouble.value.reason == "bad_address"


def test_a_scheme_that_slipped_through_is_refused_by_the_source_itself() -> None:
    url = f"ftp://viewer:p%40ss%3Aword%2F1@127.0.0.1:{free_port()}/clip.mp4"
    failure(a_source(url))


# --- the end -------------------------------------------------------------------------------------


def test_close_from_another_thread_ends_the_pictures_promptly(camera: SimulatedTapo) -> None:
    source = a_source(camera.rtsp_url)
    closed_at: list[float] = []

    def close() -> None:
        closed_at.append(time.monotonic())
        source.close()
        source.close()

    with closing(source.pictures()) as stream:
        next(stream)
        Timer(0.2, close).start()
        for _ in stream:
            pass
    assert time.monotonic() - closed_at[0] < 0.5
    wait_until(lambda: camera.teardowns == 1, "the camera was told goodbye", 3)


def test_close_while_the_camera_is_frozen_ends_without_an_error(camera: SimulatedTapo) -> None:
    source = a_source(camera.rtsp_url, read_seconds=1.0)
    with closing(source.pictures()) as stream:
        next(stream)
        camera.freeze()
        Timer(0.2, source.close).start()
        began = time.monotonic()
        for _ in stream:
            pass
    assert time.monotonic() - began < 2.5
    wait_until(lambda: camera.active_clients == 0, "the camera is left", 3)


def test_a_reader_stuck_in_a_half_open_connection_is_left_at_once_and_ends_by_itself() -> None:
    def ends() -> bool:
        return all(thread.name != "stuck-reader" for thread in enumerate_threads())

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://viewer:secret@127.0.0.1:{silent.getsockname()[1]}/stream2"
        reader = StreamReader(lambda: a_source(url), lambda _: None, RetryPolicy(), "stuck-reader")
        reader.start()
        with silent.accept()[0]:
            began = time.monotonic()
            assert not reader.stop(0.5)
            assert time.monotonic() - began < 1.0
            wait_until(ends, "the thread ends with its time-out", 8)


def test_a_source_printed_shows_no_address(camera: SimulatedTapo) -> None:
    assert PASSWORD not in repr(SourceOptions(camera.rtsp_url))
    assert "viewer" not in repr(SourceOptions(camera.rtsp_url))


# --- a tiny server -------------------------------------------------------------------------------


def mjpeg(handler: BaseHTTPRequestHandler) -> None:
    """Twenty pictures a second, until the viewer goes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for number in count():
        picture = np.full((48, 64, 3), grey_of(number % 30), np.uint8)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        handler.wfile.write(head.encode() + jpeg + b"\r\n")
        time.sleep(0.05)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "video/mp4")
    handler.send_header("Content-Length", str(256 * 4096))
    handler.end_headers()
    handler.wfile.write(bytes(range(256)) * 4096)


@contextmanager
def web_server(respond: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the viewer went
                respond(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield int(listener.server_port)
        finally:
            listener.shutdown()
            thread.join()
