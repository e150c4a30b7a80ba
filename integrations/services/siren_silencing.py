"""An officer's silence: ends whatever sounds at a camera, also where nobody knows that it does."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from detection.models import Camera, Episode
from integrations.models import Siren
from integrations.services import siren_addresses as addresses
from integrations.services import siren_board as board
from integrations.services import siren_keeper as keeping
from integrations.services.siren_history import note_officer
from integrations.services.siren_holds import Hold
from integrations.signals import siren_silenced


class CannotSilence(Exception):
    """Nothing is known that the siren could be reached by; the message says what to do."""


def silence_by_hand(
    *,
    camera: Camera,
    user: AbstractBaseUser,
    request: HttpRequest | None = None,
    episode: Episode | None = None,
) -> str:
    """Ask by every way until it is confirmed; returns what came of it so far, in words.

    The siren of an episode that lasts stays silent; the next episode sounds it again. `episode` is
    the one on whose page the officer did it.

    Raises:
        CannotSilence: no address of the camera is known.
    """
    said: dict[str, Any] = {"sender": Camera, "camera": camera, "user": user, "request": request}
    said["episode"] = episode
    siren_silenced.send(**said, outcome="It is asked to be silent.")
    row = _call_off(camera, episode)
    note_officer(camera.pk, user.get_username())
    # On an episode's page its own siren is meant, and none that began to sound meanwhile.
    meant = {row.episode_id, board.whose(camera.pk)} if episode is None else {episode.pk}
    for episode_id in meant:
        if episode_id is not None:
            board.say_over(camera.pk, episode_id)  # to whichever process sounds it
    known = addresses.to_silence(row)
    if known is None:
        raise CannotSilence("no address is known: enter the camera's address or control address")
    hold = Hold.from_row(row, known)
    hold.end()
    keeping.KEEPER.begin(hold)
    try:
        silent = hold.silence()
    finally:
        keeping.KEEPER.look_after(hold)
    outcome = _in_words(hold, silent)
    siren_silenced.send_robust(**said, outcome=outcome)
    return outcome


def _call_off(camera: Camera, episode: Episode | None) -> Siren:
    """The row says that it may sound, so that the sweep goes on where this process dies."""
    now = timezone.now()
    fields: dict[str, Any] = {"wanted_until": now, "silent_at": None, "next_attempt_at": None}
    if episode is not None:  # whose siren was called off, and is not to be adopted as forgotten
        fields["episode_id"] = episode.pk
    Siren.objects.update_or_create(camera=camera, defaults=fields)
    return Siren.objects.select_related("camera").get(camera=camera)


def _in_words(hold: Hold, silent: bool) -> str:
    ways = ", ".join(f"“{name}”" for name in hold.silenced_by) or "no way"
    if silent:
        return f"It is silent, as confirmed by {ways}." + (
            f" Not by the others: {hold.unconfirmed}" if hold.unconfirmed else ""
        )
    return (
        f"Confirmed by {ways} so far; the camera is asked until it has confirmed that it is "
        f"silent: {hold.error}"
    )
