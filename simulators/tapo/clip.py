"""The video a simulated camera sends: H.264 demultiplexed once, kept ready to send in memory."""

import base64
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import PictureType, VideoFrame

from simulators.tapo import rtp

SLICE, KEY_SLICE = 1, 5


class UnsuitableClip(ValueError):
    """The file cannot be sent as it is; `prepare_clip` makes one that can."""


@dataclass(frozen=True)
class AccessUnit:
    """One coded picture, cut into RTP payloads."""

    position: int
    """Ticks of 1/90000 s after the beginning of the clip."""
    key: bool
    payloads: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Clip:
    width: int
    height: int
    parameter_sets: tuple[bytes, bytes]
    units: tuple[AccessUnit, ...] = field(repr=False)
    duration: int
    """Ticks of 1/90000 s until the first picture is due again."""

    @property
    def sdp_format(self) -> str:
        sets = ",".join(base64.b64encode(nal).decode() for nal in self.parameter_sets)
        profile = self.parameter_sets[0][1:4].hex()
        return f"packetization-mode=1; profile-level-id={profile}; sprop-parameter-sets={sets}"


def load_clip(path: Path) -> Clip:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        if context.name != "h264" or not context.extradata or context.extradata[0] != 1:
            raise UnsuitableClip(f"{path} is not H.264 in MP4: convert it with prepare_clip")
        length_size, parameter_sets = _avc_configuration(context.extradata)
        units: list[AccessUnit] = []
        ticks = (stream.time_base or Fraction(1, rtp.CLOCK_RATE)) * rtp.CLOCK_RATE
        first, frame_ticks = None, 0
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            if packet.pts is None or packet.pts != packet.dts:
                raise UnsuitableClip(f"{path} has B-frames: convert it with prepare_clip")
            first = packet.pts if first is None else first
            frame_ticks = round((packet.duration or 0) * ticks) or frame_ticks
            position = round((packet.pts - first) * ticks)
            units.append(_access_unit(bytes(packet), length_size, position, parameter_sets))
    if not units or not units[0].key:
        raise UnsuitableClip(f"{path} does not begin with a key frame: use prepare_clip")
    if frame_ticks == 0:
        frame_ticks = rtp.CLOCK_RATE // 15
    return Clip(
        context.width,
        context.height,
        parameter_sets,
        tuple(units),
        units[-1].position + frame_ticks,
    )


def _avc_configuration(extradata: bytes) -> tuple[int, tuple[bytes, bytes]]:
    """The size of NAL lengths, SPS and PPS (ISO/IEC 14496-15, AVCDecoderConfigurationRecord)."""
    length_size = (extradata[4] & 3) + 1
    sps_end = 8 + int.from_bytes(extradata[6:8])
    pps_start = sps_end + 3
    pps_end = pps_start + int.from_bytes(extradata[sps_end + 1 : pps_start])
    return length_size, (extradata[8:sps_end], extradata[pps_start:pps_end])


def _access_unit(
    data: bytes, length_size: int, position: int, parameter_sets: tuple[bytes, bytes]
) -> AccessUnit:
    nals, at = [], 0
    while at + length_size <= len(data):
        start = at + length_size
        at = start + int.from_bytes(data[at:start])
        # Parameter sets are sent before each key frame; the rest a decoder can do without.
        if data[start] & 0x1F in (SLICE, KEY_SLICE):
            nals.append(data[start:at])
    key = any(nal[0] & 0x1F == KEY_SLICE for nal in nals)
    if key:
        nals[:0] = parameter_sets
    pieces = tuple(piece for nal in nals for piece in rtp.payloads(nal))
    return AccessUnit(position, key, pieces)


def prepare_clip(
    source: Path,
    destination: Path,
    width: int = 640,
    height: int = 360,
    fps: int = 15,
    gop_seconds: float = 1,
) -> Path:
    """Transcode any video to baseline H.264 that fits into width by height at a steady rate.

    The aspect ratio stays and sides become even; pictures are repeated or left out to reach `fps`.
    """
    gop = max(1, round(fps * gop_seconds))
    options = {
        "profile": "baseline",
        "preset": "veryfast",
        "tune": "zerolatency",
        "crf": "26",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:sliced-threads=0",
    }
    with av.open(str(source)) as original, av.open(str(destination), "w", format="mp4") as made:
        video = original.streams.video[0]
        rate = float(video.average_rate or fps)
        output = made.add_stream("libx264", rate=fps, options=options)
        output.pix_fmt = "yuv420p"
        output.codec_context.thread_count = 1
        written, beginning = 0, None
        for index, picture in enumerate(original.decode(video)):
            seconds = index / rate if picture.pts is None else picture.time
            beginning = seconds if beginning is None else beginning
            if index == 0:
                output.width, output.height = _fit(picture, width, height)
            due = int((seconds - beginning + 1 / rate) * fps + 0.5)
            if due <= written:
                continue
            scaled = picture.reformat(output.width, output.height, "yuv420p")
            # Otherwise each key frame of the original would become one of ours.
            scaled.pict_type = PictureType.NONE
            while written < due:
                scaled.pts, scaled.time_base = written, Fraction(1, fps)
                made.mux(output.encode(scaled))
                written += 1
        made.mux(output.encode())
    return destination


def _fit(picture: VideoFrame, width: int, height: int) -> tuple[int, int]:
    scale = min(width / picture.width, height / picture.height)
    return (
        max(2, round(picture.width * scale / 2) * 2),
        max(2, round(picture.height * scale / 2) * 2),
    )
