"""A Tapo camera that does not exist: control port and RTSP, with its faults at a switch."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from simulators.tapo.behaviour import CameraBehaviour, Event, EventSink
from simulators.tapo.broadcast import Broadcast
from simulators.tapo.clip import Clip, load_clip
from simulators.tapo.control import ControlPort
from simulators.tapo.firmware import Firmware
from simulators.tapo.login import FrontDoor
from simulators.tapo.rtsp import RtspServer
from simulators.tapo.serve import LoopThread
from simulators.tapo.siren import Action, Siren, SirenCall


@dataclass(kw_only=True, eq=False)
class SimulatedTapo(CameraBehaviour):
    """Settings are read at every request, so they may be assigned while the camera runs.

    Ports that are 0 are chosen at `start()`. With `loop=False` the camera hangs up at the end of
    the clip. `on_event` is called on the loop's thread and must not block.
    """

    clip: Path | Clip = field(repr=False)
    host: str = "127.0.0.1"
    rtsp_port: int = 0
    control_port: int = 0
    loop: bool = True
    name: str = "camera"
    on_event: EventSink | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        clip = self.clip if isinstance(self.clip, Clip) else load_clip(self.clip)
        self._siren = Siren(self, self._emit)
        self._door = FrontDoor(self)
        self._control = ControlPort(
            self, self._door, Firmware(self, self._siren, self.name), self.host
        )
        self._broadcast = Broadcast(clip, loop=self.loop)
        self._rtsp = RtspServer(self, self._broadcast, self.host, self._emit)
        self._thread = LoopThread()
        self._owns_thread = True

    def start(self, thread: LoopThread | None = None) -> None:
        """Open both ports, on a thread of its own or on one that is shared."""
        self._owns_thread = thread is None
        self._thread = thread or LoopThread()
        self._thread.start()
        try:
            self.accept_rtsp()
            self.accept_control()
        except BaseException:
            self.stop()
            raise
        self._emit(
            {"event": "ready", "rtsp_port": self.rtsp_port, "control_port": self.control_port}
        )

    def stop(self) -> None:
        if not self._thread.running:
            return
        self._thread.run(self._rtsp.close())
        self._thread.run(self._control.close())
        if self._owns_thread:
            self._thread.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # Video.

    @property
    def rtsp_url(self) -> str:
        """With the credentials in it: never log it."""
        account = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"rtsp://{account}@{self.host}:{self.rtsp_port}/stream2"

    @property
    def started_at(self) -> float | None:
        """Epoch seconds of position 0 of the present clip; None before the first PLAY."""
        return self._broadcast.started_at

    @property
    def active_clients(self) -> int:
        return self._rtsp.active_clients

    @property
    def total_sessions(self) -> int:
        return self._rtsp.total_sessions

    @property
    def teardowns(self) -> int:
        return self._rtsp.teardowns

    def freeze(self) -> None:
        """Send no more packets, over connections that stay open."""
        self._broadcast.frozen = True

    def unfreeze(self) -> None:
        self._broadcast.frozen = False

    def drop_clients(self) -> None:
        self._thread.call(self._rtsp.drop_clients)

    def refuse_rtsp(self) -> None:
        """Close the RTSP port; present clients stay, see `drop_clients`."""
        self._thread.call(self._rtsp.refuse)

    def accept_rtsp(self) -> None:
        self.rtsp_port = self._thread.run(self._rtsp.open(self.rtsp_port))

    def suppress_key_frames(self, suppressed: bool = True) -> None:
        self.key_frames_suppressed = suppressed

    def jump_clock(self, seconds: float) -> None:
        """Set the camera's clock forward or back, for those who watch and those who come."""
        self._thread.call(self._broadcast.jump_clock, seconds)

    def switch_clip(self, clip: Path | Clip) -> None:
        """Go on with another clip at once, for those who watch and those who come."""
        loaded = clip if isinstance(clip, Clip) else load_clip(clip)
        self._thread.call(self._broadcast.switch, loaded)

    # Control.

    @property
    def siren_on(self) -> bool:
        return self._siren.on

    @property
    def siren_calls(self) -> list[SirenCall]:
        return list(self._siren.calls)

    def switch_siren(self, action: Action, password: str) -> None:
        """As another client of the control port does, a back end say. Raises ConnectionError."""
        if not self._control.is_open or password != self.password or self.locked_out_seconds:
            raise ConnectionRefusedError(f"{self.name} does not serve its control port")
        self._thread.call(self._siren.switch, action, "manual_msg_alarm")

    @property
    def logins(self) -> int:
        return self._door.logins

    @property
    def failed_logins(self) -> int:
        return self._door.failed_logins

    @property
    def locked_out_seconds(self) -> float:
        return self._door.suspended_seconds

    def lock_out(self, seconds: float | None = None) -> None:
        """Refuse logins as after too many bad ones; 0 ends it."""
        self._door.suspend(self.lock_out_seconds if seconds is None else seconds)

    def change_password(self, password: str) -> None:
        """New logins and RTSP requests need the new one; open sessions go on."""
        self.password = password

    def expire_sessions(self) -> None:
        self._thread.call(self._door.expire_sessions)

    def drop_connections(self) -> None:
        """Break all control connections, also those that wait for an answer."""
        self._thread.call(self._control.drop_connections)

    def refuse_control(self) -> None:
        self._thread.call(self._control.refuse)

    def accept_control(self) -> None:
        self.control_port = self._thread.run(self._control.open(self.control_port))

    def fail_next(self, count: int = 1, error_code: int = -1) -> None:
        """Answer the next `count` encrypted requests with an error and do nothing."""
        self._thread.call(self._control.fail_next, count, error_code)

    def state(self) -> dict[str, Any]:
        """All that can be counted, fit for JSON; no credentials."""
        return {
            "name": self.name,
            "host": self.host,
            "rtsp_port": self.rtsp_port,
            "control_port": self.control_port,
            "siren_on": self.siren_on,
            "siren_calls": [call.as_json() for call in self.siren_calls],
            "logins": self.logins,
            "failed_logins": self.failed_logins,
            "locked_out_seconds": round(self.locked_out_seconds, 3),
            "active_clients": self.active_clients,
            "total_sessions": self.total_sessions,
            "teardowns": self.teardowns,
            "started_at": self.started_at,
            "frozen": self._broadcast.frozen,
        }

    def _emit(self, event: Event) -> None:
        if self.on_event is not None:
            whole = {"event": event["event"], "at": time.time()}
            self.on_event({**whole, "name": self.name, "host": self.host, **event})
