"""What an operator names to be watched: a file, a stream's address, or a camera of the site."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import Error as DatabaseFault

from detection.models import Camera
from detection.newest import NewestPictures
from detection.ports import FrameSource, SourceError, SourceOptions
from detection.reader import RetryPolicy
from detection.sources.addresses import check_address, check_network, host_of, path_of, scheme_of
from detection.sources.pyav import PyAvSource


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """`name` is fit to be shown; the address may hold a password and is kept out of `repr`."""

    url: str = field(repr=False)
    name: str
    camera_id: int | None = None

    @property
    def is_file(self) -> bool:
        return scheme_of(self.url) == "file"

    @property
    def path(self) -> Path:
        return Path(path_of(self.url))


def find_source(text: str) -> WatchedSource:
    """Raises CommandError where nothing is called so."""
    path = Path(text)
    if path.is_file():
        return WatchedSource(str(path.absolute()), text)
    if scheme_of(text) != "file" or text.startswith("file://"):
        return _checked(WatchedSource(text, _shown(text)), allow_files=True)
    if path.is_dir():
        raise CommandError(f"{text} is a folder: give a video in it", returncode=2)
    if path.suffix or path.name != text:
        raise CommandError(f"there is no file {text}", returncode=2)
    camera = find_camera(text)
    found = WatchedSource(camera.stream_url, f"camera {camera.pk} ({camera.name})", camera.pk)
    if not camera.stream_url:
        raise CommandError(f"{found.name} has no stream address", returncode=2)
    return _checked(found, allow_files=settings.ENVIRONMENT.allow_file_sources)


def find_camera(text: str) -> Camera:
    """By its id or its name. Raises CommandError."""
    try:
        here = Camera.objects.filter(removed_at=None)
        cameras = list(here.filter(pk=int(text)) if text.isdecimal() else [])
        cameras = cameras or list(here.filter(name__iexact=text))
    except (DatabaseFault, ImproperlyConfigured, OverflowError) as error:
        why = str(error).partition("\n")[0]
        told = f"the camera “{text}” cannot be looked up in the database"
        raise CommandError(f"{told} ({why}). Was `manage.py migrate` run?") from None
    if not cameras:
        raise CommandError(f"there is no file and no camera “{text}”", returncode=2)
    if len(cameras) > 1:
        ids = ", ".join(str(camera.pk) for camera in cameras)
        raise CommandError(f"several cameras are called “{text}”: give an id, {ids}", returncode=2)
    return cameras[0]


def open_source(
    source: WatchedSource,
    *,
    every: int,
    rate: float | None,
    begins_at: datetime,
    hurry: Callable[[], bool],
) -> FrameSource:
    """A file is read as fast as it is judged; of a camera the newest picture is judged."""
    environment = settings.ENVIRONMENT
    options = SourceOptions(
        url=source.url,
        transport=environment.rtsp_transport,
        frame_skip=every,
        rate=rate,
        hurry=hurry,
        begins_at=begins_at,
        open_timeout_seconds=environment.open_timeout,
        read_timeout_seconds=environment.read_timeout,
    )
    if source.is_file:
        return PyAvSource(options)
    policy = RetryPolicy(max_failures=environment.max_read_failures)
    return NewestPictures(partial(PyAvSource, options), policy)


def _checked(source: WatchedSource, *, allow_files: bool) -> WatchedSource:
    """Addresses of cameras come from back ends, so they are held to the cameras' networks."""
    try:
        check_address(source.url, allow_files=allow_files)
        if source.camera_id is not None and (host := host_of(source.url)):
            check_network(host, settings.ENVIRONMENT.camera_networks)
    except SourceError as error:
        raise CommandError(f"{source.name}: {error}", returncode=2) from None
    return source


def _shown(url: str) -> str:
    return path_of(url) if scheme_of(url) == "file" else f"{scheme_of(url)}://{host_of(url)}"
