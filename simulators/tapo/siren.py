"""The siren: whether it sounds, and who asked for it when."""

import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from simulators.tapo.behaviour import CameraBehaviour, EventSink

Action = Literal["start", "stop"]
Method = Literal["manual_msg_alarm", "setSirenStatus"]


@dataclass(frozen=True)
class SirenCall:
    at: float
    """Wall clock, seconds since the epoch."""
    monotonic: float
    """`time.monotonic()`, comparable between the processes of one machine."""
    action: Action
    method: Method

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Siren:
    def __init__(self, behaviour: CameraBehaviour, emit: EventSink) -> None:
        self._behaviour = behaviour
        self._emit = emit
        self._on_since: float | None = None
        self.calls: list[SirenCall] = []

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it falls silent by itself: 0 when silent, None when it never does."""
        if self._on_since is None:
            return 0.0
        limit = self._behaviour.siren_seconds
        if limit is None:
            return None
        return max(0.0, self._on_since + limit - time.monotonic())

    @property
    def on(self) -> bool:
        return self.seconds_left != 0.0

    def switch(self, action: Action, method: Method) -> None:
        call = SirenCall(time.time(), time.monotonic(), action, method)
        self._on_since = call.monotonic if action == "start" else None
        self.calls.append(call)
        self._emit({"event": "siren", "action": action, "method": method, "at": call.at})
