"""An operator's test: support for a siren cannot be found out without sounding it.

The row is written before the camera is asked, unlike in an alarm: where this process dies between
on and off, the sweep silences.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import Error as DatabaseFault
from django.http import HttpRequest
from django.utils import timezone

from detection.models import Camera
from integrations.models import Siren
from integrations.services import siren_addresses as addresses
from integrations.services import siren_keeper as keeping
from integrations.services.siren_books import HELD_SECONDS, write_hold
from integrations.services.siren_holds import Hold
from integrations.signals import siren_tested

logger = logging.getLogger(__name__)

TRIAL_SECONDS = 2.5


class CannotTest(Exception):
    """The siren was not asked to sound; the message says why."""


def try_siren(*, camera: Camera, user: AbstractBaseUser, request: HttpRequest | None = None) -> str:
    """Sound a siren for a moment; returns what came of it, in words.

    It is recorded first: what cannot be recorded does not happen.

    Raises:
        CannotTest: it sounds already, or nothing is known that it could be reached by.
    """
    said = {"sender": Camera, "camera": camera, "user": user, "request": request}
    siren_tested.send(**said, outcome="It is asked to sound for a moment.")
    hold = _take(camera)
    keeping.KEEPER.begin(hold)
    try:
        outcome = _sound_for_a_moment(hold)
    except Exception:
        hold.end()
        keeping.KEEPER.look_after(hold)
        raise
    siren_tested.send_robust(**said, outcome=outcome)
    return outcome


def _sound_for_a_moment(hold: Hold) -> str:
    sounded = hold.sound()
    if sounded:
        hold.pause(TRIAL_SECONDS)
    try:
        write_hold(hold, attended=True)  # an alarm that came in between has superseded the test
    except DatabaseFault:
        logger.exception("camera %s: the test of its siren cannot be written", hold.camera_id)
    if hold.superseded:
        return "An alarm came in between and has the siren now."
    hold.end()
    outcome = _in_words(hold, sounded, hold.silence())
    keeping.KEEPER.look_after(hold)
    return outcome


def _take(camera: Camera) -> Hold:
    if not settings.ENVIRONMENT.siren_enabled:
        raise CannotTest("sirens are switched off: set SIREN_ENABLED")
    known = addresses.look_up(camera.pk)
    if known is None:
        raise CannotTest("no address is known: enter the camera's address or control address")
    now = timezone.now()
    until = now + timedelta(seconds=TRIAL_SECONDS)
    Siren.objects.get_or_create(camera=camera, defaults={"silent_at": now})
    taken = Siren.objects.filter(camera=camera, silent_at__isnull=False).update(
        episode_id=None,
        rung_at=now,
        wanted_until=until,
        sounded_at=None,
        silent_at=None,
        sounded_by=[],
        attempts=0,
        next_attempt_at=None,
        held_until=until + timedelta(seconds=HELD_SECONDS),
    )
    if not taken:
        raise CannotTest("it sounds already, or is being tested")
    return Hold(known, None, now, until)


def _in_words(hold: Hold, sounded: bool, silent: bool) -> str:
    if not sounded:
        return f"It did not sound: {hold.error}"
    if not silent:
        return (
            f"It sounded by way of “{hold.way}”, but the camera has not confirmed that it "
            f"is silent, and is asked until it does: {hold.error}"
        )
    return f"It sounded by way of “{hold.way}” and is silent again."
