"""What the model cannot stomach costs its own camera a frame, and nobody else anything."""

import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from simulators.tapo import SimulatedTapo, prepare_clip
from tests.e2e.cluster import Cluster
from tests.e2e.odd_worker import answers_of, order, start_odd_worker
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

FPS = 6


def test_a_poisonous_frame_and_a_broken_model_cost_no_worker(
    tmp_path: Path, broker: Broker, model_dir: Path, scene: Path
) -> None:
    small = prepare_clip(scene, tmp_path / "small.mp4", width=320, height=180, fps=FPS)
    clips = [small, black_clip(tmp_path / "black.mp4"), small]
    cameras = [
        SimulatedTapo(user="operator", password=f"password-{n}", clip=clip, name=f"camera-{n}")
        for n, clip in enumerate(clips)
    ]
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    orders = tmp_path / "orders.json"
    with Cluster(tmp_path, broker.url, sqlite, model_dir, cameras) as cluster:
        cluster.foreseen = ("RuntimeError: this picture", "ValueError: the model", "MemoryError")
        cluster.settings |= {"FRAME_SKIP": "2", "STALL_SECONDS": "3"}
        start_odd_worker(cluster, "streams", "streams")
        start_odd_worker(cluster, "gpu", "gpu")
        cluster.start_worker("default", "default")
        cluster.start_beat()
        for number in (1, 2, 3):
            cluster.wait_for_state(number, "running", seconds=60)

        order(orders, fault="poison")
        reason = "not_analysed: not analysed: RuntimeError: this picture breaks the model"
        cluster.wait_for_state(2, "error", reason, seconds=20)
        analysed_after(cluster, time.time(), {1, 3})
        assert cluster.state_of(1) == cluster.state_of(3) == ("running", "")
        assert set(skipped(cluster)) == {2}

        order(orders, fault="always")
        for number in (1, 2, 3):
            reason = "not_analysed: not analysed: ValueError: the model is broken for now"
            cluster.wait_for_state(number, "error", reason, seconds=20)

        order(orders, fault="large")  # more than two at once, as where the memory is full
        mended = time.time()
        analysed_after(cluster, mended, {1, 2, 3})
        print(f"analysed {time.time() - mended:.1f} s after the model worked again")
        for number in (1, 2, 3):
            cluster.wait_for_state(number, "running", seconds=20)

        # In the middle of a batch: one of two workers is killed.
        order(orders, frame_seconds=0.2)
        start_odd_worker(cluster, "second-gpu", "gpu")
        ready = cluster.processes.named("second-gpu").log
        wait_until(lambda: " ready." in ready.read_text(), "a second gpu worker is there", 60)
        cluster.processes.kill("gpu")
        killed = time.time()
        gaps = [gap_over(cluster, number, killed) for number in (1, 2, 3)]
        print("killed gpu worker: gaps " + ", ".join(f"{gap:.1f} s" for gap in gaps))
        assert max(gaps) < 8
        cluster.processes.check()
        assert "no longer ours" not in cluster.everything_written()


def analysed_after(cluster: Cluster, since: float, cameras: set[int]) -> None:
    def all_of_them() -> bool:
        cluster.processes.check()
        return {one.camera for one in answers_of(cluster) if one.at > since} >= cameras

    wait_until(all_of_them, f"cameras {cameras} are analysed", 30, 0.02)


def gap_over(cluster: Cluster, camera: int, moment: float) -> float:
    """Seconds without a judged frame around a moment."""
    analysed_after(cluster, moment + 0.5, {camera})
    times = [one.at for one in answers_of(cluster) if one.camera == camera]
    return min(at for at in times if at > moment + 0.5) - max(at for at in times if at <= moment)


def skipped(cluster: Cluster) -> dict[int, int]:
    """Skipped frames by camera, of those that skipped more than a few."""
    rows = cluster.rows("SELECT camera_id, frames_skipped FROM detection_claim")
    return {row["camera_id"]: row["frames_skipped"] for row in rows if row["frames_skipped"] > 4}


def black_clip(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"profile": "baseline"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.gop_size = FPS
        for number in range(4 * FPS):
            picture = av.VideoFrame.from_ndarray(np.zeros((180, 320), np.uint8), format="gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
