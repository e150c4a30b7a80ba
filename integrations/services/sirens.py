"""Sirens: sounded at once, sounded again while an episode lasts, and silenced whatever happens.

The camera is asked before anything is written: a busy database must not hold a siren up. A `Siren`
row whose `silent_at` is empty is a siren that may be sounding. An alert without a row (its ring was
lost, or the worker died before it wrote) is adopted by the sweep, which then treats it like any.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
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
# A ring is answered within tens of milliseconds; after this it was lost.
RING_GRACE_SECONDS = 2.0
RETRY_SECONDS = 2.0
# An attempt on a camera that hangs takes this long at most; then it was lost.
ATTEMPT_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of asking a camera: the way that worked, or why none did."""

    method: str = ""
    error: str = ""
    wait_seconds: float = RETRY_SECONDS

    def as_fields(self, at: datetime) -> dict[str, Any]:
        """The columns of a siren row that say so."""
        if self.method:
            return {"method": self.method, "last_error": "", "attempts": 0, "next_attempt_at": None}
        again = at + timedelta(seconds=self.wait_seconds)
        return {"last_error": self.error[:300], "next_attempt_at": again}


def sound_siren(*, camera_id: int, episode_id: UUID) -> bool:
    """Sound the siren for an episode; returns whether a camera confirmed it.

    A failure is kept in the row and tried again by `tend_sirens` as long as the siren is wanted.
    A ring that comes after the episode's end sounds nothing.
    """
    if not settings.ENVIRONMENT.siren_enabled or _is_over(episode_id):
        return False
    camera = Camera.objects.get(pk=camera_id)
    if not (camera.control_host or camera.public_address):
        return False
    remembered = Siren.objects.filter(camera=camera).values_list("method", flat=True).first()
    rung_at = timezone.now()
    outcome = _ask(camera, remembered or "", _sounding, "sounded")
    now = timezone.now()
    Siren.objects.update_or_create(
        camera=camera,
        defaults={
            "episode_id": episode_id,
            "wanted_until": rung_at + timedelta(seconds=settings.ENVIRONMENT.siren_seconds),
            "rung_at": rung_at,
            "sounded_at": now if outcome.method else None,
            "silent_at": None,
            "attempts": 0 if outcome.method else 1,
            **outcome.as_fields(now),
        },
    )
    return bool(outcome.method)


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
    _adopt_alerts_without_a_row(at)
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
    soon = timezone.now() + timedelta(seconds=ATTEMPT_SECONDS)
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


def _is_over(episode_id: UUID) -> bool:
    return (
        Episode.objects.filter(pk=episode_id)
        .filter(~Q(status__in=OPEN_STATUSES) | Q(verdict=Verdict.DISMISSED))
        .exists()
    )


def _adopt_alerts_without_a_row(at: datetime) -> None:
    """A recent alert that no siren row knows: its ring was lost, or nobody lived to write it."""
    if not settings.ENVIRONMENT.siren_enabled:
        return
    longest = timedelta(seconds=settings.ENVIRONMENT.siren_seconds)
    newer = Siren.objects.filter(camera=OuterRef("camera"), rung_at__gte=OuterRef("decided_at"))
    lost = Episode.objects.filter(
        ~Q(Exists(newer)),
        ~Q(camera__control_address="", camera__address="", camera__public_address=""),
        decided_at__gt=at - longest,
        decided_at__lte=at - timedelta(seconds=RING_GRACE_SECONDS),
    )
    for episode in lost:
        logger.warning("the siren of episode %s was never recorded; tending it now", episode.pk)
        Siren.objects.update_or_create(
            camera_id=episode.camera_id,
            defaults={
                "episode_id": episode.pk,
                "wanted_until": episode.decided_at + longest,
                "rung_at": at,
                "sounded_at": None,
                "silent_at": None,
                "attempts": 0,
                "next_attempt_at": None,
            },
        )


def _sound(siren: Siren, camera: Camera) -> bool:
    outcome = _ask(camera, siren.method, _sounding, "sounded")
    # A silence that came in between was overtaken: the next sweep must see a siren that sounds.
    sounded = {"sounded_at": timezone.now(), "silent_at": None} if outcome.method else {}
    _note(siren, outcome, **sounded)
    return bool(outcome.method)


def _silence(siren: Siren) -> bool:
    outcome = _ask(siren.camera, siren.method, _silencing, "silenced")
    silent = {"silent_at": timezone.now()} if outcome.method else {}
    _note(siren, outcome, **silent)
    return bool(outcome.method)


def _note(siren: Siren, outcome: Outcome, **changes: Any) -> None:
    """Write the outcome, unless a new episode has asked for the siren in the meantime."""
    if not outcome.method:
        changes["attempts"] = F("attempts") + 1
    Siren.objects.filter(pk=siren.pk, episode_id=siren.episode_id).update(
        **outcome.as_fields(timezone.now()), **changes
    )


def _sounding(alarm: Alarm, where: AlarmAddress) -> None:
    alarm.sound(where, settings.ENVIRONMENT.siren_seconds)


def _silencing(alarm: Alarm, where: AlarmAddress) -> None:
    alarm.silence(where)


def _ask(
    camera: Camera, remembered: str, order: Callable[[Alarm, AlarmAddress], None], done: str
) -> Outcome:
    """Try each way, the one that last worked first. Writes nothing."""
    address = alarm_address(camera)
    names = sorted(settings.ALARMS, key=lambda name: name != remembered)
    errors: list[str] = []
    wait = RETRY_SECONDS
    for name in names:
        try:
            order(load("ALARMS", name), address)
        except IntegrationError as error:
            errors.append(f"{name}: {error}")
            wait = max(wait, error.retry_after_seconds if len(names) == 1 else RETRY_SECONDS)
            continue
        logger.info("siren of camera %s %s by %s", camera.pk, done, name)
        return Outcome(method=name)
    logger.error("siren of camera %s not %s: %s", camera.pk, done, "; ".join(errors))
    return Outcome(error="; ".join(errors), wait_seconds=wait)


def cameras_to_keep_warm() -> list[int]:
    """Watched cameras: an expired session is met now, by a ping, and not by an alarm."""
    if not settings.ENVIRONMENT.siren_enabled:
        return []
    watched = Camera.objects.filter(state=CameraState.RUNNING)
    reachable = watched.exclude(control_address="", address="", public_address="")
    return list(reachable.values_list("pk", flat=True))


def warm_camera(*, camera: Camera) -> None:
    """Open or check the alarm sessions of one camera; a failure is shown, not raised."""
    siren, _ = Siren.objects.get_or_create(camera=camera, defaults={"silent_at": timezone.now()})
    name = siren.method or next(iter(settings.ALARMS))
    try:
        alarm: Alarm = load("ALARMS", name)
        checked = alarm.keep_warm(alarm_address(camera))
    except IntegrationError as error:
        Siren.objects.filter(pk=siren.pk).update(last_error=f"{name}: {error}"[:300])
        logger.warning("siren of camera %s may not work: %s: %s", camera.pk, name, error)
    else:
        if checked:
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
