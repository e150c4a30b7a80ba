"""Sirens: sounded at once, sounded again while an episode lasts, and silenced whatever happens.

The `Siren` row is written before the camera is asked, so that a crash in between leaves a trace
that `tend_sirens` finds. A row whose `silent_at` is empty is a siren that may be sounding.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from crimeops.adapters import load
from crimeops.ringing import ring
from detection.models import OPEN_STATUSES, Camera, CameraState, Episode, Verdict
from integrations.models import Siren
from integrations.ports import Alarm, AlarmAddress, IntegrationError
from integrations.services.outbox import after_commit

logger = logging.getLogger(__name__)

# The alert's transaction may still be under way when the siren already sounds.
EPISODE_GRACE_SECONDS = 10.0
RETRY_SECONDS = 2.0


def sound_siren(*, camera_id: int, episode_id: UUID) -> bool:
    """Sound the siren for an episode; returns whether a camera confirmed it.

    A failure is kept in the row and tried again by `tend_sirens` as long as the siren is wanted.
    """
    if not settings.ENVIRONMENT.siren_enabled:
        return False
    camera = Camera.objects.get(pk=camera_id)
    now = timezone.now()
    until = now + timedelta(seconds=settings.ENVIRONMENT.siren_seconds)
    siren, _ = Siren.objects.update_or_create(
        camera=camera,
        defaults={
            "episode_id": episode_id,
            "wanted_until": until,
            "rung_at": now,
            "sounded_at": None,
            "silent_at": None,
            "attempts": 0,
            "next_attempt_at": None,
        },
    )
    return _sound(siren, camera)


def silence_siren(*, camera_id: int, episode_id: UUID) -> bool:
    """Silence the siren of an episode; nothing happens where another episode sounds it now.

    The wish is written first: where the camera does not answer, `tend_sirens` goes on asking.
    """
    now = timezone.now()
    ours = Siren.objects.filter(camera_id=camera_id, episode_id=episode_id, silent_at=None)
    ours.update(wanted_until=now, next_attempt_at=None)
    siren = ours.select_related("camera").first()
    return _silence(siren) if siren else True


def sirens_to_tend(*, at: datetime) -> list[int]:
    """Siren rows with something to do now: sound again, or silence."""
    rearm = at - timedelta(seconds=settings.ENVIRONMENT.siren_rearm_seconds)
    may_sound = Siren.objects.filter(silent_at=None)
    ready = may_sound.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=at))
    due = ready.filter(
        Q(wanted_until__lte=at) | Q(sounded_at=None) | Q(sounded_at__lte=rearm)
    ).values_list("pk", flat=True)
    over = [siren.pk for siren in ready if not _still_wanted(siren, at)]
    return sorted({*due, *over})


def tend_siren(*, siren_id: int) -> None:
    """Sound a siren again that is still wanted, silence one that is not."""
    siren = Siren.objects.select_related("camera").filter(pk=siren_id, silent_at=None).first()
    if siren is None or not _claim(siren):
        return
    if _still_wanted(siren, timezone.now()):
        _sound(siren, siren.camera)
    else:
        _silence(siren)


def _claim(siren: Siren) -> bool:
    """Take the next attempt, so that two sweeps at once do not both ask the camera."""
    soon = timezone.now() + timedelta(seconds=RETRY_SECONDS)
    same = Siren.objects.filter(pk=siren.pk, next_attempt_at=siren.next_attempt_at, silent_at=None)
    return same.update(next_attempt_at=soon) == 1


def _still_wanted(siren: Siren, at: datetime) -> bool:
    if siren.wanted_until is None or siren.wanted_until <= at:
        return False
    episode = Episode.objects.filter(pk=siren.episode_id).first() if siren.episode_id else None
    if episode is None:  # not committed yet, or never: then the grace ends it
        return siren.rung_at is not None and at - siren.rung_at < timedelta(
            seconds=EPISODE_GRACE_SECONDS
        )
    return episode.status in OPEN_STATUSES and episode.verdict != Verdict.DISMISSED


def _sound(siren: Siren, camera: Camera) -> bool:
    seconds = settings.ENVIRONMENT.siren_seconds
    method = _ask(siren, camera, lambda alarm, where: alarm.sound(where, seconds), "sounded")
    if method:
        Siren.objects.filter(pk=siren.pk).update(sounded_at=timezone.now(), next_attempt_at=None)
    return bool(method)


def _silence(siren: Siren) -> bool:
    method = _ask(siren, siren.camera, lambda alarm, where: alarm.silence(where), "silenced")
    if method:
        # Only where no new episode has asked for it in the meantime.
        Siren.objects.filter(pk=siren.pk, episode_id=siren.episode_id).update(
            silent_at=timezone.now(), next_attempt_at=None
        )
    return bool(method)


def _ask(
    siren: Siren, camera: Camera, order: Callable[[Alarm, AlarmAddress], None], done: str
) -> str:
    """Try each way, the one that last worked first; returns its name, or "" where none worked."""
    address = alarm_address(camera)
    names = sorted(settings.ALARMS, key=lambda name: name != siren.method)
    errors: list[str] = []
    wait = RETRY_SECONDS
    for name in names:
        try:
            order(load("ALARMS", name), address)
        except IntegrationError as error:
            errors.append(f"{name}: {error}")
            wait = max(wait, error.retry_after_seconds if len(names) == 1 else RETRY_SECONDS)
            continue
        Siren.objects.filter(pk=siren.pk).update(method=name, last_error="", attempts=0)
        logger.info("siren of camera %s %s by %s", camera.pk, done, name)
        return name
    Siren.objects.filter(pk=siren.pk).update(
        last_error="; ".join(errors)[:300],
        attempts=F("attempts") + 1,
        next_attempt_at=timezone.now() + timedelta(seconds=wait),
    )
    logger.error("siren of camera %s not %s: %s", camera.pk, done, "; ".join(errors))
    return ""


def cameras_to_keep_warm() -> list[int]:
    """Watched cameras: an expired session is met now, by a ping, and not by an alarm."""
    if not settings.ENVIRONMENT.siren_enabled:
        return []
    return list(Camera.objects.filter(state=CameraState.RUNNING).values_list("pk", flat=True))


def warm_camera(*, camera: Camera) -> None:
    """Open or check the alarm sessions of one camera; a failure is shown, not raised."""
    siren, _ = Siren.objects.get_or_create(camera=camera, defaults={"silent_at": timezone.now()})
    name = siren.method or next(iter(settings.ALARMS))
    try:
        alarm: Alarm = load("ALARMS", name)
        alarm.keep_warm(alarm_address(camera))
    except IntegrationError as error:
        Siren.objects.filter(pk=siren.pk).update(last_error=f"{name}: {error}"[:300])
        logger.warning("siren of camera %s may not work: %s: %s", camera.pk, name, error)
    else:
        Siren.objects.filter(pk=siren.pk).exclude(last_error="").update(last_error="")


def alarm_address(camera: Camera) -> AlarmAddress:
    """Where a siren is reached: the operator's control address, else the registry's."""
    host, _, port = camera.control_host.partition(":")
    return AlarmAddress(
        camera_id=camera.pk,
        host=host,
        port=int(port) if port.isdigit() else settings.ENVIRONMENT.tapo_control_port,
        public_host=camera.public_address or camera.address,
        username=camera.username,
        password=camera.password,
        control_password=camera.control_password,
    )


def ring_siren(*, camera_id: int, episode_id: UUID) -> None:
    """Sound the siren by the alarms worker, or right here where the broker cannot be reached."""
    if not ring("integrations.sound_siren", camera_id, str(episode_id), expires=30):
        sound_siren(camera_id=camera_id, episode_id=episode_id)


def ring_silence(*, camera_id: int, episode_id: UUID) -> None:
    """Silence the siren by the alarms worker, or right here where the broker cannot be reached."""

    def silence() -> None:
        if not ring("integrations.silence_siren", camera_id, str(episode_id)):
            silence_siren(camera_id=camera_id, episode_id=episode_id)

    after_commit(silence)
