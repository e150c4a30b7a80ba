"""Tells in the terminal what happens, as it happens, and counts it for the summary."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from rich.console import Console
from rich.markup import escape

from simulators.demo import database
from simulators.demo.stage import Stage

_API = "/api/model"
EPISODE_WRITTEN_SECONDS = 2.0


@dataclass(slots=True)
class Tally:
    """What the back end and the cameras have seen in this run."""

    claimed: set[int] = field(default_factory=set)
    released: set[int] = field(default_factory=set)
    alerts: int = 0
    crimes: int = 0
    stops: int = 0
    siren_ms: list[float] = field(default_factory=list)


class Narrator:
    """Polls the simulators and the database; prints each event once."""

    def __init__(self, console: Console, stage: Stage, started: datetime) -> None:
        self._console = console
        self._stage = stage
        self.started = started
        self._next_call = 0
        self._siren_calls: dict[str, int] = {}
        self._sirens_on: dict[str, bool] = {}
        self._unsaid_sirens: list[tuple[str, float]] = []
        self._timed: set[str] = set()
        self._told: set[str] = set()
        self._states: dict[str, tuple[str, str]] = {}
        self._names = {camera.id: camera.name for camera in stage.cameras}
        self.tally = Tally()

    def look(self) -> None:
        """Print what has happened since the last look."""
        self._look_at_states()
        cameras = requests.get(f"http://127.0.0.1:{self._stage.ports['status']}/state", timeout=5)
        self._look_at_sirens(cameras.json())
        self._say_sirens()
        answer = requests.get(
            f"{self._stage.backend_url}/_simulator/calls",
            params={"since": self._next_call},
            timeout=5,
        ).json()
        self._next_call = answer["next"]
        for call in answer["calls"]:
            self._tell_call(call)

    def sirens_on(self) -> list[str]:
        """The cameras whose siren sounds now."""
        return [name for name, on in self._sirens_on.items() if on]

    def _look_at_states(self) -> None:
        for name, (state, reason) in database.states().items():
            if self._states.get(name) == (state, reason):
                continue
            self._states[name] = (state, reason)
            if state == "error":
                self._say(f"[red]{escape(name)} is in error: {escape(reason)}[/]")
            if state == "running":
                self._say(f"[green]{escape(name)} is being watched[/]")

    def _look_at_sirens(self, cameras: Iterable[dict[str, Any]]) -> None:
        for camera in cameras:
            name, calls = camera["name"], camera["siren_calls"]
            for call in calls[self._siren_calls.get(name, 0) :]:
                self._tell_siren(name, call)
            self._siren_calls[name] = len(calls)

    def _tell_siren(self, name: str, call: dict[str, Any]) -> None:
        on, was_on = call["action"] == "start", self._sirens_on.get(name, False)
        self._sirens_on[name] = on
        if on and not was_on:
            self._unsaid_sirens.append((name, call["at"]))
        if was_on and not on:
            self._say(f"{escape(name)}: siren off", call["at"])

    def _say_sirens(self) -> None:
        """A siren sounds before its episode is written: its latency is known a moment later."""
        waiting, self._unsaid_sirens = self._unsaid_sirens, []
        for name, at in waiting:
            latency = self._siren_latency(name, at)
            if not latency and time.time() - at < EPISODE_WRITTEN_SECONDS:
                self._unsaid_sirens.append((name, at))
                continue
            self._say(f"[bold red]{escape(name)}: siren sounds[/] {latency}", at)

    def _siren_latency(self, name: str, at: float) -> str:
        """From the capture of the frame that raised the alert to the request at the camera."""
        for episode in reversed(database.episodes_since(self.started)):
            key, decided = str(episode.pk), (at - episode.decided_at.timestamp()) * 1000
            if episode.camera.name != name or key in self._timed or decided < 0:
                continue
            self._timed.add(key)
            milliseconds = (at - episode.alerted_at.timestamp()) * 1000
            self.tally.siren_ms.append(milliseconds)
            return (
                f"[dim]{milliseconds:.0f} ms after the frame, {decided:.0f} after the decision[/]"
            )
        return ""

    def _tell_call(self, call: dict[str, Any]) -> None:
        path, status, body = call["path"], call["status"], call["body"] or {}
        if not 200 <= status < 300:
            if status:
                self._say(
                    f"[yellow]the back end answered {status} to {escape(path)}[/]", call["at"]
                )
            return
        name = self._names.get(body.get("camera_id", 0), "")
        shown = escape(name)
        if path.endswith("/claim"):
            self._tell_claim(self.tally.claimed, path, "[cyan]claimed[/]", call["at"])
        elif path.endswith("/release"):
            self._tell_claim(self.tally.released, path, "released", call["at"])
        elif path == f"{_API}/alert":
            self.tally.alerts += 1
            confidence, latency = body["confidence_score"], self._alert_latency(name, call)
            self._say(f"[yellow]{shown}: alert[/] {confidence:.0f} % {latency}", call["at"])
        elif path == f"{_API}/crime":
            self.tally.crimes += 1
            crime_type, confidence = escape(body["crime_type"]), body["confidence_score"]
            when = f"from {body['start_time'][11:19]} to {body['end_time'][11:19]} UTC"
            what = f"[bold white on red] {shown}: CRIME {crime_type} {confidence:.0f} % [/]"
            self._say(f"{what} {escape(when)}", call["at"])
        elif path == f"{_API}/alert/stop":
            self.tally.stops += 1
            self._say(f"[green]{shown}: alert stopped[/]", call["at"])

    def _tell_claim(self, cameras: set[int], path: str, word: str, at: float) -> None:
        camera_id = int(path.split("/")[-2])
        cameras.add(camera_id)
        self._say(f"{escape(str(self._names.get(camera_id, camera_id)))} {word}", at)

    def _alert_latency(self, name: str, call: dict[str, Any]) -> str:
        """How long after the frame the back end knew; said for the first alert of an episode."""
        for episode in reversed(database.episodes_since(self.started)):
            key = str(episode.pk)
            if episode.camera.name == name and key not in self._told:
                self._told.add(key)
                milliseconds = (call["at"] - episode.alerted_at.timestamp()) * 1000
                return f"[dim]at the back end {milliseconds:.0f} ms after the frame[/]"
        return "[dim]update[/]"

    def _say(self, text: str, at: float | None = None) -> None:
        """Print rich's markup: whatever came from outside must have been escaped."""
        moment = datetime.fromtimestamp(at, UTC) if at else datetime.now(UTC)
        self._console.print(f"[dim]{moment:%H:%M:%S}[/]  {text}", highlight=False, emoji=False)


def percentile_95(values: list[float]) -> float:
    """The value that 95 % do not exceed (nearest rank); NaN where there is none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]
