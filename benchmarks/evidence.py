"""What clips cost: a packet in memory, a camera's ring, a kept clip, and one with a privacy mask.

    python -m benchmarks.evidence --video clip.mp4 --out cost.json

CPU time of this process, counted where it is spent. The clip is of an episode of `--seconds` with
ten seconds before and after; the video is repeated as a looping camera would.
"""

import argparse
import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av

from detection.domain.geometry import Polygon
from detection.domain.packets import (
    POST_ROLL_SECONDS,
    PRE_ROLL_SECONDS,
    RING_SECONDS,
    CodedPacket,
    PacketRing,
)
from detection.evidence.making import make_clip
from detection.evidence.preview import make_preview
from detection.evidence.spool_folder import ClipOrder
from detection.evidence.spooled_clip import SpooledClip
from detection.sources.packets import PacketNotes
from simulators.demo.stage import built_in_clip
from tests.conftest import REPOSITORY

EPISODE = "0b0e7a52-3a4c-4d5b-9b77-5d51a5f0c001"
MASK = Polygon.of([[0.1, 0.1], [0.4, 0.1], [0.4, 0.5], [0.1, 0.5]])
CAMERAS = 20
MEGABYTES = 8.0


def packets_of(video: Path) -> tuple[Any, Any, list[Any]]:
    container = av.open(str(video))
    stream = container.streams.video[0]
    return container, stream, [packet for packet in container.demux(stream) if packet.size]


def fill(ring: PacketRing, video: Path, seconds: float) -> int:
    """A camera's packets of so many seconds; how many they were. None is shared with another."""
    total, began = 0, 0.0
    while began < seconds:
        container, stream, packets = packets_of(video)
        notes = PacketNotes(ring, stream, by_arrival=False)
        length = float(stream.duration * stream.time_base)
        notes.date(0.0, datetime.fromtimestamp(1_700_000_000 + began, UTC))
        for packet in packets:
            if began + float(packet.pts * stream.time_base) <= seconds:
                notes.keep(packet)
                total += 1
        began += length
        container.close()
    return total


def cost_of_a_packet(video: Path) -> float:
    """Microseconds of CPU, beside decoding, over the same packets again and again."""
    container, stream, packets = packets_of(video)
    ring = PacketRing(RING_SECONDS, int(MEGABYTES * 1e6))
    notes = PacketNotes(ring, stream, by_arrival=False)
    length, rounds = float(stream.duration * stream.time_base), 200
    began = time.process_time()
    for number in range(rounds):
        notes.date(0.0, datetime.fromtimestamp(1_700_000_000 + number * length, UTC))
        for packet in packets:
            notes.keep(packet)
    spent = time.process_time() - began
    container.close()
    return 1e6 * spent / (rounds * len(packets))


def cost_of_decoding(video: Path) -> float:
    """Microseconds of CPU for each packet: what the ring's share is compared with."""
    container, stream, packets = packets_of(video)
    stream.codec_context.thread_count = 1
    began = time.process_time()
    for packet in packets:
        packet.decode()
    spent = time.process_time() - began
    container.close()
    return 1e6 * spent / len(packets)


def resident_bytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * resource.getpagesize())


def apart(measure: Callable[[Path], dict[str, float]], video: Path) -> dict[str, float]:
    """In a fresh process, where no memory that was freed is taken again."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, video).result()


def memory_of_rings(video: Path) -> dict[str, float]:
    """Megabytes for each camera, as the system counts them and as the ring does."""
    gc.collect()
    before = resident_bytes()
    rings = [PacketRing(RING_SECONDS, int(MEGABYTES * 1e6)) for _ in range(CAMERAS)]
    for ring in rings:
        fill(ring, video, 2 * RING_SECONDS)
    gc.collect()
    return {
        "resident_mb": round((resident_bytes() - before) / CAMERAS / 1e6, 2),
        "counted_mb": round(sum(ring.held_bytes for ring in rings) / CAMERAS / 1e6, 2),
        "seconds_held": round(rings[0].held_seconds, 1),
    }


def memory_at_the_bound(video: Path) -> dict[str, float]:
    """The same for cameras that send more than a ring may hold."""
    gc.collect()
    before = resident_bytes()
    rings = [PacketRing(1e9, int(MEGABYTES * 1e6)) for _ in range(CAMERAS // 2)]
    for ring in rings:
        sent = 0
        while sent < 3 * MEGABYTES * 1e6:
            fill(ring, video, RING_SECONDS)
            sent += video.stat().st_size
    gc.collect()
    return {
        "resident_mb": round((resident_bytes() - before) / len(rings) / 1e6, 2),
        "counted_mb": round(sum(ring.held_bytes for ring in rings) / len(rings) / 1e6, 2),
    }


def cost_of_a_clip(video: Path, seconds: float, masks: tuple[Polygon, ...]) -> dict[str, Any]:
    """CPU seconds and bytes of the clip and the preview of one episode."""
    ring = PacketRing(1e6, 1 << 30)
    fill(ring, video, PRE_ROLL_SECONDS + seconds + POST_ROLL_SECONDS)
    first: Sequence[CodedPacket] = ring.since(0)
    with tempfile.TemporaryDirectory() as folder:
        order = ClipOrder(EPISODE, 1, first[0].at, first[0].at + 15)
        clip = SpooledClip(Path(folder) / EPISODE, order, ring, masks, 600)
        clip.close()
        began = time.process_time()
        clip.pull()
        clip.finish()
        spooled = time.process_time()
        made = make_clip(clip.folder, ClipOrder.read(clip.folder), masks)
        muxed = time.process_time()
        preview = make_preview(made.film, 15.0)
        done = time.process_time()
        return {
            "seconds": round(made.shape.seconds, 1),
            "pictures": made.shape.pictures,
            "size": f"{made.shape.width}x{made.shape.height}",
            "clip_bytes": made.film.stat().st_size,
            "preview_bytes": len(preview),
            "spooling_cpu_seconds": round(spooled - began, 4),
            "finishing_cpu_seconds": round(muxed - spooled, 4),
            "preview_cpu_seconds": round(done - muxed, 4),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="H.264; the demo's clip where none is given")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the episode")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    video = options.video or built_in_clip(REPOSITORY / "var" / "test", lambda _: None)
    cost = {
        "video": video.name,
        "packet_cpu_microseconds": round(cost_of_a_packet(video), 2),
        "decoding_cpu_microseconds": round(cost_of_decoding(video), 1),
        "ring_of_a_camera": apart(memory_of_rings, video),
        "ring_at_its_bound": apart(memory_at_the_bound, video),
        "copied": cost_of_a_clip(video, options.seconds, ()),
        "masked": cost_of_a_clip(video, options.seconds, (MASK,)),
    }
    text = json.dumps(cost, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
