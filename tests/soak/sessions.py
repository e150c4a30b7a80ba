"""Who plays a camera's stream, by the camera's own word: each RTSP session from PLAY to its end."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.soak.parts import Part


@dataclass(frozen=True, slots=True)
class Session:
    """One client of a camera; `worker` is the part that it belongs to, once that is known."""

    camera_id: int
    port: int
    opened_at: float
    closed_at: float | None = None
    worker: str = ""


class Sessions:
    """Written by the cameras' thread, named and read by the sampler's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[int, int], Session] = {}
        self._closed: list[Session] = []

    def note(self, camera_id: int, event: Mapping[str, Any]) -> None:
        """Take an event of a simulated camera."""
        if event["event"] not in ("client_connected", "client_gone"):
            return
        port = int(event["peer"].rpartition(":")[2])
        with self._lock:
            if event["event"] == "client_connected":
                self._open[camera_id, port] = Session(camera_id, port, event["at"])
            elif (session := self._open.pop((camera_id, port), None)) is not None:
                self._closed.append(replace(session, closed_at=event["at"]))

    def name_workers(self, parts: Mapping[str, Part], rtsp_ports: Mapping[int, int]) -> None:
        """Find out to which process each new session belongs."""
        with self._lock:
            unknown = [session for session in self._open.values() if not session.worker]
        for session in unknown:
            for part in parts.values():
                if session.port in part.local_ports(rtsp_ports[session.camera_id]):
                    self._name(session, part.name)

    def _name(self, session: Session, worker: str) -> None:
        key = session.camera_id, session.port
        with self._lock:
            if key in self._open:
                self._open[key] = replace(self._open[key], worker=worker)

    def open_now(self) -> list[Session]:
        with self._lock:
            return list(self._open.values())

    def all(self) -> list[Session]:
        with self._lock:
            return [*self._closed, *self._open.values()]
