"""The doors of telling: what a back end and a siren must offer, and their one error."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class IntegrationError(Exception):
    """A back end or a camera refused or was out of reach; `permanent`: asking again is vain.

    `retry_after_seconds` is how long the other side asked to be left alone, 0 where it did not say.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class AlertReport:
    """Something suspicious is going on."""

    camera_external_id: int
    confidence: float  # 0..100


@dataclass(frozen=True, slots=True)
class CrimeReport:
    """A crime is sure; the times are capture times, aware UTC."""

    camera_external_id: int
    crime_type: str
    confidence: float  # 0..100
    started_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class StopReport:
    """It is over."""

    camera_external_id: int


Report = AlertReport | CrimeReport | StopReport


class Reporter(Protocol):
    """A back end that is told of episodes."""

    def send(self, report: Report, idempotency_key: str) -> dict[str, Any]:
        """Deliver one report; returns the back end's answer. Raises IntegrationError."""
        ...


@dataclass(frozen=True, slots=True)
class AlarmAddress:
    """Where and as whom a camera's siren is reached. Credentials are kept out of `repr`."""

    camera_id: int
    host: str
    port: int
    public_host: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    control_password: str = field(repr=False)


class Alarm(Protocol):
    """A way to sound a camera's siren."""

    def sound(self, address: AlarmAddress, seconds: float) -> None:
        """Start the siren. Raises IntegrationError."""
        ...

    def silence(self, address: AlarmAddress) -> None:
        """Stop the siren. Raises IntegrationError."""
        ...

    def keep_warm(self, address: AlarmAddress) -> bool:
        """Have a live session ready, so that `sound` is one request. Raises IntegrationError.

        Returns False where it was not tried, because the camera is busy or rests after a failure.
        """
        ...
