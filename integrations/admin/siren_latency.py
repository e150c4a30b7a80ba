"""How long it took from the decision to the siren, in the last day."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.dashboard import Card, list_of
from detection.admin.presentation import Tone
from detection.models import Episode, seen_by
from integrations.models import Sounding

MOST = 2_000  # the newest of a day: more change no percentile that an operator acts on
SLOW_MS = 1_000.0


def siren_latency_card(request: HttpRequest) -> Card:
    """The median and the 95th percentile: half of the sirens, and nearly all, were as fast."""
    took = sorted(_milliseconds(request))
    link = list_of("integrations_siren")
    if not took:
        none = _("no siren sounded for an episode in the last day")
        return Card(_("Decision to siren"), "–", Tone.NEUTRAL, none, link)
    median, most = percentile(took, 50), percentile(took, 95)
    text = ngettext(
        "95%% within %(most)s; %(n)d siren in the last day",
        "95%% within %(most)s; %(n)d sirens in the last day",
        len(took),
    )
    remark = text % {"most": _spelled(most), "n": len(took)}
    tone = Tone.WARNING if most > SLOW_MS else Tone.GOOD
    return Card(_("Decision to siren"), _spelled(median), tone, remark, link)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least so many per cent do not exceed."""
    return ordered[max(1, ceil(len(ordered) * percent / 100)) - 1]


def _milliseconds(request: HttpRequest) -> list[float]:
    decided = Episode.objects.filter(pk=OuterRef("episode_id")).values("decided_at")[:1]
    since = timezone.now() - timedelta(days=1)
    heard = Sounding.objects.filter(asked_at__gt=since, answered_at__isnull=False)
    # One that an officer has had sound again says nothing of how fast the first time was.
    before = Sounding.objects.filter(
        episode_id=OuterRef("episode_id"), asked_at__lt=OuterRef("asked_at")
    )
    rows = (
        seen_by(request.user, heard.exclude(Exists(before)))
        .annotate(decided_at=Subquery(decided))
        .exclude(decided_at=None)
        .order_by("-asked_at")
        .values_list("decided_at", "answered_at")[:MOST]
    )
    return [(answered - decided).total_seconds() * 1000 for decided, answered in rows]


def _spelled(milliseconds: float) -> str:
    if milliseconds < 1000:
        return _("%(n)d ms") % {"n": round(milliseconds)}
    return _("%(n).1f s") % {"n": milliseconds / 1000}
