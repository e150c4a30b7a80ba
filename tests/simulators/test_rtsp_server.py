"""The simulated video, judged by PyAV, which the product reads real cameras with.

The test clips count: picture n has the grey level of n, so that a picture tells its position.
"""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer

from simulators.tapo import (
    Clip,
    LoopThread,
    SimulatedTapo,
    UnsuitableClip,
    load_clip,
    prepare_clip,
    serve,
)

pytestmark = pytest.mark.enable_socket

FPS = 15
SECONDS = 2
PICTURES = FPS * SECONDS
PASSWORD = "p@ss:word/1"


def grey_of(number: int) -> int:
    return 30 + number * 6


def number_of(picture: av.VideoFrame) -> int:
    return round((float(picture.to_ndarray(format="gray").mean()) - grey_of(0)) / 6)


def make_clip(path: Path, width: int, height: int, codec_options: dict[str, str]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=codec_options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(PICTURES):
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
def small(folder: Path) -> Clip:
    options = {"profile": "baseline", "g": "5", "sc_threshold": "0", "crf": "12"}
    return load_clip(make_clip(folder / "small.mp4", 160, 120, options))


@pytest.fixture(scope="module")
def large(folder: Path) -> Clip:
    options = {"profile": "baseline", "g": "5", "sc_threshold": "0", "crf": "12"}
    return load_clip(make_clip(folder / "large.mp4", 320, 180, options))


@pytest.fixture
def camera(small: Clip) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="viewer", password=PASSWORD, clip=small) as simulated:
        yield simulated


def watch(camera: SimulatedTapo, transport: str = "tcp", read_seconds: float = 5) -> InputContainer:
    container = av.open(
        camera.rtsp_url,
        options={"rtsp_transport": transport, "analyzeduration": "200000"},
        timeout=(5, read_seconds),
    )
    assert isinstance(container, InputContainer)
    return container


def take(container: InputContainer, count: int) -> list[av.VideoFrame]:
    return list(islice(container.decode(video=0), count))


def seconds_of(picture: av.VideoFrame) -> float:
    assert picture.pts is not None
    assert picture.time_base is not None
    return float(picture.pts * picture.time_base)


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def ask(camera: SimulatedTapo, *requests: str) -> list[str]:
    """Plain RTSP for what FFmpeg never does; the first line of each answer."""
    answers = []
    with socket.create_connection((camera.host, camera.rtsp_port), timeout=5) as connection:
        for request in requests:
            connection.sendall(f"{request}\r\nCSeq: 1\r\n\r\n".encode())
            answer = b""
            while b"\r\n\r\n" not in answer and (piece := connection.recv(4096)):
                answer += piece
            answers.append(answer.decode().split("\r\n")[0])
    return answers


def test_pictures_arrive_in_order_and_at_their_size(camera: SimulatedTapo) -> None:
    with watch(camera) as container:
        pictures = take(container, 6)

    assert [(one.width, one.height) for one in pictures] == [(160, 120)] * 6
    assert [number_of(one) for one in pictures] == [0, 1, 2, 3, 4, 5]


def test_the_wall_clock_of_a_picture_follows_from_its_pts(camera: SimulatedTapo) -> None:
    with watch(camera) as container:
        pictures = take(container, 10)[1:]
        realtime = container.start_time_realtime

    assert realtime is not None
    assert camera.started_at is not None
    for picture in pictures:
        captured_at = realtime / 1e6 + seconds_of(picture)
        assert captured_at - camera.started_at == pytest.approx(number_of(picture) / FPS, abs=0.01)


def test_time_goes_on_where_the_clip_begins_anew(camera: SimulatedTapo) -> None:
    with watch(camera) as container:
        pictures = take(container, PICTURES + 5)[1:]

    steps = np.diff([seconds_of(picture) for picture in pictures])
    assert steps == pytest.approx(1 / FPS, abs=0.001)
    assert [number_of(one) for one in pictures[-5:]] == [0, 1, 2, 3, 4]


def test_pictures_come_at_the_pace_of_the_clip(camera: SimulatedTapo) -> None:
    with watch(camera) as container:
        take(container, 10)
        before = time.monotonic()
        take(container, 10)
        passed = time.monotonic() - before

    assert passed == pytest.approx(10 / FPS, abs=0.2)


def test_all_clients_see_the_same_position_of_the_clip(camera: SimulatedTapo) -> None:
    with watch(camera) as first, watch(camera) as second:
        assert camera.active_clients == 2
        for container in (first, second):
            picture = take(container, 5)[-1]
            realtime = container.start_time_realtime
            assert realtime is not None
            assert camera.started_at is not None
            position = realtime / 1e6 + seconds_of(picture) - camera.started_at
            assert number_of(picture) == round(position * FPS) % PICTURES


def test_the_clock_runs_on_without_clients(camera: SimulatedTapo) -> None:
    watch(camera).close()
    started_at = camera.started_at
    with watch(camera) as container:
        picture = take(container, 3)[-1]
        realtime = container.start_time_realtime

    assert realtime is not None
    assert started_at is not None
    assert camera.started_at == started_at
    position = realtime / 1e6 + seconds_of(picture) - started_at
    assert number_of(picture) == round(position * FPS) % PICTURES


def test_a_wrong_password_is_refused_with_a_typed_error(camera: SimulatedTapo) -> None:
    url = camera.rtsp_url
    camera.change_password("another")

    with pytest.raises(av.error.HTTPUnauthorizedError):
        av.open(url, options={"rtsp_transport": "tcp"}, timeout=(5, 5))

    with watch(camera) as container:
        assert len(take(container, 1)) == 1


def test_basic_authentication_is_refused(camera: SimulatedTapo) -> None:
    plain = base64.b64encode(f"viewer:{PASSWORD}".encode()).decode()

    answers = ask(
        camera, f"DESCRIBE rtsp://camera/stream2 RTSP/1.0\r\nAuthorization: Basic {plain}"
    )

    assert answers == ["RTSP/1.0 401 Unauthorized"]


def test_a_path_that_does_not_exist_is_not_found(camera: SimulatedTapo) -> None:
    with pytest.raises(av.error.HTTPNotFoundError):
        av.open(camera.rtsp_url.replace("stream2", "stream9"), timeout=(5, 5))


def test_requests_out_of_order_are_answered_with_their_error(camera: SimulatedTapo) -> None:
    url = "rtsp://camera/stream2"

    assert ask(
        camera,
        f"OPTIONS {url} RTSP/1.0",
        f"GET_PARAMETER {url} RTSP/1.0",
        f"RECORD {url} RTSP/1.0",
        f"TEARDOWN {url} RTSP/1.0",
    ) == [
        "RTSP/1.0 200 OK",
        "RTSP/1.0 454 Session Not Found",
        "RTSP/1.0 501 Not Implemented",
        "RTSP/1.0 200 OK",
    ]
    assert camera.teardowns == 0


def test_what_is_not_rtsp_ends_the_connection(camera: SimulatedTapo) -> None:
    assert ask(camera, "GET / HTTP/1.1") == [""]


def test_a_third_client_is_refused_until_one_has_gone(camera: SimulatedTapo) -> None:
    with watch(camera):
        with watch(camera), pytest.raises(av.error.HTTPClientError):
            watch(camera)
        wait_until(lambda: camera.active_clients == 1)
        with watch(camera) as container:
            assert len(take(container, 1)) == 1

    assert camera.total_sessions == 3


def test_a_client_that_closes_is_counted_as_a_teardown(camera: SimulatedTapo) -> None:
    with watch(camera):
        assert (camera.active_clients, camera.teardowns) == (1, 0)

    wait_until(lambda: camera.active_clients == 0)
    assert (camera.total_sessions, camera.teardowns) == (1, 1)


def test_a_frozen_camera_keeps_the_connection_and_reads_time_out(camera: SimulatedTapo) -> None:
    with watch(camera, read_seconds=0.6) as container:
        take(container, 3)
        camera.freeze()
        # PyAV's own deadline: FFmpeg is told to stop, and says so.
        with pytest.raises(av.error.ExitError):
            take(container, FPS)
        assert camera.active_clients == 1

        camera.unfreeze()
        assert len(take(container, 3)) == 3


def test_dropped_clients_see_the_end_and_may_come_back(camera: SimulatedTapo) -> None:
    with watch(camera) as container:
        take(container, 3)
        camera.drop_clients()
        before = time.monotonic()
        # FFmpeg mostly takes the reset for the end of the stream, without an error.
        with suppress(av.error.FFmpegError):
            assert len(take(container, 10 * FPS)) < FPS
        assert time.monotonic() - before < 1

    wait_until(lambda: camera.active_clients == 0)
    assert camera.teardowns == 0
    with watch(camera) as container:
        assert len(take(container, 1)) == 1


def test_a_closed_rtsp_port_refuses_and_opens_again_on_the_same_port(
    camera: SimulatedTapo,
) -> None:
    port = camera.rtsp_port
    camera.refuse_rtsp()
    with pytest.raises(av.error.ConnectionRefusedError):
        watch(camera)

    camera.accept_rtsp()

    assert camera.rtsp_port == port
    with watch(camera) as container:
        assert len(take(container, 1)) == 1


def test_video_may_be_unavailable_while_the_control_port_is_open(camera: SimulatedTapo) -> None:
    camera.video_unavailable = True

    with pytest.raises(av.error.HTTPNotFoundError):
        watch(camera)

    socket.create_connection((camera.host, camera.control_port), timeout=5).close()


def test_a_new_client_without_key_frames_gets_no_picture(camera: SimulatedTapo) -> None:
    camera.suppress_key_frames()
    packets = pictures = 0

    # Packets flow, so no read times out: `container.decode` would wait for a picture for ever.
    with watch(camera) as container:
        deadline = time.monotonic() + 0.8
        for packet in container.demux(video=0):
            packets += 1
            pictures += len(packet.decode())
            if time.monotonic() > deadline:
                break

    assert packets > FPS // 2
    assert pictures == 0


def test_the_picture_may_change_its_size_while_it_is_watched(
    camera: SimulatedTapo, large: Clip
) -> None:
    with watch(camera) as container:
        before = take(container, 5)
        camera.switch_clip(large)
        after = take(container, 15)

    times = [seconds_of(picture) for picture in (*before[1:], *after)]
    assert (before[-1].width, before[-1].height) == (160, 120)
    assert (after[-1].width, after[-1].height) == (320, 180)
    assert (np.diff(times) > 0).all()


def test_the_next_client_is_told_the_new_size(camera: SimulatedTapo, large: Clip) -> None:
    camera.switch_clip(large)

    with watch(camera) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (320, 180)
        assert number_of(take(container, 1)[0]) == 0


def test_a_clip_that_is_not_repeated_ends_with_the_connection(small: Clip) -> None:
    with SimulatedTapo(user="viewer", password=PASSWORD, clip=small, loop=False) as camera:
        for _ in range(2):
            numbers = []
            with watch(camera) as container, suppress(av.error.FFmpegError):
                for picture in container.decode(video=0):
                    numbers.append(number_of(picture))
            assert numbers[0] == 0
            assert PICTURES - 2 <= len(numbers) <= PICTURES
            wait_until(lambda: camera.active_clients == 0)


def test_pictures_arrive_over_udp_with_their_wall_clock(camera: SimulatedTapo) -> None:
    with watch(camera, transport="udp") as container:
        pictures = take(container, 5)
        realtime = container.start_time_realtime

    assert [number_of(one) for one in pictures] == [0, 1, 2, 3, 4]
    assert realtime is not None
    assert camera.started_at is not None
    assert realtime / 1e6 == pytest.approx(camera.started_at, abs=0.01)


def test_lost_udp_packets_do_not_arrive(camera: SimulatedTapo) -> None:
    with watch(camera, transport="udp", read_seconds=0.6) as container:
        take(container, 3)
        camera.packet_loss = 1.0
        with pytest.raises(av.error.ExitError):
            take(container, FPS)
        assert camera.active_clients == 1


def test_many_cameras_share_one_thread(small: Clip) -> None:
    cameras = [
        SimulatedTapo(user="viewer", password=PASSWORD, clip=small, name=f"camera {number}")
        for number in range(5)
    ]

    with serve(*cameras) as thread:
        assert isinstance(thread, LoopThread)
        assert len({camera.rtsp_port for camera in cameras}) == 5
        with watch(cameras[0]) as container:
            assert len(take(container, 1)) == 1
        assert [camera.total_sessions for camera in cameras] == [1, 0, 0, 0, 0]


def test_a_camera_can_be_started_again_on_its_ports(small: Clip) -> None:
    camera = SimulatedTapo(user="viewer", password=PASSWORD, clip=small)
    camera.start()
    ports = camera.rtsp_port, camera.control_port
    camera.stop()

    with camera:
        assert (camera.rtsp_port, camera.control_port) == ports


def test_a_clip_with_b_frames_must_be_prepared_and_keeps_its_shape(folder: Path) -> None:
    source = make_clip(folder / "wide.mp4", 320, 120, {"bf": "2", "preset": "medium"})
    with pytest.raises(UnsuitableClip, match="prepare_clip"):
        load_clip(source)

    clip = load_clip(prepare_clip(source, folder / "fit.mp4", width=160, height=90, fps=10))

    assert (clip.width, clip.height) == (160, 60)
    assert len(clip.units) == 10 * SECONDS
    assert [unit.position for unit in clip.units if unit.key] == [0, 90_000]
    assert clip.duration == SECONDS * 90_000
