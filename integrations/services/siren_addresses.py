"""Where each camera's siren is reached, held in memory: the database may be away when it must ring.

Learnt when a camera is warmed or watched, and again with each round of either.
"""

import logging
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock

from django.conf import settings

from detection.models import Camera
from integrations.models import Siren
from integrations.ports import AlarmAddress
from integrations.services import siren_logins

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownSiren:
    """A camera's address, the way that is asked first, and where its siren was last sounded."""

    address: AlarmAddress
    method: str = ""
    reached_at: str = ""  # host:port, empty where it never sounded

    @property
    def camera_id(self) -> int:
        return self.address.camera_id


# State of the process, named as such: with the warm sessions, what a siren needs of the database.
_known: dict[int, KnownSiren] = {}
_lock = Lock()


def known_siren(camera_id: int) -> KnownSiren | None:
    """What this process has learnt, without asking anybody."""
    return _known.get(camera_id)


def known_cameras() -> list[int]:
    return list(_known)


def look_up(camera_id: int) -> KnownSiren | None:
    """Read it from the database and remember it; None where there is no way to a siren."""
    camera = Camera.objects.filter(pk=camera_id).select_related("siren").first()
    if camera is None or not (camera.control_host or camera.public_address):
        forget(camera_id)
        return None
    return remember(camera)


def remember(camera: Camera) -> KnownSiren:
    """Keep what a row says, for the time in which rows cannot be read."""
    row: Siren | None = getattr(camera, "siren", None)
    known = KnownSiren(
        alarm_address(camera), row.method if row else "", row.reached_at if row else ""
    )
    if row is not None:
        siren_logins.remember(row)
    with _lock:
        _known[camera.pk] = known
    return known


def to_silence(row: Siren) -> KnownSiren | None:
    """Where the camera is now, or where its siren sounded although its address is gone since."""
    known = look_up(row.camera_id) or known_siren(row.camera_id)
    if known is not None or not row.reached_at:
        return known
    logger.warning("camera %s has lost its address; silencing it where it was", row.camera_id)
    host, _, port = row.reached_at.rpartition(":")
    address = alarm_address(row.camera)
    there = replace(address, host=host, port=int(port), public_host=address.public_host or host)
    return KnownSiren(there, row.method, row.reached_at)


def note_method(camera_id: int, method: str) -> None:
    """The way that is remembered comes first the next time, also before its row is written."""
    with _lock:
        known = _known.get(camera_id)
        if known is not None and known.method != method:
            _known[camera_id] = replace(known, method=method)


def forget(camera_id: int | None = None) -> None:
    """One camera, or all of them."""
    with _lock:
        if camera_id is None:
            _known.clear()
        else:
            _known.pop(camera_id, None)


def alarm_address(camera: Camera) -> AlarmAddress:
    """Where a siren is reached: the operator's control address, else the registry's."""
    host, _, port = camera.control_host.partition(":")
    mark = siren_logins.mark_of(camera.username, camera.password, camera.control_password)
    return AlarmAddress(
        camera_id=camera.pk,
        host=host,
        port=int(port) if port.isdigit() else settings.ENVIRONMENT.tapo_control_port,
        public_host=camera.public_address or camera.address,
        username=camera.username,
        password=camera.password,
        control_password=camera.control_password,
        logins_closed_seconds=partial(siren_logins.closed_seconds, camera.pk, mark),
    )
