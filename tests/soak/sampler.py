"""Looks at the site twice a second, from outside: who is watched, what sounds, who holds what."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from tests.soak.fault import Blinds
from tests.soak.parts import RssReading, read_rss
from tests.soak.site import Site

SAMPLE_SECONDS = 0.5
RSS_SECONDS = 5.0
LAST_LOOKS = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """The site at a moment, cameras by their number at the back end."""

    at: float
    watched: frozenset[int]
    sounding: frozenset[int]
    holders: Mapping[int, str]


class Sampler:
    """A thread that fills `samples` and `rss` from `start` to `stop`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._rtsp_ports = {n: camera.tapo.rtsp_port for n, camera in site.cameras.items()}
        self._next_rss = 0.0
        self.samples: list[Sample] = []
        self.rss: list[RssReading] = []
        self.states: dict[int, tuple[str, str]] = {}
        self.blind: Mapping[str, Blinds] = {}
        """Which parts are kept from watching now, and whom that blinds; the conductor's word."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def sees_all(self) -> bool:
        """Whether each of the last looks found every camera watched."""
        last = self.samples[-LAST_LOOKS:]
        return all(sample.watched == set(self._site.cameras) for sample in last)

    def _run(self) -> None:
        next_at = time.monotonic()
        while not self._stop.is_set():
            self.samples.append(self._look())
            if time.monotonic() >= self._next_rss:
                self._next_rss = time.monotonic() + RSS_SECONDS
                self.rss += read_rss(self._site.parts)
            next_at = max(next_at + SAMPLE_SECONDS, time.monotonic())
            self._stop.wait(next_at - time.monotonic())

    def _look(self) -> Sample:
        site = self._site
        site.sessions.name_workers(site.stream_parts, self._rtsp_ports)
        with suppress(psycopg.OperationalError):
            self.states = site.camera_states()
        return Sample(
            at=time.time(),
            watched=self._watched(),
            sounding=frozenset(n for n, camera in site.cameras.items() if camera.tapo.siren_on),
            holders=site.backend.claims,
        )

    def _watched(self) -> frozenset[int]:
        """A session of a worker that runs, frames that can be analysed, and the cluster says so."""
        site, blind = self._site, self.blind
        if not site.broker_up or Blinds.EVERYBODY in blind.values():
            return frozenset()
        played = {
            session.camera_id
            for session in site.sessions.open_now()
            if session.worker and not site.parts[session.worker].paused
        }
        return frozenset(
            number
            for number in played
            if f"camera-{number}" not in blind and self.states.get(number, ("", ""))[0] == "running"
        )
