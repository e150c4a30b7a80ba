"""The history of sirens: a row for each sounding, written after the siren's own row.

The camera is asked first, the siren's row is what the sweep lives by, and only then comes this: it
may fail without a siren being late or left on.
"""

import logging

from django.db import Error as DatabaseFault
from django.db import transaction

from detection.models import OPEN_STATUSES, Episode, Verdict
from integrations.models import SilencedBy, Sounding
from integrations.services.siren_holds import Hold

logger = logging.getLogger(__name__)


def write_sounding(hold: Hold) -> None:
    """Write what is known of the sounding that a hold answers for. Raises django.db.Error.

    A process that goes on where another left off goes on with its row.
    """
    version = hold.version
    if hold.superseded or version == hold.told_version:
        return  # the episode that has the siren now says so; or there is nothing new
    going_on = Sounding.objects.filter(camera_id=hold.camera_id, silenced_at=None)
    mine = Sounding.objects.filter(pk=hold.sounding_id).first() if hold.sounding_id else None
    mine = mine or going_on.filter(episode_id=hold.episode_id).last()
    if mine is None:
        if not hold.was_asked_to_sound:
            return
        going_on.update(silenced_at=hold.rung_at, silenced_by=SilencedBy.ANOTHER)
        mine = Sounding(camera_id=hold.camera_id, episode_id=hold.episode_id, asked_at=hold.rung_at)
    _fill(mine, hold)
    mine.save()
    hold.sounding_id, hold.told_version = mine.pk, version


def _fill(sounding: Sounding, hold: Hold) -> None:
    sounding.answered_at = sounding.answered_at or hold.first_sounded_at
    sounding.method = hold.way or sounding.method
    if hold.error or sounding.answered_at:
        sounding.error = hold.error[:300]  # why it never sounded is still to be read afterwards
    if hold.silent_at is None:
        sounding.silenced_at = None
    elif sounding.silenced_at is None:
        sounding.silenced_at = hold.silent_at
        if not sounding.silenced_by:
            sounding.silenced_by, sounding.officer = _what_ended(hold)


def _what_ended(hold: Hold) -> tuple[str, str]:
    """What ended it, and which officer."""
    if hold.episode_id is None:
        return SilencedBy.TEST, ""
    if hold.ran_its_time:
        return SilencedBy.TIME, ""
    rows = Episode.objects.filter(pk=hold.episode_id)
    episode = rows.values("status", "verdict", "reviewed_by__username").first()
    if episode is None:
        return "", ""
    if episode["verdict"] == Verdict.DISMISSED:
        return SilencedBy.DISMISSAL, episode["reviewed_by__username"] or ""
    if episode["status"] not in OPEN_STATUSES:
        return SilencedBy.EPISODE, ""
    return "", ""


def note_officer(camera_id: int, username: str) -> None:
    """An officer ends what sounds at a camera: whoever writes its silence finds the name here."""
    try:
        with transaction.atomic():
            Sounding.objects.filter(camera_id=camera_id, silenced_at=None).update(
                silenced_by=SilencedBy.OFFICER, officer=username
            )
    except DatabaseFault:  # the siren is silenced all the same
        logger.exception("camera %s: who silenced its siren is not noted", camera_id)
