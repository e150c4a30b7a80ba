"""Reads the JSON file that lists the cameras of a demo.

The file may hold passwords: it is private to the demo, and none of it is ever printed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulators.tapo.behaviour import EventSink
from simulators.tapo.camera import SimulatedTapo
from simulators.tapo.clip import Clip, load_clip

KNOWN = {field.name for field in fields(SimulatedTapo)} - {"on_event"} | {"password_env"}
REQUIRED = {"user", "clip"}


class FleetError(ValueError):
    """The file does not describe cameras; the message says what to correct."""


def read_fleet(
    path: Path, on_event: EventSink, environment: Mapping[str, str] = os.environ
) -> list[SimulatedTapo]:
    """Cameras that are not started yet; those with the same clip share it in memory."""
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FleetError(f"{path} cannot be read: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FleetError(f"{path} must hold a list of objects, one for each camera")
    clips: dict[Path, Clip] = {}
    cameras = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, camera {number}"
        settings = _settings(entry, where, environment)
        clip = (path.parent / str(settings["clip"])).resolve()
        if clip not in clips:
            clips[clip] = load_clip(clip)
        settings |= {"clip": clips[clip], "on_event": on_event}
        settings.setdefault("name", f"camera-{number}")
        cameras.append(SimulatedTapo(**settings))
    return cameras


def _settings(entry: dict[str, Any], where: str, environment: Mapping[str, str]) -> dict[str, Any]:
    if unknown := entry.keys() - KNOWN:
        raise FleetError(f"{where}: unknown settings {', '.join(sorted(unknown))}")
    if missing := REQUIRED - entry.keys():
        raise FleetError(f"{where}: missing settings {', '.join(sorted(missing))}")
    settings = dict(entry)
    variable = settings.pop("password_env", None)
    if variable is not None:
        if variable not in environment:
            raise FleetError(f"{where}: the environment has no {variable}")
        settings["password"] = environment[variable]
    if "password" not in settings:
        raise FleetError(f"{where}: give password or password_env")
    return settings
