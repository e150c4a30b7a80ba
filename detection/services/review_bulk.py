"""Many episodes dismissed by one act, but for those that go on or that somebody has decided.

A dismissal silences the siren of an episode that goes on; that is decided one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from detection.models import (
    AuditRecord,
    DismissReason,
    Episode,
    ReviewAct,
    ReviewStep,
    Verdict,
    seen_by,
)
from detection.services.review_steps import Actor, prepare_record, prepare_step
from detection.services.reviews import verdict_fields

# More than this at once locks rows for longer than watchers should wait.
MOST_AT_ONCE = 500


class Why(StrEnum):
    """Why an episode was left as it was."""

    DECIDED = "decided"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Left:
    """An episode that was not dismissed."""

    episode: Episode
    why: Why

    @property
    def text(self) -> str:
        if self.why is Why.OPEN:
            return _("it still goes on")
        verdict = self.episode.get_verdict_display().lower()
        who = self.episode.reviewed_by or _("a former user")
        return _("%(who)s has set it to %(verdict)s") % {"who": who, "verdict": verdict}


@dataclass(frozen=True, slots=True)
class Bulk:
    """What came of it: `steps` undo it all (`undo_steps`)."""

    steps: list[ReviewStep]
    left: list[Left]


@transaction.atomic
def dismiss_episodes(*, episode_ids: Iterable[UUID], reason: str, by: Actor) -> Bulk:
    """Dismiss the episodes among these that the officer may see and nobody has decided.

    Raises:
        ValueError: no reason that there is, or too many episodes.
    """
    ids = set(episode_ids)
    if reason not in DismissReason.values:
        raise ValueError(_("choose a reason for dismissing the episodes"))
    if len(ids) > MOST_AT_ONCE:
        raise ValueError(_("dismiss %(most)d at once at most") % {"most": MOST_AT_ONCE})
    rows = seen_by(by.user, Episode.objects.filter(pk__in=ids)).order_by("pk")
    locked = rows.select_related("camera", "reviewed_by").select_for_update(of=("self",))
    free, left = [], []
    for episode in locked.defer("confidence_timeline"):
        if why := _why_not(episode):
            left.append(Left(episode, why))
        else:
            free.append(episode)
    return Bulk(_dismiss(free, reason, by), left)


def _why_not(episode: Episode) -> Why | None:
    if episode.verdict != Verdict.UNREVIEWED:
        return Why.DECIDED
    return Why.OPEN if episode.is_open else None


def _dismiss(episodes: list[Episode], reason: str, by: Actor) -> list[ReviewStep]:
    fields = verdict_fields(Verdict.DISMISSED, reason, by)
    steps = [prepare_step(one, ReviewAct.DISMISSED, by, fields) for one in episodes]
    Episode.objects.filter(pk__in=[one.pk for one in episodes]).update(**fields)
    ReviewStep.objects.bulk_create(steps)
    AuditRecord.objects.bulk_create([prepare_record(step, by) for step in steps])
    return steps
