"""Sirens: sounded at once, sounded again while an episode lasts, and silenced whatever happens.

The camera is asked before anything is written or read: a busy database must not hold a siren up.
Whoever sounds a siren answers for it in memory (`siren_keeper`); a `Siren` row whose `silent_at` is
empty is a siren that may be sounding, and where nobody lives to look after it, the sweep does. An
alert without a row (its ring was lost) is adopted by the sweep, which then treats it like any.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from crimeops.adapters import load
from crimeops.patience import within
from crimeops.ringing import ring
from detection.models import Camera, CameraState, Episode
from integrations.models import Siren
from integrations.ports import Alarm, IntegrationError, LoginRefused
from integrations.services import siren_addresses as addresses
from integrations.services import siren_board as board
from integrations.services import siren_keeper as keeping
from integrations.services import siren_logins
from integrations.services import siren_ways as ways
from integrations.services.outbox import after_commit
from integrations.services.siren_addresses import KnownSiren
from integrations.services.siren_adopting import adopt_alerts_without_a_row
from integrations.services.siren_board import Word
from integrations.services.siren_books import is_over
from integrations.services.siren_holds import Hold

logger = logging.getLogger(__name__)

# The alert's transaction may still be under way when the siren already sounds.
EPISODE_GRACE_SECONDS = 10.0
# An attempt on a camera that hangs takes this long at most; then it was lost.
ATTEMPT_SECONDS = 25.0
# The database has this long to say whose siren it is, before silence is asked for all the same.
LOOK_SECONDS = 1.0


def sound_siren(*, camera_id: int, episode_id: UUID) -> bool:
    """Sound the siren for an episode; returns whether a camera confirmed it.

    A camera that is known here is asked before the database. A failure is tried again as long as
    the siren is wanted. A ring that comes after the episode's end sounds nothing.
    """
    if not settings.ENVIRONMENT.siren_enabled:
        return False
    ours = keeping.KEEPER.held(camera_id)
    if ours is not None and ours.episode_id == episode_id:
        ours.take_over()
        return True
    known = addresses.known_siren(camera_id)
    if known is None and not is_over(episode_id):
        known = addresses.look_up(camera_id)
    if known is None:
        return False
    if board.take(camera_id, episode_id) in {Word.OVER, Word.SILENT, Word.HELD}:
        return False
    hold = Hold.for_episode(known, episode_id)
    keeping.KEEPER.begin(hold)
    try:
        return hold.sound()
    finally:
        keeping.KEEPER.look_after(hold)


def silence_siren(*, camera_id: int, episode_id: UUID) -> bool:
    """Silence the siren of an episode; nothing happens where another episode sounds it now.

    Returns whether it is silent, or is being silenced until it is.
    """
    word = board.say_over(camera_id, episode_id)
    ours = keeping.KEEPER.held(camera_id)
    if ours is not None:
        if ours.episode_id == episode_id:
            ours.end()
        return True
    if word is Word.ANOTHERS:
        return True
    hold = _called_off(camera_id, episode_id)
    if hold is None:
        return True
    keeping.KEEPER.begin(hold)
    try:
        return hold.silence()
    finally:
        keeping.KEEPER.look_after(hold)


def _called_off(camera_id: int, episode_id: UUID) -> Hold | None:
    """The siren of an episode that this process must silence; None where there is none.

    Where the database does not say whose siren it is, silence is the safer answer.
    """

    def wish() -> tuple[Siren, KnownSiren | None] | None:
        now = timezone.now()
        ours = Siren.objects.filter(camera_id=camera_id, episode_id=episode_id, silent_at=None)
        ours.update(wanted_until=now, next_attempt_at=None)
        row = ours.first()
        return (row, addresses.to_silence(row)) if row else None

    unknown = object()
    found = within(LOOK_SECONDS, wish, unknown)
    if found is None:
        return None
    known = addresses.known_siren(camera_id)
    hold = None
    if isinstance(found, tuple):
        row, fresh = found
        known = fresh or known
        hold = Hold.from_row(row, known) if known else None
    elif known is not None:
        hold = Hold.for_episode(known, episode_id)
    if hold is not None:
        hold.end()
    return hold


def silence_for_good(*, camera: Camera) -> None:
    """Silence the siren of a camera that is being deleted, while its address is still known."""
    row = Siren.objects.filter(camera=camera, silent_at=None).first()
    if row is not None and row.episode_id is not None:
        board.say_over(camera.pk, row.episode_id)  # to whichever process sounds it
    known = addresses.to_silence(row) if row else None
    if row is None or known is None:
        return
    hold = Hold.from_row(row, known)
    hold.end()
    keeping.KEEPER.begin(hold)
    keeping.KEEPER.look_after(hold)


def sirens_to_tend(*, at: datetime) -> list[int]:
    """Siren rows with something to do now, and nobody alive to do it."""
    adopt_alerts_without_a_row(at)
    rearm = at - timedelta(seconds=settings.ENVIRONMENT.siren_rearm_seconds)
    may_sound = Siren.objects.filter(Q(held_until=None) | Q(held_until__lte=at), silent_at=None)
    ready = may_sound.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=at))
    due = ready.filter(
        Q(wanted_until__lte=at) | Q(sounded_at=None) | Q(sounded_at__lte=rearm)
    ).values_list("pk", flat=True)
    over = [siren.pk for siren in ready if not _still_wanted(siren, at)]
    return sorted({*due, *over})


def tend_siren(*, siren_id: int) -> None:
    """Take a siren over whose holder is gone: sound it if it is still wanted, else silence it."""
    siren = Siren.objects.filter(pk=siren_id, silent_at=None).first()
    if siren is None or keeping.KEEPER.held(siren.camera_id) or not _claim(siren):
        return
    known = addresses.to_silence(siren)
    if known is None:
        logger.error("camera %s: no address is known to silence its siren", siren.camera_id)
        return
    hold = Hold.from_row(siren, known)
    keeping.KEEPER.begin(hold)
    try:
        if addresses.known_siren(siren.camera_id) and _still_wanted(siren, timezone.now()):
            hold.sound()
        else:
            hold.end()
            hold.silence()
    finally:
        keeping.KEEPER.look_after(hold)


def _claim(siren: Siren) -> bool:
    """Take the next attempt, so that two sweeps at once do not both ask the camera."""
    soon = timezone.now() + timedelta(seconds=ATTEMPT_SECONDS)
    same = Siren.objects.filter(pk=siren.pk, next_attempt_at=siren.next_attempt_at, silent_at=None)
    return same.update(next_attempt_at=soon) == 1


def _still_wanted(siren: Siren, at: datetime) -> bool:
    if not settings.ENVIRONMENT.siren_enabled:
        return False
    if siren.wanted_until is None or siren.wanted_until <= at:
        return False
    if siren.episode_id is None or not Episode.objects.filter(pk=siren.episode_id).exists():
        # Not committed yet, or never: then the grace ends it.
        return siren.rung_at is not None and at - siren.rung_at < timedelta(
            seconds=EPISODE_GRACE_SECONDS
        )
    return not is_over(siren.episode_id)


def cameras_to_keep_warm() -> list[int]:
    """Watched cameras: an expired session is met now, by a ping, and not by an alarm."""
    if not settings.ENVIRONMENT.siren_enabled:
        return []

    def watched() -> list[int]:
        running = Camera.objects.filter(state=CameraState.RUNNING)
        reachable = running.exclude(control_address="", address="", public_address="")
        return list(reachable.values_list("pk", flat=True))

    return within(LOOK_SECONDS, watched, addresses.known_cameras())


def warm_camera(*, camera_id: int) -> None:
    """Open or check the alarm sessions of one camera; a failure is shown, not raised."""
    known = within(
        LOOK_SECONDS, lambda: addresses.look_up(camera_id), addresses.known_siren(camera_id)
    )
    if known is None:
        return
    troubles = [_ping(known, name) for name in ways.to_warm(known)]
    if None in troubles:
        return  # it rests, or is busy: what was said of it goes on being so
    within(LOOK_SECONDS, lambda: _note_warmth(known, "; ".join(filter(None, troubles))), None)


def _ping(known: KnownSiren, name: str) -> str | None:
    """What is wrong with a way, empty for nothing; None where it was not tried."""
    try:
        alarm: Alarm = load("ALARMS", name)
        if not alarm.keep_warm(known.address):
            return None
    except IntegrationError as fault:
        logger.warning("siren of camera %s may not work: %s: %s", known.camera_id, name, fault)
        ways.note_ping(known.address, name, answered=False)
        if isinstance(fault, LoginRefused):
            siren_logins.note_refusal(known.address, fault)
        return f"{name}: {fault}"
    ways.note_ping(known.address, name, answered=True)
    if known.method and name == next(iter(settings.ALARMS)) != known.method:
        addresses.note_method(known.camera_id, name)  # what a fallback had in its stead
        within(LOOK_SECONDS, lambda: _remember_method(known.camera_id, name), None)
    return ""


def _remember_method(camera_id: int, method: str) -> None:
    Siren.objects.filter(camera_id=camera_id).update(method=method)


def _note_warmth(known: KnownSiren, error: str) -> None:
    camera_id, error = known.camera_id, error[:300]
    Siren.objects.get_or_create(camera_id=camera_id, defaults={"silent_at": timezone.now()})
    Siren.objects.filter(camera_id=camera_id).exclude(last_error=error).update(last_error=error)
    siren_logins.write(camera_id)


def ring_siren(*, camera_id: int, episode_id: UUID) -> None:
    """Sound the siren by the alarms worker, or from here where nobody says that it was heard.

    Nothing here waits for the database, and only a ring for the broker.
    """
    if not settings.ENVIRONMENT.siren_enabled:
        return
    known = addresses.known_siren(camera_id)
    hold = Hold.for_episode(known, episode_id) if known else None
    stands_by = hold is not None and keeping.KEEPER.stand_by(hold)
    if ring("integrations.sound_siren", camera_id, str(episode_id), expires=30):
        return
    if hold is not None and stands_by:
        hold.take_over()
    else:
        sound_siren(camera_id=camera_id, episode_id=episode_id)


def ring_silence(*, camera_id: int, episode_id: UUID) -> None:
    """Silence the siren by the alarms worker, or from here where nobody says that it is silent."""

    def silence() -> None:
        ours = keeping.KEEPER.held(camera_id)
        held = ours is not None and ours.episode_id == episode_id
        if ours is not None and held:
            ours.end()
        if not ring("integrations.silence_siren", camera_id, str(episode_id)) and not held:
            silence_siren(camera_id=camera_id, episode_id=episode_id)

    after_commit(silence)
