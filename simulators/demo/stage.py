"""Sets the stage: clip, cameras, zones, settings and database of the demo, all under one folder."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import av.error

from crimeops.environment import read_environment_or_exit
from simulators.demo.processes import free_port
from simulators.laravel import SimulatedCamera
from simulators.scene import RESTRICTED_ZONE, render_scene
from simulators.tapo import prepare_clip

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_STATE = REPOSITORY / "var" / "demo"
MOST_CAMERAS = 10  # one instance holds no more
# On the user's own clip we cannot know where people may not stand.
WHOLE_PICTURE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is, once it is set."""

    state: Path
    environment: dict[str, str]
    ports: dict[str, int]
    cameras: list[SimulatedCamera]
    zone: list[list[float]]
    backend_cameras: Path
    tapo_config: Path
    embedded_broker: bool

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['backend']}"


class StageError(Exception):
    """The stage cannot be set; the message says what to do."""


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Keep a second demo from the database and the cameras of the first. Raises StageError."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageError("a demo runs already in this folder: end it first") from None
        yield


def built_in_clip(state: Path, progress: Progress) -> Path:
    """The rendered clip; made once for each version of the renderer."""
    source = (REPOSITORY / "simulators" / "scene.py").read_bytes()
    clip = state / "clips" / f"scene-{hashlib.sha256(source).hexdigest()[:12]}.mp4"
    if not clip.exists():
        clip.parent.mkdir(parents=True, exist_ok=True)
        unfinished = clip.with_suffix(f".{os.getpid()}.part.mp4")
        render_scene(unfinished, progress=progress)
        unfinished.rename(clip)
    return clip


def own_clip(state: Path, video: Path) -> Path:
    """The user's clip as a camera would send it (H.264, 640×360 at most, 15 fps); made once."""
    stamp = f"{video.resolve()}-{video.stat().st_mtime_ns}-{video.stat().st_size}"
    clip = state / "clips" / f"own-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}.mp4"
    if not clip.exists():
        clip.parent.mkdir(parents=True, exist_ok=True)
        unfinished = clip.with_suffix(f".{os.getpid()}.part.mp4")
        try:
            prepare_clip(video, unfinished)
        except (av.error.FFmpegError, ValueError) as error:
            raise StageError(f"{video} cannot be read as a video: {error}") from None
        unfinished.rename(clip)
    return clip


def set_stage(*, state: Path, clip: Path, cameras: int, whole_picture: bool, api_key: str) -> Stage:
    """Choose ports, write the simulators' files and lay the environment of the workers."""
    state.mkdir(parents=True, exist_ok=True)
    embedded_broker = "redis_url" not in read_environment_or_exit().model_fields_set
    ports = {
        "admin": free_port(8080),
        "flower": free_port(5555),
        "backend": free_port(),
        "status": free_port(),
        "rtsp": free_port(),
        "control": free_port(),
        "broker": free_port(),
    }
    fleet = _cameras(cameras, ports["rtsp"])
    backend_cameras, tapo_config = state / "backend-cameras.json", state / "tapo-cameras.json"
    _write_private(backend_cameras, [asdict(camera) for camera in fleet])
    _write_private(tapo_config, [_tapo(camera, clip, ports) for camera in fleet])
    return Stage(
        state=state,
        environment=_environment(state, ports, api_key, embedded_broker),
        ports=ports,
        cameras=fleet,
        zone=WHOLE_PICTURE if whole_picture else [list(corner) for corner in RESTRICTED_ZONE],
        backend_cameras=backend_cameras,
        tapo_config=tapo_config,
        embedded_broker=embedded_broker,
    )


def _cameras(count: int, rtsp_port: int) -> list[SimulatedCamera]:
    fleet = []
    for number in range(1, count + 1):
        host, password = f"127.0.0.{number}", secrets.token_urlsafe(12)
        fleet.append(
            SimulatedCamera(
                id=number,
                name=f"Yard camera {number}",
                ip_address=host,
                rtsp_url=f"rtsp://operator:{password}@{host}:{rtsp_port}/stream2",
                user_name="operator",
                password=password,
            )
        )
    return fleet


def _tapo(camera: SimulatedCamera, clip: Path, ports: dict[str, int]) -> dict[str, object]:
    return {
        "name": camera.name,
        "host": camera.ip_address,
        "rtsp_port": ports["rtsp"],
        "control_port": ports["control"],
        "user": camera.user_name,
        "password": camera.password,
        "clip": str(clip),
    }


def _environment(
    state: Path, ports: dict[str, int], api_key: str, embedded_broker: bool
) -> dict[str, str]:
    """The demo's settings go over whatever `.env` says, and its database is its own."""
    environment = dict(os.environ)
    environment |= {
        "DJANGO_SETTINGS_MODULE": "crimeops.settings",
        "DATABASE_URL": f"sqlite:///{state / 'crimeops.sqlite3'}",
        "EVIDENCE_DIR": str(state / "evidence"),
        "SPOOL_DIR": str(state / "spool"),
        "BACKEND_URL": f"http://127.0.0.1:{ports['backend']}",
        "MODEL_API_KEY": api_key,
        "TAPO_CONTROL_PORT": str(ports["control"]),
        "CAMERA_REFRESH_INTERVAL": "5",
        "FLOWER_PORT": str(ports["flower"]),
        "PYTHONUNBUFFERED": "1",
    }
    if embedded_broker:
        environment["REDIS_URL"] = f"redis://127.0.0.1:{ports['broker']}/0"
    return environment


def _write_private(path: Path, content: object) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
