"""What the simulated back end saw, kept so that tests and the demo can look at it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Literal

from simulators.laravel.contract import CrimeType, Severity
from simulators.laravel.exchange import IncomingCall, Refusal, full_path

NOT_ANSWERED = 0


@dataclass(frozen=True)
class RecordedCall:
    """One call; `status` is what was sent, 0 where the line was cut or the caller gave up."""

    at: float
    monotonic: float
    method: str
    path: str
    instance: str
    status: int
    body: Any  # JSON exactly as it came, which only the reader can narrow
    headers: Mapping[str, str]
    replayed: bool = False
    fault: str | None = None


@dataclass(frozen=True)
class Violation:
    """Something the document does not allow; `status` is 200 where it was let through."""

    at: float
    instance: str
    method: str
    path: str
    status: int
    message: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReceivedAlert:
    """`held`, here and below: whether the sender held the claim, which no report needs."""

    at: float
    instance: str
    camera_id: int
    held: bool
    confidence_score: float
    alert_type: Literal["suspicious"]
    idempotency_key: str | None


@dataclass(frozen=True)
class ReceivedStop:
    """`had_alert` is false where nothing was there to be stopped, which is no violation."""

    at: float
    instance: str
    camera_id: int
    held: bool
    had_alert: bool
    idempotency_key: str | None


@dataclass(frozen=True)
class ReceivedCrime:
    at: float
    instance: str
    crime_id: int
    camera_id: int
    held: bool
    crime_type: CrimeType
    confidence_score: float
    start_time: datetime
    end_time: datetime
    severity: Severity
    status: Literal["pending"]
    idempotency_key: str | None


@dataclass(frozen=True)
class ReceivedAlarm:
    """An accepted call of the camera control API; the last three are None on a stop."""

    at: float
    instance: str
    ip: str
    action: Literal["start", "stop"]
    duration: int | None = None
    type: str | None = None
    volume: str | None = None


@dataclass(frozen=True)
class HeartbeatRelease:
    """The cameras of an instance that fell silent."""

    at: float
    instance: str
    camera_ids: tuple[int, ...]


class Journal:
    """Calls and violations, written by the server's thread and read by any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[RecordedCall] = []
        self._violations: list[Violation] = []

    def note_call(
        self, call: IncomingCall, status: int, *, replayed: bool, fault: str | None
    ) -> None:
        recorded = RecordedCall(
            at=call.at,
            monotonic=call.monotonic,
            method=call.method,
            path=call.path,
            instance=call.instance,
            status=status,
            body=call.json,
            headers=call.headers,
            replayed=replayed,
            fault=fault,
        )
        with self._lock:
            self._calls.append(recorded)

    def note_refusal(self, call: IncomingCall, refusal: Refusal) -> None:
        self.note_violation(call, refusal.status, refusal.message, refusal.errors)

    def note_violation(
        self,
        call: IncomingCall,
        status: int,
        message: str,
        errors: Mapping[str, list[str]] | None = None,
    ) -> None:
        violation = Violation(
            call.at, call.instance, call.method, call.path, status, message, errors or {}
        )
        with self._lock:
            self._violations.append(violation)

    def calls(self) -> list[RecordedCall]:
        with self._lock:
            return list(self._calls)

    def calls_to(self, path: str) -> list[RecordedCall]:
        return [call for call in self.calls() if call.path == full_path(path)]

    def violations(self) -> list[Violation]:
        with self._lock:
            return list(self._violations)
