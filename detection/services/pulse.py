"""Whether the watchers had time to renew their leases since the database was last away.

Leases lapse while nobody can renew them, though the watchers live. The sweep leaves a mark at each
run; a gap between two means that it was away, or the database, and then the watchers come first.
"""

from datetime import datetime, timedelta

from detection.models import Pulse
from detection.services.claims import LEASE_SECONDS

# A watcher renews each 2 s, and is let through to a database that is back within a second.
GRACE_SECONDS = 10.0
_NAME = "leases"


def beat(*, at: datetime) -> None:
    """Leave the mark."""
    before = Pulse.objects.filter(name=_NAME).first()
    resumed_at = before.resumed_at if before and not _is_gap(before.at, at) else at
    Pulse.objects.update_or_create(name=_NAME, defaults={"at": at, "resumed_at": resumed_at})


def is_settled(*, at: datetime) -> bool:
    """Whether a lapsed lease is a watcher's death, and not the database's."""
    pulse = Pulse.objects.filter(name=_NAME).first()
    if pulse is None or _is_gap(pulse.at, at):
        return False
    return at - pulse.resumed_at >= timedelta(seconds=GRACE_SECONDS)


def _is_gap(last: datetime, at: datetime) -> bool:
    return abs(at - last) > timedelta(seconds=LEASE_SECONDS)
