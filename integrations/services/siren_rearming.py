"""The siren of one episode: turned off for the rest of it, and sounded again while it lasts."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.models import Camera, Episode, Verdict
from integrations.models import Siren
from integrations.services import siren_addresses as addresses
from integrations.services import siren_board as board
from integrations.services import sirens
from integrations.services.siren_books import HELD_SECONDS
from integrations.services.siren_silencing import CannotSilence, silence_by_hand
from integrations.signals import siren_rearmed

# A wish on the row ends after that of whoever hears the ring, which waits for 30 s at most.
MARGIN = timedelta(seconds=60)


class CannotRearm(Exception):
    """The siren was not asked to sound; the message says why."""


def turn_off(
    *, episode: Episode, user: AbstractBaseUser, request: HttpRequest | None = None
) -> str:
    """Silence the siren, and have it not sound for this episode; returns what came of it.

    Raises:
        CannotSilence: it sounds for another, cannot sound for this one, or has no address.
    """
    row = Siren.objects.filter(camera=episode.camera_id).first()
    sounds = row is not None and row.silent_at is None
    ours = row is not None and row.episode_id == episode.pk
    if sounds and not ours:
        raise CannotSilence(_("it sounds for another episode or a test; silence it at its camera"))
    if not sounds and not episode.is_open:
        raise CannotSilence(_("it is silent, and the episode is over"))
    return silence_by_hand(camera=episode.camera, user=user, request=request, episode=episode)


def rearm(*, episode: Episode, user: AbstractBaseUser, request: HttpRequest | None = None) -> str:
    """Have the siren sound again for an episode that lasts; returns what is to be expected.

    The row is written first: where the ring is lost, the sweep sounds it.

    Raises:
        CannotRearm: the message says why.
    """
    if not settings.ENVIRONMENT.siren_enabled:
        raise CannotRearm(_("sirens are switched off: set SIREN_ENABLED"))
    if addresses.look_up(episode.camera_id) is None:
        raise CannotRearm(_("no address is known: enter the camera's address"))
    seconds = settings.ENVIRONMENT.siren_seconds
    with transaction.atomic():
        _want(episode, timedelta(seconds=seconds))
        siren_rearmed.send(
            sender=Camera,
            camera=episode.camera,
            episode=episode,
            user=user,
            request=request,
            outcome="It is asked to sound again.",
        )
    board.lift(episode.camera_id, episode.pk)
    sirens.ring_siren(camera_id=episode.camera_id, episode_id=episode.pk)
    said = _("It is asked to sound again, for %(seconds)d s while the episode lasts.")
    return said % {"seconds": seconds}


def _want(episode: Episode, long: timedelta) -> None:
    """Write the wish on the siren's row, while nobody can end or dismiss the episode."""
    now_is = Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    if now_is.verdict == Verdict.DISMISSED:
        raise CannotRearm(_("the episode is dismissed; undo that first"))
    if not now_is.is_open:
        raise CannotRearm(_("the episode is over"))
    now = timezone.now()
    Siren.objects.get_or_create(camera_id=episode.camera_id, defaults={"silent_at": now})
    row = Siren.objects.select_for_update().get(camera_id=episode.camera_id)
    if row.silent_at is None:
        sounds = row.wanted_until is not None and row.wanted_until > now
        raise CannotRearm(
            _("it sounds already")
            if sounds
            else _("the camera has not confirmed yet that it is silent; try again in a moment")
        )
    row.episode_id = episode.pk
    row.rung_at, row.wanted_until = now, now + long + MARGIN
    row.sounded_at = row.silent_at = row.next_attempt_at = None
    row.sounded_by, row.attempts, row.last_error = [], 0, ""
    row.held_until = now + timedelta(seconds=HELD_SECONDS)
    row.save()
