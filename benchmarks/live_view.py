"""What live pictures cost: stills of ten cameras, one viewer, and as many as a site allows.

    python -m benchmarks.live_view --seconds 20 --cameras 10 --out cost.json

Frames of the demo's clip, as large as asked for, are left with one `Showing` a camera as a watch
leaves them; a real broker, a real `gunicorn crimeops.wsgi`, viewers over real connections. What the
watch's side costs is the CPU time of this process less what feeding alone costs; the web's is its
own process's. CPU time, so that other work on the machine decides nothing; ages are in real time.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box
from detection.domain.tracks import Track
from detection.showing import Showing, Sight
from detection.transport.live import LivePictures
from simulators.demo.processes import answers, free_port
from simulators.demo.stage import built_in_clip
from tests.conftest import REPOSITORY
from tests.e2e.cluster import Cluster
from tests.services import valkey, wait_until

RATE = 5  # frames a second that are sampled
MOST_VIEWERS = 16
TRACKS = tuple(Track(n, "person", 0.9, Box(0.1 * n, 0.2, 0.1 * n + 0.1, 0.8)) for n in range(4))
GUNICORN = str(Path(sys.executable).parent / "gunicorn")
SET_UP = """
from django.contrib.auth.models import User
from django.test import Client
from detection.models import Camera
Camera.objects.bulk_create(
    Camera(registry="local", external_id=n, name="Camera %d" % n) for n in range(1, {cameras} + 1)
)
client = Client()
client.force_login(User.objects.create_superuser("boss", password="x"))
print("session", client.cookies["sessionid"].value)
"""


@dataclass
class Viewer:
    """A browser that watches one camera; `ages` are how old each picture was when it came."""

    port: int
    session: str
    camera_id: int
    bytes: int = 0
    cpu: float = 0.0  # of its own thread
    ages: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Cookie": f"sessionid={self.session}", "Accept": "multipart/mixed"}
        path = f"/admin/detection/camera/{self.camera_id}/live/stream/"
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        while not self.stop.is_set():
            line = answer.readline()
            self.cpu = time.thread_time()
            self.bytes += len(line)
            if line.startswith(b"Content-Length:"):
                size = int(line.split(b":")[1])
            elif line.startswith(b"X-Sent-At:"):
                sent = float(line.split(b":")[1])
            elif line.startswith(b"X-Age-Seconds:"):
                age = float(line.split(b":")[1])
            elif line == b"\r\n":
                self.bytes += len(answer.read(size + 2))
                if size > 100:
                    self.ages.append(age + time.time() - sent)
        connection.close()


def frames_of(clip: Path, width: int) -> list[NDArray[np.uint8]]:
    """A few pictures of the clip with somebody in them, this wide."""
    found: list[NDArray[np.uint8]] = []
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 30 == 0:
                pixels = frame.to_ndarray(format="bgr24")
                size = (width, round(width * pixels.shape[0] / pixels.shape[1]))
                found.append(np.asarray(cv2.resize(pixels, size), np.uint8))
            if len(found) == 8:
                break
    return found


class Feed:
    """Leaves frames with the showings, as the watches of so many cameras do."""

    def __init__(self, frames: Sequence[NDArray[np.uint8]]) -> None:
        self._frames = frames
        self.showings: list[Showing] = []
        self.left: list[float] = []  # seconds that leaving a frame took

    def run(self, seconds: float, cameras: int) -> float:
        """CPU seconds of this process for so long."""
        began, cpu = time.monotonic(), time.process_time()
        step = 1 / (RATE * cameras)
        turns = cycle(range(cameras))
        due, pictures = began, cycle(self._frames)
        while time.monotonic() - began < seconds:
            pixels, camera = next(pictures), next(turns)
            if self.showings:
                sight = Sight(pixels, datetime.now(UTC), time.time(), TRACKS)
                before = time.perf_counter()
                self.showings[camera].judged(sight)
                self.left.append(time.perf_counter() - before)
            due += step
            time.sleep(max(0.0, due - time.monotonic()))
        return time.process_time() - cpu


@contextmanager
def watching(port: int, session: str, cameras: Sequence[int]) -> Iterator[list[Viewer]]:
    viewers = [Viewer(port, session, camera) for camera in cameras]
    threads = [threading.Thread(target=viewer.watch, daemon=True) for viewer in viewers]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: all(viewer.ages for viewer in viewers), "every viewer sees", 30)
        yield viewers
    finally:
        for viewer in viewers:
            viewer.stop.set()
        for thread in threads:
            thread.join(10)


def page_ms(port: int, session: str, times: int = 10) -> float:
    """How long the list of cameras takes, at the median."""
    took: list[float] = []
    for _ in range(times):
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        began = time.perf_counter()
        headers = {"Cookie": f"sessionid={session}"}
        connection.request("GET", "/admin/detection/camera/", headers=headers)
        assert connection.getresponse().read()
        took.append(1000 * (time.perf_counter() - began))
        connection.close()
    return float(round(statistics.median(took), 1))


def measure(options: argparse.Namespace, cluster: Cluster, pictures: LivePictures) -> Any:
    """All figures, in percent of one core where not said otherwise."""
    port, seconds, cameras = free_port(), options.seconds, options.cameras
    said = cluster.manage("shell", "--no-imports", "-c", SET_UP.format(cameras=cameras))
    session = said.split("session")[1].split()[0]
    cluster.processes.start(
        "web", [GUNICORN, "crimeops.wsgi", "--bind", f"127.0.0.1:{port}"], cluster.environment
    )
    wait_until(lambda: answers(port), "the web answers", 60)
    feed = Feed(frames_of(built_in_clip(REPOSITORY / "var" / "test", print), options.width))

    def percent(cpu: float) -> float:
        return float(round(100 * cpu / seconds, 2))

    alone = feed.run(seconds, cameras)
    feed.showings = [Showing(n, pictures, lambda: ()) for n in range(1, cameras + 1)]
    for showing in feed.showings:
        showing.start()
    feed.run(2, cameras)  # their first stills
    stills = feed.run(seconds, cameras)
    result: dict[str, Any] = {
        "cameras": cameras,
        "picture": f"{options.width} wide, {RATE} a second",
        "stills_of_all_cameras_percent": percent(stills - alone),
        "page_ms_without_viewers": page_ms(port, session),
    }
    for count in (1, min(MOST_VIEWERS, cameras)):
        feeder = threading.Thread(target=feed.run, args=(4, cameras))  # until everybody sees
        feeder.start()
        with watching(port, session, range(1, count + 1)) as viewers:
            feeder.join()
            for viewer in viewers:
                viewer.bytes = 0
                viewer.ages.clear()
            feed.left.clear()
            web_before = cluster.processes.cpu_seconds()["web"]
            readers = sum(viewer.cpu for viewer in viewers)
            streams = feed.run(seconds, cameras)
            web_cpu = cluster.processes.cpu_seconds()["web"] - web_before
            streams -= sum(viewer.cpu for viewer in viewers) - readers
            ages = sorted(age for viewer in viewers for age in viewer.ages)
            result[f"viewers_{count}"] = {
                "streams_percent": percent(streams - stills),
                "web_percent": percent(web_cpu),
                "kilobytes_a_second": round(sum(v.bytes for v in viewers) / seconds / 1000, 1),
                "pictures_a_second_each": round(len(ages) / seconds / count, 2),
                "age_ms_p50": round(1000 * statistics.median(ages)),
                "age_ms_p95": round(1000 * ages[int(0.95 * len(ages))]),
                "leaving_a_frame_us_p99": round(
                    1e6 * sorted(feed.left)[int(0.99 * len(feed.left))], 1
                ),
            }
            if count > 1:
                feeder = threading.Thread(target=feed.run, args=(10, cameras))
                feeder.start()
                result["page_ms_with_viewers"] = page_ms(port, session)
                feeder.join()
    for showing in feed.showings:
        showing.close()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--cameras", type=int, default=10)
    parser.add_argument("--width", type=int, default=1920, help="pixels of a camera's picture")
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(valkey())
        database = f"sqlite:///{folder / 'live.sqlite3'}"
        settings = {"LIVE_VIEWERS_EACH": str(MOST_VIEWERS), "ALLOWED_HOSTS": "127.0.0.1"}
        cluster = stack.enter_context(
            Cluster(folder, url, database, REPOSITORY / "var" / "models", settings=settings)
        )
        cluster.manage("collectstatic", "--no-input", "--verbosity=0")
        result = measure(options, cluster, LivePictures.connect(url))
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
