"""From a ring to a watched camera: lease, claim at the registry, watch, release."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache, partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from crimeops.adapters import load
from detection import signals
from detection.analysis import SceneAnalysis
from detection.domain.episodes import EpisodePolicy
from detection.domain.geometry import PolygonError
from detection.domain.zones import Zone as DomainZone
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, CameraState, Claim, Zone
from detection.pipeline import CameraWatch, Verdict, WatchOptions
from detection.ports import (
    CameraRegistry,
    CameraTaken,
    FrameMailbox,
    FrameSource,
    InstanceFull,
    RegistryError,
    SourceOptions,
)
from detection.reader import RetryPolicy
from detection.rules.rule import Rule, RuleOptions
from detection.services import cameras, claims
from detection.services.claims import Lease, Overtaken
from detection.sources.addresses import check_address
from detection.sources.pyav import PyAvSource
from detection.trackers.bytetrack import ByteTracker

logger = logging.getLogger(__name__)

MODEL_INPUT_SIZE = (640, 384)  # width, height: 16:9 pictures fit with little padding


def watch_camera(
    *,
    camera_id: int,
    instance: str,
    worker: str,
    mailbox: FrameMailbox,
    stop: threading.Event,
) -> bool:
    """Watch a camera if it is free and this instance has room; False where the instance is full.

    Blocks until `stop` is set, the camera is lost, or another watcher overtakes.
    """
    environment = settings.ENVIRONMENT
    lease = claims.take_lease(
        camera_id=camera_id,
        instance=instance,
        worker=worker,
        max_cameras=environment.max_cameras,
        at=timezone.now(),
    )
    if lease is None:
        return claims.has_room(
            instance=instance, max_cameras=environment.max_cameras, at=timezone.now()
        )
    try:
        camera = Camera.objects.get(pk=camera_id)
    except ImproperlyConfigured as error:  # its credentials cannot be decrypted
        _decline(lease, str(error))
        _show_error(camera_id, f"bad_credentials: {error}")
        return True
    registry: CameraRegistry = load("CAMERA_REGISTRIES", camera.registry)
    try:
        _claim(registry, camera, lease)
    except InstanceFull as error:
        _decline(lease, str(error))
        return False  # another instance may have room for it at once
    except CameraTaken as error:
        claims.note_held(lease=lease, held=False, at=timezone.now())
        _decline(lease, str(error))
        cameras.postpone_camera(camera_id=camera_id, until=_retry_at())
        return True
    except RegistryError as error:
        _decline(lease, str(error))
        _show_error(camera_id, f"not_claimed: {error}")
        return True
    claims.note_held(lease=lease, held=True, at=timezone.now())
    logger.info("camera %s (%s) claimed", camera.pk, camera.name)
    _watch_claimed(lease, camera, registry, mailbox, stop)
    return True


def _claim(registry: CameraRegistry, camera: Camera, lease: Lease) -> None:
    """Claim; a claim that this instance still holds from before a crash is renewed."""
    try:
        registry.claim(camera.external_id)
    except CameraTaken:
        if not lease.inherited:
            raise
        logger.info("camera %s: taking over what this instance held before", camera.pk)
        registry.release(camera.external_id)
        registry.claim(camera.external_id)


def _decline(lease: Lease, why: str) -> None:
    logger.info("camera %s is not watched from here: %s", lease.camera_id, why)
    claims.give_lease_back(lease=lease)


def _show_error(camera_id: int, reason: str) -> None:
    cameras.set_camera_state(
        camera_id=camera_id, state=CameraState.ERROR, reason=reason, retry_at=_retry_at()
    )


def _retry_at() -> datetime:
    return timezone.now() + timedelta(seconds=settings.ENVIRONMENT.retry_after)


def _watch_claimed(
    lease: Lease,
    camera: Camera,
    registry: CameraRegistry,
    mailbox: FrameMailbox,
    stop: threading.Event,
) -> None:
    verdict = Verdict(gave_up=False)
    still_ours = True
    try:
        signals.camera_watched.send_robust(sender=Camera, camera=camera)
        reclaim = partial(_claim_again, registry, camera, lease)
        verdict = _build_watch(lease, camera, mailbox, reclaim, stop).run()
    except Overtaken as error:
        logger.warning("%s", error)
        still_ours = Claim.objects.filter(camera_id=camera.pk, token=lease.token).exists()
    except Exception:
        logger.exception("camera %s: its watch failed", camera.pk)
        verdict = Verdict(gave_up=True, reason="failed: the log of the worker has the details")
    finally:
        if still_ours:
            _release(lease, camera, registry, verdict)


def _claim_again(registry: CameraRegistry, camera: Camera, lease: Lease) -> None:
    """The registry shows the camera as free: it missed our heartbeats. Raises Overtaken."""
    try:
        registry.claim(camera.external_id)
    except CameraTaken:
        claims.note_held(lease=lease, held=False, at=timezone.now())
        raise Overtaken(f"camera {camera.pk}: another instance has claimed it") from None
    except RegistryError as error:
        logger.error("camera %s cannot be claimed again yet: %s", camera.pk, error)
        return
    claims.note_held(lease=lease, held=True, at=timezone.now())
    logger.warning("camera %s was taken back by its registry and is claimed again", camera.pk)


def _release(lease: Lease, camera: Camera, registry: CameraRegistry, verdict: Verdict) -> None:
    """Give the camera back everywhere; no step that fails keeps the next from being taken."""
    signals.camera_leaving.send_robust(sender=Camera, camera=camera)
    publish = partial(cameras.set_camera_state, camera_id=camera.pk)
    _attempt(camera, "mark as stopping", lambda: publish(state=CameraState.STOPPING))
    if _attempt(camera, "release", lambda: _release_if_held(lease, camera, registry)):
        logger.info("camera %s (%s) released", camera.pk, camera.name)
    _attempt(camera, "give the lease back", lambda: claims.give_lease_back(lease=lease))
    if verdict.gave_up:
        _attempt(camera, "show the error", lambda: _show_error(camera.pk, verdict.reason))
    else:
        _attempt(camera, "mark as idle", lambda: publish(state=CameraState.IDLE))


def _release_if_held(lease: Lease, camera: Camera, registry: CameraRegistry) -> None:
    """A camera that could not be released stays `held`, so that it is rung and inherited."""
    if not Claim.objects.filter(camera_id=camera.pk, token=lease.token, held=False).exists():
        registry.release(camera.external_id)
        claims.note_held(lease=lease, held=False, at=timezone.now())


def _attempt(camera: Camera, what: str, step: Callable[[], None]) -> bool:
    try:
        step()
    except (DatabaseFault, RegistryError) as error:
        logger.error("camera %s: cannot %s: %s", camera.pk, what, error)
        return False
    return True


def _build_watch(
    lease: Lease,
    camera: Camera,
    mailbox: FrameMailbox,
    reclaim: Callable[[], None],
    stop: threading.Event,
) -> CameraWatch:
    environment = settings.ENVIRONMENT
    zones = load_zones(camera.pk)
    scene = SceneAnalysis(
        ByteTracker(environment.model_dir),
        _rule_types(),
        RuleOptions(
            alert_threshold=environment.alert_threshold,
            crime_threshold=environment.crime_threshold,
            trespassing_dwell_seconds=environment.trespassing_dwell_seconds,
            loitering_dwell_seconds=environment.loitering_dwell_seconds,
        ),
        EpisodePolicy(
            alert_threshold=environment.alert_threshold,
            crime_threshold=environment.crime_threshold,
            persistence_seconds=environment.persistence_seconds,
            confirm_seconds=environment.confirm_seconds,
            clear_seconds=environment.clear_seconds,
            blind_grace_seconds=environment.blind_grace_seconds,
        ),
        zones,
    )
    return CameraWatch(
        lease=lease,
        open_source=lambda: _open_source(camera.pk),
        mailbox=mailbox,
        scene=scene,
        load_zones=lambda: load_zones(camera.pk),
        reclaim=reclaim,
        evidence=DjangoEvidenceStore(),
        options=WatchOptions(
            input_size=MODEL_INPUT_SIZE,
            frame_max_age_seconds=environment.frame_max_age,
            stall_seconds=environment.stall_seconds,
            retry=RetryPolicy(max_failures=environment.max_read_failures),
        ),
        stop=stop,
    )


def _open_source(camera_id: int) -> FrameSource:
    """Built at each attempt, so that a corrected address or password is used at once."""
    environment = settings.ENVIRONMENT
    try:
        url = Camera.objects.values_list("stream_url", flat=True).get(pk=camera_id)
    finally:
        connection.close()  # the reader's thread asks so rarely that it keeps none
    check_address(url, allow_files=environment.allow_file_sources)
    return PyAvSource(
        SourceOptions(
            url=url,
            transport=environment.rtsp_transport,
            frame_skip=environment.frame_skip,
            open_timeout_seconds=environment.open_timeout,
            read_timeout_seconds=environment.read_timeout,
        )
    )


def load_zones(camera_id: int) -> Sequence[DomainZone]:
    """The camera's zones as rules take them; one that is broken is left out and named."""
    zones = []
    for zone in Zone.objects.filter(camera_id=camera_id, enabled=True).order_by("name"):
        try:
            zones.append(zone.to_domain())
        except (PolygonError, ValueError) as error:
            logger.error("camera %s: zone “%s” is not watched: %s", camera_id, zone.name, error)
    return zones


@cache
def _rule_types() -> list[type[Rule]]:
    return [import_string(path) for path in settings.DETECTION_RULES.values()]
