"""One siren that this process answers for, from its first sound to its confirmed silence."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from crimeops.patience import within
from integrations.models import Siren
from integrations.services import siren_ways as ways
from integrations.services.siren_addresses import KnownSiren, look_up
from integrations.services.siren_asking import (
    RETRY_SECONDS,
    Outcome,
    ask_to_be_silent,
    ask_to_sound,
)

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.3
# A camera that refuses logins is asked nothing in the meantime; a corrected address is used soon.
LONGEST_RETRY_SECONDS = 5.0


class Hold:
    """What is wanted of one siren and what is known of it, in memory.

    The end of the wish is a monotonic deadline: no clock that is set back keeps a siren on.
    """

    def __init__(
        self, known: KnownSiren, episode_id: UUID | None, rung_at: datetime, wanted_until: datetime
    ) -> None:
        self.known = known
        self.camera_id = known.camera_id
        self.episode_id = episode_id
        self.rung_at = rung_at
        self.wanted_until = wanted_until
        self.was_asked_to_sound = False
        self.first_sounded_at: datetime | None = None  # by this process
        self.sounded_at: datetime | None = None
        self.silent_at: datetime | None = None
        self.superseded = False  # another episode has the siren now: it is no longer ours to stop
        self.stands_by = False  # another process sounds it as long as it lives
        self.way = ""  # by which it sounded last: the episode's own
        self._lasting = ""  # the way that the next episode should begin with, where that was learnt
        self._sounded_by: set[str] = set()  # and has not confirmed since that it is silent
        self._silenced_by: set[str] = set()
        self.unconfirmed = ""  # why the ways did not that were asked besides
        self._others_sounded = False  # another process may have, by ways that are not known here
        self.version = self.written_version = 0
        self.sounding_id: int | None = None  # its row in the history, once that is written
        self.told_version = 0  # what that says
        self._wanted_at_first = wanted_until
        self._outcome, self._asked_at, self._attempts = Outcome(), rung_at, 0
        wanted = (wanted_until - timezone.now()).total_seconds()  # by a host whose clock may differ
        self._deadline = time.monotonic() + min(wanted, settings.ENVIRONMENT.siren_seconds)
        self._next_sound = 0.0
        self._over, self._leaving, self._wake = Event(), Event(), Event()

    @classmethod
    def for_episode(cls, known: KnownSiren, episode_id: UUID | None) -> "Hold":
        now = timezone.now()
        until = now + timedelta(seconds=settings.ENVIRONMENT.siren_seconds)
        return cls(known, episode_id, now, until)

    @classmethod
    def from_row(cls, row: Siren, known: KnownSiren) -> "Hold":
        """Go on where a process that is gone has left off."""
        now = timezone.now()
        hold = cls(known, row.episode_id, row.rung_at or now, row.wanted_until or now)
        hold.sounded_at, hold._attempts = row.sounded_at, row.attempts
        hold._others_sounded = True
        hold.learn(row.sounded_by)
        return hold

    @property
    def is_wanted(self) -> bool:
        return not (self._over.is_set() or self.superseded or time.monotonic() >= self._deadline)

    @property
    def is_leaving(self) -> bool:
        """This process ends: it is silenced now, and left to the next."""
        return self._leaving.is_set()

    @property
    def is_done(self) -> bool:
        return self.superseded or self.silent_at is not None

    @property
    def was_asked(self) -> bool:
        return self.version > 0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._next_sound

    @property
    def ran_its_time(self) -> bool:
        """Nobody ended it before its time was over."""
        return self.wanted_until >= self._wanted_at_first

    @property
    def error(self) -> str:
        """Why the camera did not do what it was last asked; empty where it did."""
        return self._outcome.error

    def end(self) -> None:
        """It is wanted no more. Said again, it cuts no pause short: the books say it each round."""
        if not self._over.is_set():
            self.wanted_until = min(self.wanted_until, timezone.now())
            self._over.set()
            self._wake.set()

    def leave(self) -> None:
        self._leaving.set()
        self._wake.set()

    def supersede(self) -> None:
        self.superseded = True
        self._wake.set()

    def take_over(self) -> None:
        """Act now, and wait for no other process."""
        self.stands_by = False
        self._wake.set()

    def pause(self, seconds: float) -> None:
        """Wait, unless something is to be done meanwhile."""
        self._wake.wait(seconds)
        self._wake.clear()

    def stand_by(self) -> None:
        """Leave it to another process, which may die of it."""
        self.stands_by = self._others_sounded = True

    def inherit(self, before: "Hold") -> None:
        """Silence also what an older episode leaves sounding."""
        self._sounded_by |= before._sounding
        self._others_sounded |= before._others_sounded

    def learn(self, names: Iterable[str]) -> None:
        """Another process has sounded it by these ways: each must confirm that it is silent."""
        self._sounded_by |= settings.ALARMS.keys() & set(names)
        if self._sounding:
            self.silent_at = None

    @property
    def silenced_by(self) -> list[str]:
        return sorted(self._silenced_by)

    @property
    def _sounding(self) -> set[str]:
        return self._sounded_by - self._silenced_by

    def sound(self) -> bool:
        """Ask the camera, by each way in turn."""
        self.was_asked_to_sound = True
        outcome = ask_to_sound(self.known, self.way)
        wait = settings.ENVIRONMENT.siren_rearm_seconds
        if outcome.method:
            self.way = outcome.method
            self._sounded_by.add(self.way)
            self._silenced_by.discard(self.way)
            self.sounded_at, self.silent_at = timezone.now(), None
            self.first_sounded_at = self.first_sounded_at or self.sounded_at
        else:
            wait = min(outcome.wait_seconds, LONGEST_RETRY_SECONDS)
        self._next_sound = time.monotonic() + wait
        self._note(outcome)
        return bool(outcome.method)

    def silence(self) -> bool:
        """Ask by each way that sounded, and where that is not known or not enough, by all others.

        It is silent when each that sounded has confirmed; what another process may have sounded,
        when the way that is remembered has, or any where none is.
        """
        unknown = self._others_sounded or not self._sounded_by
        needed = set(self._sounded_by)
        if unknown and self.known.method:
            needed.add(self.known.method)
        outcome = self._hush(needed)
        if unknown or outcome.error:
            here = self.known.address
            able = {name for name in settings.ALARMS if not ways.fails_for_good(here, name)}
            others = self._hush(able - needed)
            self.unconfirmed = others.error
            outcome = outcome if needed else others
        if unknown:
            self.learn(within(LOOK_SECONDS, self._ways_written, []))
            outcome = outcome if outcome.error else self._hush(self._sounding)
        needed |= self._sounded_by
        silent = needed <= self._silenced_by if needed else bool(self._silenced_by)
        if silent:
            self.silent_at, outcome = timezone.now(), Outcome()
        else:
            logger.error("siren of camera %s not silenced: %s", self.camera_id, outcome.error)
        self._note(outcome)
        return silent

    def _ways_written(self) -> list[str]:
        """What other processes have written: the camera is asked before the database."""
        rows = Siren.objects.filter(camera_id=self.camera_id, silent_at=None)
        ours = rows.filter(episode_id=self.episode_id).values_list("sounded_by", flat=True)
        return [name for names in ours for name in names]

    def _hush(self, names: set[str]) -> Outcome:
        left = names - self._silenced_by
        order = [name for name in ways.in_order(self.known, self.way) if name in left]
        outcome = ask_to_be_silent(self.known, order)
        self._silenced_by.update(outcome.confirmed)
        return outcome

    @property
    def retry_seconds(self) -> float:
        return min(max(self._outcome.wait_seconds, RETRY_SECONDS), LONGEST_RETRY_SECONDS)

    def _note(self, outcome: Outcome) -> None:
        self._outcome, self._asked_at = outcome, timezone.now()
        self._attempts = self._attempts + 1 if outcome.error else 0
        self.version += 1
        if not outcome.error:
            if outcome.is_lasting:
                self._lasting = outcome.method
            method = self._lasting or self.known.method
            reached_at = outcome.reached_at or self.known.reached_at
            self.known = replace(self.known, method=method, reached_at=reached_at)
            return
        fresh = within(LOOK_SECONDS, lambda: look_up(self.camera_id), None)
        if fresh is not None:  # an operator may have corrected the address or the password
            self.known = replace(fresh, reached_at=self.known.reached_at)

    def as_fields(self) -> dict[str, Any]:
        """The columns of the siren's row."""
        return {
            **({"method": self._lasting} if self._lasting else {}),
            "episode_id": self.episode_id,
            "wanted_until": self.wanted_until,
            "rung_at": self.rung_at,
            "sounded_at": self.sounded_at,
            "silent_at": self.silent_at,
            "reached_at": self.known.reached_at,
            "sounded_by": sorted(self._sounding),
            "attempts": self._attempts,
            **self._outcome.as_fields(self._asked_at),
        }
