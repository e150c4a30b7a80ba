"""A lease as its holder knows it: how long ago it was proved, by this process's own clocks alone.

A worker that was paused wakes up believing that it still holds its cameras. Its clocks tell it that
the lease may have run out, and then it proves it before it acts.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.db import Error as DatabaseFault

from crimeops.patience import within
from detection.services import claims
from detection.services.claims import (
    LEASE_SECONDS,
    RENEW_SECONDS,
    Lease,
    Overtaken,
    WatchCounters,
)

logger = logging.getLogger(__name__)

# A lease is doubted before it has run out, so that it does not run out between doubt and act.
MARGIN_SECONDS = 2.0
# How long a siren may wait for the proof; a database that hangs gives none to anybody else either.
PROOF_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment by both clocks: the monotonic one stands still while a host sleeps."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> "Mark":
        return cls(time.monotonic(), time.time())

    def seconds_until(self, later: "Mark") -> float:
        """By the clock that went further; the other was set back, or stood still."""
        return max(later.monotonic - self.monotonic, later.wall - self.wall)


class Holding:
    """Renews a lease, and proves it where it may have run out unnoticed."""

    def __init__(self, lease: Lease, asked_at: Mark, now: Callable[[], Mark] = Mark.now) -> None:
        self.lease = lease
        self._proved_at = asked_at  # before it was asked for: it began no earlier
        self._refused_at: Mark | None = None  # when the database last could not be asked
        self._overtaken = False
        self._now = now

    def renew(
        self,
        *,
        frame_age_seconds: float | None,
        counters: WatchCounters,
        frames_per_second: float,
    ) -> None:
        """See `claims.renew_lease`."""

        def renew() -> None:
            at = claims.database_now()
            age = frame_age_seconds
            claims.renew_lease(
                lease=self.lease,
                at=at,
                last_frame_at=None if age is None else at - timedelta(seconds=age),
                counters=counters,
                frames_per_second=frames_per_second,
            )

        self._prove(renew)

    def make_sure(self) -> None:
        """Call before acting on the lease.

        A database that is away refuses everybody: nobody else can have taken the camera since, and
        a siren must sound all the same.

        Raises:
            Overtaken: someone else has the camera.
        """
        doubtful = not self._overtaken and self._is_doubtful()
        if doubtful and not within(PROOF_SECONDS, self._ask, False):
            self._refused_at = self._now()
            logger.error("camera %s: the lease cannot be proved: watching on", self.lease.camera_id)
        if self._overtaken:
            raise Overtaken(f"camera {self.lease.camera_id} belongs to another watcher")

    def _ask(self) -> bool:
        """From a thread and on a connection of its own: whoever judges frames waits for no row."""
        with suppress(Overtaken):  # it is remembered
            self._prove(lambda: claims.prove_lease(lease=self.lease, at=claims.database_now()))
        return True

    def _is_doubtful(self) -> bool:
        now = self._now()
        if self._proved_at.seconds_until(now) < LEASE_SECONDS - MARGIN_SECONDS:
            return False
        # It was asked a moment ago and was away: asking again would only hold the siren up.
        asked = self._refused_at
        return asked is None or asked.seconds_until(now) > 2 * RENEW_SECONDS

    def _prove(self, ask: Callable[[], None]) -> None:
        asked_at = self._now()
        try:
            ask()
        except DatabaseFault:
            self._refused_at = self._now()
            raise
        except Overtaken:
            self._overtaken = True
            raise
        self._proved_at, self._refused_at = asked_at, None
