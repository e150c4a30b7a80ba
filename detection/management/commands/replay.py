"""Plays recorded episodes again under other settings and shows what would differ.

Ends with 1 where episodes that officers confirmed would be lost, with 2 for bad input.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from detection.domain.recordings import RecordingError
from detection.management.moments import moment_of
from detection.management.replay_report import Line, as_json, counts, is_lost, told
from detection.models import Camera, Episode, Verdict
from detection.replaying import compare
from detection.rules.settings import Layer, SettingsError
from detection.rules.setup import CameraSetup
from detection.rules.zone_file import ZoneFileError, read_layer
from detection.services import recordings, setups
from detection.whole_file import write_json

BAD_INPUT = 2


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--camera", type=int, help="only this camera, by its number here")
        parser.add_argument("--since", default="", help="only from this date or time on, ISO 8601")
        parser.add_argument("--episodes", nargs="+", default=[], help="only these, by their ids")
        parser.add_argument(
            "--rule-settings",  # --settings is Django's own
            type=Path,
            help='JSON of sections, {"loitering": {"dwell_seconds": 90}}, put over the settings in '
            "force of site and camera (a zone's own still go first); without it, those in force",
        )
        parser.add_argument("--json", dest="out", type=Path, help="write the result here as well")

    def handle(
        self,
        *_: Any,
        camera: int | None,
        since: str,
        episodes: list[str],
        rule_settings: Path | None,
        out: Path | None,
        **__: Any,
    ) -> None:
        layer = _layer(rule_settings)
        setup_of = cache(lambda camera_id: _with(setups.examine(camera_id).setup, layer))
        lines: list[Line] = []
        for episode in _chosen(camera, since, episodes):
            lines.append(_play(episode, setup_of(episode.camera_id)))
            self.stdout.write(told(lines[-1]))
        if not lines:
            self.stdout.write("No episode with a recording is among these.")
        summary = counts(lines)
        self.stdout.write(", ".join(f"{count} {what}" for what, count in summary.items() if count))
        if out is not None:
            _write(out, {"counts": summary, "episodes": [as_json(line) for line in lines]})
        lost = [line for line in lines if is_lost(line, Verdict.CONFIRMED)]
        if lost:
            raise CommandError(
                f"CONFIRMED EPISODES WOULD BE LOST: {len(lost)} of those that officers confirmed: "
                + ", ".join(str(line.episode.pk) for line in lost)
            )


def _layer(path: Path | None) -> Layer:
    if path is None:
        return {}
    try:
        below = setups.site_setup().settings
        return read_layer(path.read_text(encoding="utf-8-sig"), setups.sections(), below)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=BAD_INPUT) from error
    except (ZoneFileError, SettingsError) as error:
        raise CommandError(f"{path}: {error}", returncode=BAD_INPUT) from error


def _chosen(camera: int | None, since: str, ids: Sequence[str]) -> list[Episode]:
    if camera is not None and not Camera.objects.filter(pk=camera).exists():
        raise CommandError(f"there is no camera {camera}", returncode=BAD_INPUT)
    keys = [_key(text) for text in ids]
    began = moment_of(since, "--since") if since else None
    found = list(recordings.recorded_episodes(camera_id=camera, since=began, ids=keys))
    without = set(keys) - {episode.pk for episode in found}
    if without:
        named = ", ".join(sorted(map(str, without)))
        raise CommandError(f"no recording among those asked for: {named}", returncode=BAD_INPUT)
    return found


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"“{text}” is no id of an episode", returncode=BAD_INPUT) from None


def _play(episode: Episode, setup: CameraSetup) -> Line:
    try:
        recording = recordings.read_recording(episode)
    except RecordingError as error:
        return Line(episode, None, str(error))
    course = recordings.course_of(episode)
    replayed = compare(course, recording, setups.rule_types(), setup, setups.site_policy())
    return Line(episode, replayed)


def _with(setup: CameraSetup, layer: Layer) -> CameraSetup:
    return replace(setup, settings=setup.settings.above(layer))


def _write(path: Path, result: Any) -> None:
    try:
        write_json(path, result)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}", returncode=BAD_INPUT) from error
