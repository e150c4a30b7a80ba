"""What the tests of sirens share: a site with one camera, and a process that forgets and keeps."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from crimeops import adapters
from detection.models import Camera, Episode
from integrations.services import (
    siren_addresses,
    siren_holds,
    siren_keeper,
    siren_logins,
    siren_ways,
)
from integrations.services.siren_keeper import Keeper
from simulators.demo.processes import free_port
from simulators.laravel import LaravelSimulator, SimulatedCamera
from simulators.tapo import SimulatedTapo
from tests.services import wait_until

MARKS = [
    # In the database for all to see: some questions are asked from threads of their own.
    pytest.mark.django_db(transaction=True),
    # A camera's certificate is self-signed, so pytapo does not verify it and urllib3 complains.
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    # pytapo closes neither its HTTP session nor its event loop.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

KEY = "the-key-of-this-test"
PASSWORD = "Correct horse 1!"


# --- the site ------------------------------------------------------------------------------------


def set_environment(settings: Settings, **changes: object) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)


def leave_only_tapo(settings: Settings) -> None:
    """A site whose back end controls no camera."""
    settings.ALARMS = {"tapo": settings.ALARMS["tapo"]}


def no_broker() -> str:
    return f"redis://127.0.0.1:{free_port()}/0"


def a_backend() -> LaravelSimulator:
    """One that knows the camera."""
    listed = SimulatedCamera(
        id=1,
        name="Gate",
        ip_address="127.0.0.1",
        rtsp_url="rtsp://127.0.0.1/stream2",
        password=PASSWORD,
    )
    return LaravelSimulator(KEY, [listed])


def a_camera(host: str, control_port: int) -> Camera:
    return Camera.objects.create(
        registry="laravel",
        external_id=1,
        name="Gate",
        address=host,
        control_address=f"{host}:{control_port}",
        username="admin",
        password=PASSWORD,
    )


def an_episode(camera: Camera, began: datetime | None = None) -> UUID:
    at = began or timezone.now()
    return Episode.objects.create(
        camera=camera,
        claim_token=1,
        crime_type="trespassing",
        confidence=55,
        started_at=at,
        alerted_at=at,
        decided_at=at,
    ).pk


def actions(tapo: SimulatedTapo) -> list[str]:
    return [call.action for call in tapo.siren_calls]


def starts(tapo: SimulatedTapo) -> int:
    return actions(tapo).count("start")


# --- the process ---------------------------------------------------------------------------------


def another_process() -> None:
    """Forget all that only this process knows, as one does that is started anew."""
    adapters.forget()
    siren_addresses.forget()
    siren_logins.forget()
    siren_ways.forget()


@contextmanager
def process_that_tends_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody looks after a siren that was sounded, as in a process that died right after.

    What it remembers ends with the test.
    """
    monkeypatch.setattr(siren_keeper, "KEEPER", Keeper(attended=False))
    another_process()
    yield
    another_process()
    gc.collect()


@contextmanager
def process_that_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    """It keeps what it sounds, in threads; the camera must be in reach again when it ends."""
    monkeypatch.setattr(siren_keeper, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(siren_holds, "LONGEST_RETRY_SECONDS", 0.2)
    keeper = Keeper()
    monkeypatch.setattr(siren_keeper, "KEEPER", keeper)
    another_process()
    yield keeper
    keeper.farewell()
    wait_until(keeper.is_idle, "all is silent and written")
    wait_until(lambda: not keeper.books.are_busy, "the books are closed")
    another_process()
    gc.collect()
