"""The site that is soaked: cameras, back end, broker, database and cluster, each at a switch."""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

from simulators.demo.processes import free_port
from simulators.laravel import ReceivedAlarm
from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo
from tests import services
from tests.e2e.cluster import Cluster
from tests.gate import Gate, PostgresGate
from tests.soak.parts import Part
from tests.soak.sessions import Sessions
from tests.soak.story import Reel, Repertoire, Story

STREAM_PARTS = {"streams-a": "127.0.0.2", "streams-b": "127.0.0.3"}
HEARTBEAT_TIMEOUT_SECONDS = 30.0
# Firmware: falls silent after 3 s, after 30 s, never.
SIREN_SECONDS = (3.0, 30.0, None)

SETTINGS = {
    "CAMERA_REFRESH_INTERVAL": "2",
    "HEARTBEAT_INTERVAL": "5",
    "RETRY_AFTER": "5",
    "DELIVERY_MAX_BACKOFF": "10",
}


class FilmedCamera:
    """A simulated Tapo and the reels it has shown."""

    def __init__(self, number: int, tapo: SimulatedTapo, story: Story, first: Story) -> None:
        self.number = number
        self.tapo = tapo
        self.story = story
        self.password = tapo.password
        self.reels = [Reel(first, time.time())]

    def play(self, story: Story) -> None:
        self.tapo.switch_clip(story.clip)
        self.reels.append(Reel(story, self.tapo.started_at or time.time()))


class Site:
    """Use as a context manager; every process is ended, whatever happens."""

    def __init__(self, folder: Path, repertoire: Repertoire, model_dir: Path, cameras: int) -> None:
        self.folder = folder
        self.repertoire = repertoire
        self._model_dir = model_dir
        self.cameras = self._film_cameras(cameras)
        self.sessions = Sessions()
        self.broker_up = True
        self.siren_awaited = threading.Event()
        self.siren_watch: threading.Thread | None = None
        self.parts: dict[str, Part] = {}

    def _film_cameras(self, count: int) -> dict[int, FilmedCamera]:
        control_port = free_port(host="0.0.0.0")
        found = {}
        for number in range(1, count + 1):
            tapo = SimulatedTapo(
                user="operator",
                password=f"password-of-camera-{number}",
                clip=self.repertoire.empty.clip,
                host=f"127.0.1.{number}",
                control_port=control_port,
                name=f"camera-{number}",
                siren_seconds=SIREN_SECONDS[number % len(SIREN_SECONDS)],
                on_event=partial(self._note, number),
            )
            story = self.repertoire.busy if number % 2 else self.repertoire.calm
            found[number] = FilmedCamera(number, tapo, story, self.repertoire.empty)
        return found

    def _note(self, number: int, event: Mapping[str, Any]) -> None:
        self.sessions.note(number, event)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.broker = stack.enter_context(services.broker())
            server = stack.enter_context(services.postgres_server())
            self.database_url = stack.enter_context(services.fresh_database(server))
            self.broker_gate = stack.enter_context(Gate(self.broker.port))
            self.database_gate = stack.enter_context(PostgresGate(self.database_url))
            self.cluster = stack.enter_context(self._cluster())
            self.backend = self.cluster.backend
            self.backend.on_alarm(self._switch_siren)
            self._list_cameras_and_draw_zones()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _switch_siren(self, alarm: ReceivedAlarm) -> None:
        """The back end's own way to a camera leads to the same siren, with the same password."""
        for camera in self.cameras.values():
            if camera.tapo.host == alarm.ip:
                camera.tapo.switch_siren(alarm.action, camera.password)

    def _cluster(self) -> Cluster:
        """The soak itself looks at the database past the gate."""
        count = len(self.cameras)
        return Cluster(
            self.folder,
            f"redis://127.0.0.1:{self.broker_gate.port}/0",
            self.database_url,
            self._model_dir,
            [camera.tapo for camera in self.cameras.values()],
            settings={
                **SETTINGS,
                "DATABASE_URL": self.database_gate.url,
                "TAPO_CONTROL_PORT": str(self.cameras[1].tapo.control_port),
                "MAX_CAMERAS": str(count),
            },
            max_cameras_per_instance=count,
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT_SECONDS,
            foreseen=("",),  # each fault has its own, in any order: promises are judged here
        )

    def _list_cameras_and_draw_zones(self) -> None:
        zone = json.dumps(RESTRICTED_ZONE)
        code = (
            "from django.utils import timezone; from detection.services import cameras; "
            "from detection.models import Camera, Zone; "
            "cameras.refresh_cameras(at=timezone.now()); "
            f"[Zone.objects.create(name='yard', camera=c, polygon={zone}) "
            "for c in Camera.objects.all()]"
        )
        self.cluster.manage("shell", "--no-imports", "-c", code)

    def start(self) -> None:
        """Two stream workers as two hosts, one over TCP and one over UDP, and one of each other."""
        for name, address in STREAM_PARTS.items():
            transport = "udp" if name == "streams-b" else "tcp"
            settings = {"INSTANCE_ADDRESS": address, "RTSP_TRANSPORT": transport}
            self._add(name, "streams", settings)
        self._add("gpu", "gpu")
        self._add("alarms", "alarms")
        self._add("reports", "reports,default")
        self._add("beat", "")

    def _add(self, name: str, queues: str, settings: dict[str, str] | None = None) -> None:
        self.parts[name] = Part(name, queues, self.cluster, settings or {})
        self.parts[name].start()

    def camera_named(self, part: str) -> FilmedCamera:
        return self.cameras[int(part.rpartition("-")[2])]

    @property
    def stream_parts(self) -> dict[str, Part]:
        return {name: part for name, part in self.parts.items() if name in STREAM_PARTS}

    # --- looked at past the gates ------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.cluster.rows(query, *values)

    def camera_states(self) -> dict[int, tuple[str, str]]:
        rows = self.rows("SELECT external_id, state, reason FROM detection_camera")
        return {row["external_id"]: (row["state"], row["reason"]) for row in rows}

    def all_running(self) -> bool:
        states = self.camera_states()
        return all(states.get(number, ("", ""))[0] == "running" for number in self.cameras)

    def frames_analysed(self) -> int:
        return int(self.rows("SELECT sum(frames_analysed) AS n FROM detection_claim")[0]["n"] or 0)

    def is_settled(self) -> bool:
        """Every episode over, everything told, no siren sounding."""
        waiting = self.rows(
            "SELECT (SELECT count(*) FROM detection_episode WHERE ended_at IS NULL) + "
            "(SELECT count(*) FROM integrations_delivery WHERE status = 'pending') AS n"
        )[0]["n"]
        quiet = not any(camera.tapo.siren_on for camera in self.cameras.values())
        return quiet and not waiting

    def told(self) -> str:
        """How much the back end has been told so far."""
        told = len(self.backend.alerts), len(self.backend.crimes), len(self.backend.stops)
        return "{} alerts, {} crimes, {} stops".format(*told)
