"""The doors of telling: what a back end and a siren must offer, and their one error."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from crimeops.logging import redact


class IntegrationError(Exception):
    """A back end or a camera refused or was out of reach; `permanent`: asking again is vain.

    `retry_after_seconds` is how long the other side asked to be left alone, 0 where it did not say.
    `away` is true where whatever else is asked of it now would surely fail as well.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        retry_after_seconds: float = 0.0,
        away: bool = False,
    ) -> None:
        super().__init__(redact(message))  # it is logged, stored and shown
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds
        self.away = away


class LoginRefused(IntegrationError):
    """A camera refused a login: nobody may try again for `retry_after_seconds`.

    `suspended`: by the camera itself, whatever the password; else for this password only.
    """

    def __init__(self, message: str, *, seconds: float, suspended: bool) -> None:
        super().__init__(message, permanent=False, retry_after_seconds=seconds)
        self.suspended = suspended


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


def _open_to_all() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class AlarmAddress:
    """Where and as whom a camera's siren is reached. Credentials are kept out of `repr`.

    `logins_closed_seconds` is asked right before a login: how long nobody may log in yet, because
    this or another process was refused.
    """

    camera_id: int
    host: str
    port: int
    public_host: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    control_password: str = field(repr=False)
    logins_closed_seconds: Callable[[], float] = field(
        default=_open_to_all, compare=False, repr=False
    )

    def check_logins(self, closed_here_seconds: float) -> None:
        """Call right before a login. Raises IntegrationError while anybody knows them closed."""
        closed_for = max(closed_here_seconds, self.logins_closed_seconds())
        if closed_for > 0:
            raise IntegrationError(
                f"the camera at {self.host} refuses logins for {closed_for:.0f} s more",
                permanent=False,
                retry_after_seconds=closed_for,
            )


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
