"""From a ring to a watched camera: lease, claim at the registry, watch, release."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connection

from crimeops.adapters import load
from crimeops.patience import within
from detection import signals
from detection.analysis import SceneAnalysis
from detection.behaviour.lookout import Lookout
from detection.clip_desk import ClipDesk
from detection.clips import CameraClips
from detection.domain.letterbox import MODEL_INPUT_SIZE
from detection.domain.packets import RING_SECONDS, PacketRing
from detection.domain.track_log import TrackLog
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, CameraState
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
from detection.reclaiming import Reclaim
from detection.rules.setup import CameraSetup
from detection.services import cameras, claims, setups
from detection.services.claims import Lease, NotWanted, Overtaken
from detection.services.holding import Holding, Mark
from detection.showing import Showing
from detection.sources.addresses import check_address, check_network, host_of
from detection.sources.pyav import PyAvSource
from detection.trackers.bytetrack import ByteTracker
from detection.transport.live import LivePictures

logger = logging.getLogger(__name__)

Transport = tuple[FrameMailbox, LivePictures, ClipDesk | None]

# How long the goodbye waits to learn whether the database answers.
ANSWER_SECONDS = 0.5


def watch_camera(
    *,
    camera_id: int,
    instance: str,
    worker: str,
    mailbox: FrameMailbox,
    pictures: LivePictures,
    clips: ClipDesk | None = None,
    stop: threading.Event,
    taken: Callable[[], None],
) -> bool:
    """Watch a camera if it is free and this instance has room; False where the instance is full.

    Blocks until `stop` is set, the camera is lost, or another watcher overtakes. Calls `taken` as
    soon as the lease is ours.
    """
    _load_tracker()
    most = settings.ENVIRONMENT.max_cameras
    asked_at, at = Mark.now(), claims.database_now()
    lease = claims.take_lease(
        camera_id=camera_id, instance=instance, worker=worker, max_cameras=most, at=at
    )
    if lease is None:
        return claims.has_room(instance=instance, max_cameras=most, at=at)
    taken()
    try:
        camera = Camera.objects.get(pk=camera_id)
    except ImproperlyConfigured as error:  # its credentials cannot be decrypted
        _decline(lease, str(error))
        _show_error(lease, f"bad_credentials: {error}")
        return True
    holding = Holding(lease, asked_at)
    registry: CameraRegistry = load("CAMERA_REGISTRIES", camera.registry)
    try:
        claimed = _claim_for(holding, camera, registry)
    except InstanceFull:
        return False  # another instance may have room for it at once
    except Overtaken as error:  # the registry took its time
        logger.warning("%s", error)
        return True
    if claimed:
        logger.info("camera %s (%s) claimed", camera.pk, camera.name)
        _watch_claimed(holding, camera, registry, (mailbox, pictures, clips), stop)
    return True


def _load_tracker() -> None:
    """Its library takes seconds to import: leases that were taken before would run out."""
    ByteTracker(settings.ENVIRONMENT.model_dir)


def _claim_for(holding: Holding, camera: Camera, registry: CameraRegistry) -> bool:
    """Claim at the registry; where it does not grant the camera, say so and give the lease back.

    Raises:
        InstanceFull: after giving the lease back.
        Overtaken: someone else has the camera by now; nothing was undone.
    """
    lease = holding.lease
    # Before it is asked: if we die in between, someone has to know that it may count us.
    claims.prove_lease(lease=lease, at=claims.database_now())
    claims.note_held(lease=lease, held=True, at=claims.database_now())
    try:
        if not camera.enabled:  # its watcher died before it could release it
            registry.release(camera.external_id)
            _decline(lease, "it is disabled")
            return False
        _claim(registry, camera, lease)
    except InstanceFull as error:
        _decline(lease, str(error))
        raise
    except CameraTaken as error:
        _decline(lease, str(error))
        cameras.postpone_camera(camera_id=camera.pk, until=_retry_at())
        return False
    except RegistryError as error:
        _decline(lease, str(error), held=error.unanswered)
        _show_error(lease, f"not_claimed: {error}")
        return False
    holding.make_sure()
    claims.note_held(lease=lease, held=True, at=claims.database_now())
    return True


def _claim(registry: CameraRegistry, camera: Camera, lease: Lease) -> None:
    """Claim; a claim that this instance still holds from before a crash is renewed."""
    try:
        registry.claim(camera.external_id)
    except CameraTaken:
        if not lease.inherited:
            raise
        logger.info("camera %s: taking over what this instance held before", camera.pk)
        for ask in (registry.release, registry.claim):
            claims.prove_lease(lease=lease, at=claims.database_now())  # each may take most of one
            ask(camera.external_id)


def _decline(lease: Lease, why: str, *, held: bool = False) -> None:
    logger.info("camera %s is not watched from here: %s", lease.camera_id, why)
    claims.note_held(lease=lease, held=held, at=claims.database_now())
    claims.give_lease_back(lease=lease)


def _show_error(lease: Lease, reason: str) -> None:
    cameras.set_camera_state(
        lease=lease, state=CameraState.ERROR, reason=reason, retry_at=_retry_at()
    )


def _retry_at() -> datetime:
    return claims.database_now() + timedelta(seconds=settings.ENVIRONMENT.retry_after)


def _watch_claimed(
    holding: Holding,
    camera: Camera,
    registry: CameraRegistry,
    transport: Transport,
    stop: threading.Event,
) -> None:
    verdict = Verdict(gave_up=False)
    reclaim = Reclaim(holding.lease, camera, registry)
    try:
        signals.camera_watched.send_robust(sender=Camera, camera=camera)
        verdict = _build_watch(holding, camera, transport, reclaim.attempt, stop).run()
        holding.make_sure()  # it may have been paused while it was told to stop
    except NotWanted as error:
        logger.warning("%s", error)
    except Overtaken as error:
        logger.warning("%s", error)
        return  # whatever there is to give back is the new watcher's
    except Exception:
        logger.exception("camera %s: its watch failed", camera.pk)
        verdict = Verdict(gave_up=True, reason="failed: the log of the worker has the details")
    _release(holding.lease, camera, registry, verdict, reclaim.close())


def _release(
    lease: Lease, camera: Camera, registry: CameraRegistry, verdict: Verdict, settled: bool
) -> None:
    """Give the camera back everywhere; no step that fails keeps the next from being taken."""
    if not within(ANSWER_SECONDS, lambda: bool(claims.database_now()), False):
        # A silent database holds each step up for seconds; the registry does not wait for it.
        _attempt(camera, "release", lambda: _release_at(registry, camera))
    signals.camera_leaving.send_robust(sender=Camera, camera=camera)
    publish = partial(cameras.set_camera_state, lease=lease)
    _attempt(camera, "mark as stopping", lambda: publish(state=CameraState.STOPPING))
    if _attempt(camera, "release", lambda: _release_if_held(lease, camera, registry, settled)):
        logger.info("camera %s (%s) released", camera.pk, camera.name)
    _attempt(camera, "give the lease back", lambda: claims.give_lease_back(lease=lease))
    if verdict.gave_up:
        _attempt(camera, "show the error", lambda: _show_error(lease, verdict.reason))
    else:
        _attempt(camera, "mark as idle", lambda: publish(state=CameraState.IDLE))


def _release_if_held(lease: Lease, camera: Camera, registry: CameraRegistry, settled: bool) -> None:
    """A camera that could not be released stays `held`, so that its instance is rung for it.

    So does one that may be claimed once more after this: not `settled`.
    """
    try:
        if not claims.is_held(lease=lease):
            return
    except DatabaseFault as error:
        logger.error("camera %s is released unasked: %s", camera.pk, error)
    _release_at(registry, camera)
    if settled:
        claims.note_held(lease=lease, held=False, at=claims.database_now())


def _release_at(registry: CameraRegistry, camera: Camera) -> None:
    with suppress(CameraTaken):  # another instance's by now: that is as good
        registry.release(camera.external_id)


def _attempt(camera: Camera, what: str, step: Callable[[], None]) -> bool:
    try:
        step()
    except (DatabaseFault, RegistryError) as error:
        logger.error("camera %s: cannot %s: %s", camera.pk, what, error)
        return False
    return True


def _build_watch(
    holding: Holding,
    camera: Camera,
    transport: Transport,
    reclaim: Callable[[], None],
    stop: threading.Event,
) -> CameraWatch:
    environment = settings.ENVIRONMENT
    mailbox, pictures, desk = transport
    if desk is not None:
        desk.start()
    ring = PacketRing(RING_SECONDS, round(environment.clip_memory_mb * 1e6)) if desk else None
    reader = setups.SetupReader(camera.pk)
    scene = build_scene(reader.load())
    return CameraWatch(
        holding=holding,
        open_source=lambda: _open_source(camera.pk, scene.wants_more, ring),
        mailbox=mailbox,
        showing=Showing(camera.pk, pictures, lambda: scene.setup.zones),
        scene=scene,
        load_setup=reader.load,
        reclaim=reclaim,
        evidence=DjangoEvidenceStore(),
        clips=CameraClips(desk, camera.pk, ring) if desk and ring else None,
        options=WatchOptions(
            input_size=MODEL_INPUT_SIZE,
            frame_max_age_seconds=environment.frame_max_age,
            stall_seconds=environment.stall_seconds,
            retry=RetryPolicy(max_failures=environment.max_read_failures),
        ),
        stop=stop,
        track_log=TrackLog() if environment.track_log_days else None,
    )


def _open_source(
    camera_id: int, hurry: Callable[[], bool], packets: PacketRing | None
) -> FrameSource:
    """Built at each attempt, so that a corrected address or password is used at once."""
    environment = settings.ENVIRONMENT
    try:
        url = Camera.objects.values_list("stream_url", flat=True).get(pk=camera_id)
    finally:
        connection.close()  # the reader's thread asks so rarely that it keeps none
    check_address(url, allow_files=environment.allow_file_sources)
    if host := host_of(url):
        check_network(host, environment.camera_networks)
    return PyAvSource(
        SourceOptions(
            url=url,
            transport=environment.rtsp_transport,
            frame_skip=environment.frame_skip,
            hurry=hurry,
            open_timeout_seconds=environment.open_timeout,
            read_timeout_seconds=environment.read_timeout,
            packets=packets,
        )
    )


def build_scene(setup: CameraSetup) -> SceneAnalysis:
    """A scene that nothing has been seen of, by the site's policy."""
    environment = settings.ENVIRONMENT
    return SceneAnalysis(
        ByteTracker(environment.model_dir, setup.settings.classes.names),
        setups.rule_types(),
        setup,
        setups.site_policy(),
        Lookout() if environment.fight_detection else None,
    )
