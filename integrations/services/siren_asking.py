"""Asking a camera for its siren: to sound, by the first way that works; to be silent, by many.

Nothing here reads or writes a row: the camera is asked before the database.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from crimeops.adapters import load
from integrations.ports import Alarm, AlarmAddress, IntegrationError, LoginRefused
from integrations.services import siren_logins
from integrations.services import siren_ways as ways
from integrations.services.siren_addresses import KnownSiren, note_method

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of asking a camera: the ways that worked, and why others did not."""

    confirmed: tuple[str, ...] = ()
    error: str = ""
    wait_seconds: float = RETRY_SECONDS
    reached_at: str = ""
    is_lasting: bool = False  # the next episode should begin with this way

    @property
    def method(self) -> str:
        return self.confirmed[0] if self.confirmed else ""

    def as_fields(self, at: datetime) -> dict[str, Any]:
        """The columns of a siren row that say so."""
        if self.error:
            again = at + timedelta(seconds=self.wait_seconds)
            return {"last_error": self.error[:300], "next_attempt_at": again}
        return {"last_error": "", "attempts": 0, "next_attempt_at": None}


def load_alarms() -> None:
    """Build each way now, so that the first alarm does not wait for its libraries."""
    for name in settings.ALARMS:
        load("ALARMS", name)


def ask_to_sound(known: KnownSiren, episodes_own: str = "") -> Outcome:
    """By one way: the episode's own, else the first that works."""
    seconds = settings.ENVIRONMENT.siren_seconds
    failures: dict[str, IntegrationError] = {}
    for name in ways.in_order(known, episodes_own):
        failure = _ask(known, name, lambda alarm, where: alarm.sound(where, seconds))
        if failure is not None:
            failures[name] = failure
            continue
        logger.info("siren of camera %s sounded by %s", known.camera_id, name)
        lasting = ways.is_lasting(known, name)
        if lasting:
            note_method(known.camera_id, name)
        return Outcome((name,), reached_at=place_of(known.address), is_lasting=lasting)
    outcome = _failure(failures)
    logger.error("siren of camera %s not sounded: %s", known.camera_id, outcome.error)
    return outcome


def ask_to_be_silent(known: KnownSiren, names: Sequence[str]) -> Outcome:
    """By each of these ways, where it was sounded, and where the camera is now if it has moved."""
    confirmed: list[str] = []
    failures: dict[str, IntegrationError] = {}
    for name in names:
        answers = [_ask(place, name, _silence) for place in _places(known)]
        failure = None if None in answers else answers[-1]
        if failure is None:
            logger.info("siren of camera %s silenced by %s", known.camera_id, name)
            confirmed.append(name)
        else:
            failures[name] = failure
    if not failures:
        return Outcome(tuple(confirmed))
    return replace(_failure(failures), confirmed=tuple(confirmed))


def _silence(alarm: Alarm, where: AlarmAddress) -> None:
    alarm.silence(where)


def _places(known: KnownSiren) -> list[KnownSiren]:
    if known.reached_at in {"", place_of(known.address)}:
        return [known]
    host, _, port = known.reached_at.rpartition(":")
    return [replace(known, address=replace(known.address, host=host, port=int(port))), known]


def place_of(address: AlarmAddress) -> str:
    return f"{address.host}:{address.port}"


def _ask(
    known: KnownSiren, name: str, order: Callable[[Alarm, AlarmAddress], None]
) -> IntegrationError | None:
    """Ask by one way; returns why it did not work."""
    try:
        order(load("ALARMS", name), known.address)
    except Exception as fault:  # noqa: BLE001 — whoever asks must live to silence the siren
        error = _as_error(fault, known, name)
        if isinstance(error, LoginRefused):
            siren_logins.note_refusal(known.address, error)
        if error.permanent:
            ways.note_failure_for_good(known.address, name)
        return error
    ways.note_success(known.address, name)
    return None


def _as_error(fault: Exception, known: KnownSiren, name: str) -> IntegrationError:
    """What a way has not foreseen is a failure like any other."""
    if isinstance(fault, IntegrationError):
        return fault
    logger.exception("siren of camera %s: %s failed unforeseen", known.camera_id, name)
    return IntegrationError(f"failed unforeseen: {type(fault).__name__}", permanent=False)


def _failure(failures: dict[str, IntegrationError]) -> Outcome:
    text = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    pauses = [failure.retry_after_seconds for failure in failures.values()]
    wait = max(RETRY_SECONDS, *pauses) if len(settings.ALARMS) == 1 else RETRY_SECONDS
    return Outcome(error=text or "ALARMS names no way", wait_seconds=wait)
