"""Whether a camera is really watched: judged by its lease and its last frame, never by its state.

A camera that only seems watched is the failure that matters, so a row whose state says `running`
looks wrong as soon as nobody holds it or its frames are old.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from detection.admin.presentation import Tone, ago
from detection.admin.telling import told
from detection.domain.pace import OVERLOADED_SHARE, is_overloaded
from detection.models import Camera, CameraState, Claim

# A worker holds the lease in these states; without one they are what a dead worker left behind.
HELD_STATES = (CameraState.STARTING, CameraState.RUNNING, CameraState.STOPPING)


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """How the camera is to be shown: a word, its tone, and what is wrong or going on."""

    word: str
    tone: Tone
    remark: str = ""


def claim_of(camera: Camera) -> Claim | None:
    """The camera's claim, if it was ever rung; costs nothing after `select_related("claim")`."""
    return getattr(camera, "claim", None)


def is_live(claim: Claim | None, at: datetime) -> bool:
    return claim is not None and claim.expires_at is not None and claim.expires_at > at


def frame_is_stale(camera: Camera, at: datetime) -> bool:
    """A camera that has just started has no frame yet; its start counts in the frame's stead."""
    claim = claim_of(camera)
    newest = (claim.last_frame_at if claim else None) or camera.state_changed_at
    return at - newest >= _stall()


def judge(camera: Camera, at: datetime) -> WatchHealth:
    """What an operator must be told of this camera at this moment."""
    live = is_live(claim_of(camera), at)
    state = CameraState(camera.state)
    if camera.removed_at is not None:
        day = f"{localtime(camera.removed_at):%Y-%m-%d %H:%M}"
        said = _("removed on %(day)s; what it saw is kept") % {"day": day}
        return WatchHealth(_("Removed"), Tone.NEUTRAL, said)
    if not camera.enabled:
        return _disabled(live)
    if state is CameraState.ERROR:
        return WatchHealth(_("Error"), Tone.BAD, told(camera.reason) or _("no reason given"))
    if state in HELD_STATES and not live:
        return _abandoned(camera, state, at)
    if state is CameraState.RUNNING and frame_is_stale(camera, at):
        still = _("held by a worker, but its picture stands still")
        return WatchHealth(_("No frames"), Tone.BAD, still)
    if state is CameraState.RUNNING and camera.reason:
        return WatchHealth(_named(camera.reason), Tone.WARNING, told(camera.reason))
    if state is CameraState.RUNNING and (load := overload_of(camera)):
        return WatchHealth(_("Overloaded"), Tone.WARNING, load)
    if state is CameraState.RUNNING:
        return WatchHealth(_("Running"), Tone.GOOD)
    if state is CameraState.IDLE and not live:
        return _unwatched(camera, at)
    return WatchHealth(str(state.label), Tone.ACTIVE, told(camera.reason))


def _named(reason: str) -> str:
    """What is wrong with a camera that runs, in a word that needs no colour."""
    kind = reason.partition(":")[0]
    return _(kind.replace("_", " ")).capitalize()


def overload_of(camera: Camera) -> str:
    """What an operator is told where fewer frames are analysed than wanted, else nothing."""
    claim = claim_of(camera)
    if claim is None:
        return ""
    wanted, analysed = claim.wanted_per_second, claim.analysed_per_second
    if not is_overloaded(wanted=wanted, analysed=analysed):
        return ""
    return _("overloaded: analysed %(analysed).1f of %(wanted).1f frames/s") % {
        "analysed": analysed,
        "wanted": wanted,
    }


def _disabled(live: bool) -> WatchHealth:
    if live:
        return WatchHealth(_("Stopping"), Tone.ACTIVE, _("disabled; its worker is letting go"))
    return WatchHealth(_("Disabled"), Tone.NEUTRAL)


def _abandoned(camera: Camera, state: CameraState, at: datetime) -> WatchHealth:
    changing_hands = state is not CameraState.RUNNING and at - camera.state_changed_at < _stall()
    if changing_hands:
        return WatchHealth(str(state.label), Tone.ACTIVE, told(camera.reason))
    but = _("its state says “%(state)s”, but no worker holds it") % {"state": str(state.label)}
    return WatchHealth(_("Not watched"), Tone.BAD, but)


def _unwatched(camera: Camera, at: datetime) -> WatchHealth:
    if camera.retry_at and camera.retry_at > at:
        again = f"{localtime(camera.retry_at):%H:%M:%S}"
        pause = _("tried again at %(time)s") % {"time": again}
        return WatchHealth(
            _("Waiting"), Tone.WARNING, _("; ").join(filter(None, (told(camera.reason), pause)))
        )
    return WatchHealth(_("Idle"), Tone.WARNING, told(camera.reason) or _("no worker watches it"))


def frame_age(camera: Camera, at: datetime) -> tuple[str, bool]:
    """How long ago the last frame was, in words, and whether that is wrong."""
    claim = claim_of(camera)
    wrong = camera.enabled and camera.state == CameraState.RUNNING and frame_is_stale(camera, at)
    if claim is None or claim.last_frame_at is None:
        return _("none yet") if camera.state == CameraState.RUNNING else "", wrong
    return ago(at - claim.last_frame_at), wrong


def only_seem_watched(at: datetime) -> Q:
    """Enabled cameras whose state promises more than their lease and frames hold."""
    stale_since = at - _stall()
    held = Q(claim__expires_at__gt=at)
    seen = Q(claim__last_frame_at__gt=stale_since) | Q(
        claim__last_frame_at=None, state_changed_at__gt=stale_since
    )
    changing = Q(state__in=(CameraState.STARTING, CameraState.STOPPING))
    abandoned = changing & Q(state_changed_at__lte=stale_since) & ~held
    blind = ~Q(reason="")  # it runs, but shows too little
    return Q(enabled=True) & ((Q(state=CameraState.RUNNING) & (~(held & seen) | blind)) | abandoned)


def really_watched(at: datetime) -> Q:
    """Enabled cameras that a worker holds and that gave a frame lately."""
    return Q(enabled=True, state=CameraState.RUNNING) & ~only_seem_watched(at)


def overloaded(at: datetime) -> Q:
    """Really watched, but fewer frames are analysed than wanted."""
    fewer = Q(claim__analysed_per_second__lt=F("claim__wanted_per_second") * OVERLOADED_SHARE)
    return really_watched(at) & fewer


def _stall() -> timedelta:
    return timedelta(seconds=settings.ENVIRONMENT.stall_seconds)
