"""Notes of officers: added one after another, never written over; `Episode.note` is all of them.

Each is a step of the review. One that was taken back is gone from `Episode.note`, and stays
readable in the history.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from detection.models import Episode, ReviewAct, ReviewStep
from detection.services.review_steps import Actor, steps_of, write_step

LONGEST = 2000
# The same words again within this time are a button that was pressed twice.
TWICE = timedelta(minutes=1)


def add_note(episode: Episode, text: str, by: Actor) -> ReviewStep:
    """Write a note on an episode that is locked. Raises ValueError where it says nothing."""
    text = text.strip()[:LONGEST]
    if not text:
        raise ValueError(_("write what the next officer should know"))
    newest = steps_of(episode, ReviewAct.NOTED).first()
    if newest is not None and _is_twice(newest, text, by):
        return newest
    step = write_step(episode, ReviewAct.NOTED, by, {}, note=text)
    gather_notes(episode)
    return step


def _is_twice(newest: ReviewStep, text: str, by: Actor) -> bool:
    said = (newest.user_id, newest.after.get("note"))
    return said == (by.user.pk, text) and timezone.now() - newest.at < TWICE


def gather_notes(episode: Episode) -> None:
    """Have the episode say what its notes say, the oldest first."""
    notes = steps_of(episode, ReviewAct.NOTED).order_by("pk").values_list("after", flat=True)
    episode.note = "\n".join(note["note"] for note in notes)
    episode.save(update_fields=["note"])
