"""One cool-down of logins per camera for the whole cluster: each further try lengthens it.

It is kept on the camera's siren row, so that no restart forgets it, and in memory, so that it holds
while the database is away. A refused password closes logins to itself only; a camera's own
suspension closes them to all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.utils import timezone
from django.utils.crypto import salted_hmac

from crimeops.patience import within
from integrations.models import Siren
from integrations.ports import AlarmAddress, LoginRefused

# A login costs more than this anyway; after it, what is remembered counts.
LOOK_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class CoolDown:
    """Until when logins are closed, and to which mark; an empty mark: to every one."""

    until: datetime
    mark: str

    def seconds(self, mark: str) -> float:
        if self.mark not in {"", mark}:
            return 0.0
        return max(0.0, (self.until - timezone.now()).total_seconds())


# State of the process, named as such: what was learnt, also while the database is away.
_cool_downs: dict[int, CoolDown] = {}
_lock = Lock()


def mark_of(*credentials: str) -> str:
    """Tells one set of credentials from another, and nobody what they are."""
    return salted_hmac("siren-login", "\0".join(credentials)).hexdigest()[:32]


def closed_seconds(camera_id: int, mark: str) -> float:
    """How long nobody may log in with these credentials; asked right before each login."""
    within(LOOK_SECONDS, lambda: _read(camera_id), None)
    cool_down = _cool_downs.get(camera_id)
    return cool_down.seconds(mark) if cool_down else 0.0


def note_refusal(address: AlarmAddress, refusal: LoginRefused) -> None:
    """Close the logins, in memory at once and in the database as soon as it answers."""
    mark = mark_of(address.username, address.password, address.control_password)
    until = timezone.now() + timedelta(seconds=refusal.retry_after_seconds)
    cool_down = CoolDown(until, "" if refusal.suspended else mark)
    _keep(address.camera_id, cool_down)
    within(LOOK_SECONDS, lambda: write(address.camera_id), None)


def write(camera_id: int) -> None:
    """Have the row say what this process knows, unless the row knows of a longer suspension."""
    cool_down = _cool_downs.get(camera_id)
    if cool_down is None or cool_down.until <= timezone.now():
        return
    Siren.objects.get_or_create(camera_id=camera_id, defaults={"silent_at": timezone.now()})
    row = Siren.objects.filter(camera_id=camera_id)
    row.exclude(logins_closed_until__gte=cool_down.until, logins_closed_to="").update(
        logins_closed_until=cool_down.until, logins_closed_to=cool_down.mark
    )


def remember(row: Siren) -> None:
    """Learn what another process wrote."""
    if row.logins_closed_until is not None:
        _keep(row.camera_id, CoolDown(row.logins_closed_until, row.logins_closed_to))


def forget() -> None:
    _cool_downs.clear()


def _read(camera_id: int) -> None:
    row = Siren.objects.filter(camera_id=camera_id).first()
    if row is not None:
        remember(row)


def _keep(camera_id: int, cool_down: CoolDown) -> None:
    """A suspension by the camera is not shortened by a refused password."""
    with _lock:
        present = _cool_downs.get(camera_id)
        suspended = present is not None and not present.mark and present.until > cool_down.until
        if not suspended:
            _cool_downs[camera_id] = cool_down
