"""Reads streams with PyAV: typed errors, parallel opens, resuming after a freeze.

Library: https://pyav.basswood-io.com
"""

import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from detection.domain.capture_clock import CaptureClock
from detection.ports import Picture, SourceError, SourceOptions
from detection.sources.addresses import HTTP, RTSP, path_of, scheme_of
from detection.sources.damage import DamageGauge
from detection.sources.packets import PacketNotes
from detection.sources.timing import DEFAULT_FRAME_SECONDS, Playback, Sampling

# A stream that sends packets but no key frame is no video; said before anyone has to ask.
NO_PICTURE_SECONDS = 7.0
LARGEST_PICTURE_PIXELS = 4096 * 2304  # 4K; a larger one would cost the other cameras their memory


class PyAvSource:
    """One connection to one camera. See FrameSource."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._scheme = scheme_of(options.url)
        self._container: InputContainer | None = None
        self._closed = False
        self._opened = 0.0

    def pictures(self) -> Generator[Picture]:
        self._opened = time.monotonic()
        try:
            self._container = self._open()
            yield from self._play(self._container)
        except (av.error.FFmpegError, OSError) as error:
            if not self._closed:
                raise self._explain(error) from None
        finally:
            self._hang_up()

    def close(self) -> None:
        """See FrameSource. FFmpeg is not thread-safe: the reading thread itself hangs up."""
        self._closed = True

    def _hang_up(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            with suppress(av.error.FFmpegError):
                container.close()

    def _explain(self, error: BaseException) -> SourceError:
        """FFmpeg calls an RTSP host that accepts and then says nothing “invalid data”."""
        if self._scheme == "file":
            return _explain_file(error)
        waited = time.monotonic() - self._opened
        silent = self._container is None and waited >= self._options.open_timeout_seconds
        if silent and isinstance(error, av.error.InvalidDataError):
            return SourceError("timed_out", "the camera accepts the connection, but says nothing")
        return _translate(error)

    def _open(self) -> InputContainer:
        options = self._options
        address = path_of(options.url) if self._scheme == "file" else options.url
        return av.open(
            address,
            options=_demuxer_options(self._scheme, options.transport),
            timeout=(options.open_timeout_seconds, options.read_timeout_seconds),
        )

    def _play(self, container: InputContainer) -> Generator[Picture]:
        if not container.streams.video:
            raise SourceError("no_video", "the stream has no picture: check its address")
        if container.format.name == "tty":  # any text is a film of its letters to FFmpeg
            raise SourceError("codec", "it is text and no video")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # ten cameras otherwise start ten pools
        options, opened, decoded = self._options, time.monotonic(), 0
        clock, sampling = CaptureClock(), Sampling(options.frame_skip, options.rate, options.hurry)
        playback = Playback(_frame_seconds(stream))
        notes = self._notes(stream)
        gauge = DamageGauge(counts_gaps=options.transport == "udp" and self._scheme in RTSP)
        for packet in self._packets(container, stream):
            for frame in _decode(packet, gauge):
                decoded += 1
                if decoded == 1 and frame.time is None and self._scheme in RTSP:
                    continue  # FFmpeg does not date the first frame; the next one is soon here
                arrived = time.time()
                if self._scheme == "file":
                    arrived = self._play_back(playback.follow(frame.time), opened)
                at = clock.captured_at(self._pts(frame, playback), arrived, self._wall(container))
                if notes:
                    notes.date(frame.time, at)
                sampled = sampling.takes(at)
                yield Picture(
                    at,
                    _bgr(frame) if sampled else None,
                    gauge.share() if sampled else None,
                )
            if notes:
                notes.keep(packet)
            if decoded == 0 and time.monotonic() - opened > NO_PICTURE_SECONDS:
                raise SourceError(
                    "no_video", "packets come but no key frame: check the camera's codec settings"
                )
        if self._scheme != "file" and not self._closed:
            raise SourceError("ended", "the camera ended the stream")
        if not decoded and not self._closed:
            raise SourceError("no_video", "no frame of it can be decoded")

    def _notes(self, stream: Any) -> PacketNotes | None:
        ring = self._options.packets
        return PacketNotes(ring, stream, by_arrival=self._scheme in HTTP) if ring else None

    def _play_back(self, place: float, opened: float) -> float:
        """Wait until a file's frame is due, if it is; returns when (POSIX) it comes."""
        begins_at = self._options.begins_at
        if begins_at is not None:
            return begins_at.timestamp() + place
        time.sleep(max(0.0, opened + place - time.monotonic()))
        return time.time()

    def _packets(self, container: InputContainer, stream: Any) -> Generator[Any]:
        """The packets, without the one that FFmpeg still held back when the camera fell silent.

        It hands that one out in place of the first time-out, and would wait as long once more.
        """
        packets = container.demux(stream)
        while True:
            asked = time.monotonic()
            packet = next(packets, None)
            if packet is None or self._closed:
                return
            if time.monotonic() - asked >= self._options.read_timeout_seconds:
                raise SourceError("timed_out", "the camera sent nothing in time")
            yield packet

    def _pts(self, frame: VideoFrame, playback: Playback) -> float | None:
        """The stream's own time; MJPEG over HTTP has none that means anything."""
        if self._scheme == "file":
            return playback.seconds
        return None if self._scheme in HTTP else frame.time

    def _wall(self, container: InputContainer) -> float | None:
        """POSIX seconds of PTS 0 by the camera's RTCP clock, once it has sent a report."""
        microseconds = container.start_time_realtime if self._scheme in RTSP else None
        return microseconds / 1e6 if microseconds else None


def file_seconds(path: Path) -> float | None:
    """How long a video file lasts, as far as it says so itself."""
    try:
        with av.open(str(path), options=_demuxer_options("file", "")) as container:
            return container.duration / av.time_base if container.duration else None
    except (av.error.FFmpegError, OSError):
        return None


def _decode(packet: Any, gauge: DamageGauge) -> list[VideoFrame]:
    try:
        frames: list[VideoFrame] = list(packet.decode())
    except av.error.InvalidDataError:
        gauge.note(time.monotonic(), None, whole=False)
        return []  # a damaged frame; the next key frame heals it
    for frame in frames:
        gauge.note(time.monotonic(), frame.time, whole=not frame.is_corrupt)
    return frames


def _bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    if frame.width * frame.height > LARGEST_PICTURE_PIXELS:
        raise SourceError(
            "codec",
            f"the picture has {frame.width}×{frame.height} pixels: use the camera's smaller stream",
        )
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _frame_seconds(stream: Any) -> float:
    return float(1 / stream.average_rate) if stream.average_rate else DEFAULT_FRAME_SECONDS


def _demuxer_options(scheme: str, transport: str) -> dict[str, str]:
    """The protocols are closed in: a playlist from a camera must not open local files."""
    if scheme in RTSP:
        return {
            "rtsp_transport": transport,
            "analyzeduration": "200000",
            "allowed_media_types": "video",
            "protocol_whitelist": "rtsp,rtsps,rtp,rtcp,udp,tcp,tls,srtp,crypto",
        }
    if scheme in HTTP:
        # Neither a redirect nor a playlist may lead on to another host.
        return {
            "protocol_whitelist": "http,https,tcp,tls,crypto",
            "format_whitelist": "mpjpeg,mjpeg,jpeg_pipe,mpegts,h264,hevc,flv,matroska,webm,mov,mp4",
            "max_redirects": "0",
        }
    return {"protocol_whitelist": "file,crypto"}


_REASONS: list[tuple[type[BaseException], str, str]] = [
    (av.error.HTTPUnauthorizedError, "auth_failed", "the camera refuses the user or password"),
    (av.error.HTTPForbiddenError, "auth_failed", "the camera forbids this user the stream"),
    (av.error.HTTPOtherClientError, "refused", "the camera serves no more viewers: close others"),
    (av.error.HTTPNotFoundError, "no_video", "the camera knows no such stream: check its path"),
    (av.error.ConnectionRefusedError, "refused", "the camera refuses the connection"),
    (av.error.ExitError, "timed_out", "the camera sent nothing in time"),
    (av.error.TimeoutError, "timed_out", "the camera does not answer"),
    (av.error.InvalidDataError, "codec", "the stream cannot be read: check the camera's codec"),
    (av.error.ArgumentError, "codec", "a playlist or an unknown format: give the stream itself"),
    (av.error.DecoderNotFoundError, "codec", "no decoder for this stream: set the camera to H.264"),
    (av.error.EOFError, "ended", "the camera ended the stream"),
    (av.error.HTTPClientError, "refused", "the camera refuses the stream"),
    (OSError, "unreachable", "the camera cannot be reached"),
]


def _explain_file(error: BaseException) -> SourceError:
    if isinstance(error, PermissionError):
        return SourceError("unreachable", "this user may not read it")
    return SourceError("codec", "it is no video that can be read, or a damaged one")


def _translate(error: BaseException) -> SourceError:
    """FFmpeg's error by its kind; its text may hold the address and is not passed on."""
    for kind, reason, message in _REASONS:
        if isinstance(error, kind):
            return SourceError(reason, message)
    return SourceError("unreachable", f"the stream broke ({type(error).__name__})")
