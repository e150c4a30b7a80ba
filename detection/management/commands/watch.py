"""Watches one source in the foreground and says what is seen: how an operator tunes a site.

SOURCE is a video file, an address like rtsp://…, or a camera of the site by its id or name. Neither
broker nor back end is needed, and no database where no camera is named. Ctrl-C ends it.
"""

import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from detection.domain.schedules import Profile
from detection.evidence.film import Film, FilmError
from detection.foreground import Foreground
from detection.management.arguments import count, moment, positive
from detection.management.filming import SceneFilm
from detection.management.networks import SiteNetworks
from detection.management.screen import Screen
from detection.management.showing import Showing
from detection.management.telling import Clock
from detection.management.trial_setup import trial_setup
from detection.management.watched_source import (
    WatchedSource,
    find_camera,
    find_source,
    open_source,
)
from detection.ports import DetectorError, FrameSource, SourceError
from detection.rules.setup import CameraSetup
from detection.sources.pyav import file_seconds
from detection.watching import build_scene


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a video, rtsp://…, or a camera by its id or name")
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--zones", type=Path, help="a file of zones (docs/operations.md)")
        place.add_argument("--camera", help="take zones, settings and hours of this camera")
        parser.add_argument("--rule-settings", type=Path, help="a file of settings to try")
        parser.add_argument("--profile", choices=[*map(str, Profile)], help="instead of a schedule")
        parser.add_argument("--begins", type=moment, help="when a file was taken; else: now")
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument("--rate", type=positive, help="frames to judge a second")
        pace.add_argument("--every", type=count, help="judge each N-th frame (FRAME_SKIP)")
        parser.add_argument("--limit", type=positive, help="seconds after which to end")
        parser.add_argument("--save", type=Path, help="write an annotated film, out.mp4")
        parser.add_argument("--json", action="store_true", help="a JSON object for each line")

    def handle(self, *_: Any, **options: Any) -> None:
        # Troubles of a stream are told once, by whoever knows whether it is opened again.
        reader = logging.getLogger("detection.reader")
        level = reader.level
        reader.setLevel(logging.CRITICAL)
        try:
            self._watch(find_source(options["source"]), options)
        except (DetectorError, FilmError) as error:
            raise CommandError(str(error)) from None
        except BrokenPipeError:  # whoever read the lines has read enough; Python flushes once more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            raise CommandError("interrupted", returncode=130) from None
        finally:
            reader.setLevel(level)

    def _watch(self, source: WatchedSource, options: dict[str, Any]) -> None:
        scene = build_scene(self._setup(source, options))
        begins_at = options["begins"] or timezone.now()
        clock = Clock(timezone.get_default_timezone(), begins_at if source.is_file else None)
        try:
            with _film(options["save"], source) as film:
                pictures = _open(source, options, begins_at, scene.wants_more)
                networks = SiteNetworks.load()
                foreground = Foreground(
                    pictures, networks.detector, scene, networks.looker, networks.judging
                )
                screen = self._screen(source, options)
                showing = Showing(
                    foreground,
                    screen,
                    clock,
                    film=SceneFilm(film, scene, clock) if film else None,
                    as_json=options["json"],
                )
                with screen:
                    showing.run(options["limit"])
        except SourceError as error:
            raise CommandError(f"{source.name}: {error}") from None
        showing.sum_up(film.path if film else None)
        if showing.broken:
            raise CommandError(f"{source.name}: {showing.broken}")

    def _setup(self, source: WatchedSource, options: dict[str, Any]) -> CameraSetup:
        """What holds for the camera, if one is named, and what the files and options change."""
        camera_id = find_camera(options["camera"]).pk if options["camera"] else source.camera_id
        setup, faults = trial_setup(
            camera_id=camera_id,
            zones=options["zones"],
            settings=options["rule_settings"],
            profile=options["profile"],
        )
        for fault in faults:
            self.stderr.write(fault)
        return setup

    def _screen(self, source: WatchedSource, options: dict[str, Any]) -> Screen:
        total = file_seconds(source.path) if source.is_file and not options["json"] else None
        return Screen(self.stdout, min(total, options["limit"] or total) if total else None)


def _film(path: Path | None, source: WatchedSource) -> AbstractContextManager[Film | None]:
    if path is None:
        return nullcontext()
    if source.is_file and path.exists() and path.samefile(source.path):
        raise FilmError(f"{path} is what is watched: give the film another name")
    return Film(path)


def _open(
    source: WatchedSource,
    options: dict[str, Any],
    begins_at: datetime,
    hurry: Callable[[], bool],
) -> FrameSource:
    every = options["every"] or settings.ENVIRONMENT.frame_skip
    return open_source(source, every=every, rate=options["rate"], begins_at=begins_at, hurry=hurry)
