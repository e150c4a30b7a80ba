"""What is said of one suggested threshold: in the list as in a word, on its page in full."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.calibration_chart import calibration_chart
from detection.admin.presentation import Tone, label, link, moment, plain
from detection.models import Episode, ThresholdSuggestion, seen_by
from detection.services.suggestions import threshold_in_force

LOST_SHOWN = 100


def page_context(
    suggestion: ThresholdSuggestion, viewer: AbstractBaseUser | AnonymousUser
) -> dict[str, Any]:
    """All that the page's template needs to know of the suggestion."""
    return {
        "title": f"{kind_of(suggestion)}: {suggestion.camera.name}",
        "subtitle": "",
        "suggestion": suggestion,
        "chart": calibration_chart(suggestion),
        "facts": facts_of(suggestion),
        "lost": _lost(suggestion, viewer),
    }


def kind_of(suggestion: ThresholdSuggestion) -> str:
    return suggestion.get_crime_type_display().capitalize()


def state_label(suggestion: ThresholdSuggestion) -> SafeString:
    """Applied, undone, or what is to be done with it."""
    if suggestion.undone_at:
        return label(_("Undone"), Tone.NEUTRAL)
    if suggestion.applied_at:
        return label(_("Applied"), Tone.GOOD)
    if suggestion.suggested is None:
        return label(_("Too few verdicts"), Tone.NEUTRAL, suggestion.note)
    if suggestion.is_change:
        return label(_("Suggested"), Tone.ACTIVE)
    return label(_("Keep"), Tone.NEUTRAL)


def facts_of(suggestion: ThresholdSuggestion) -> list[tuple[Any, str]]:
    """What the suggestion rests on and what it would have changed."""
    effect = suggestion.effect
    whose = gettext("all cameras") if suggestion.is_pooled else gettext("this camera")
    facts: list[tuple[Any, str]] = [
        (_("Camera"), link("detection_camera", suggestion.camera_id, suggestion.camera.name)),
        (_("State"), state_label(suggestion)),
        (_("In force now"), f"{threshold_in_force(suggestion):g} %"),
        (_("Dismissed gone"), _here(effect["dismissed_gone"], effect["dismissed"])),
        (
            _("Confirmed lost"),
            _here(len(effect["confirmed_lost"]), effect["confirmed"]),
        ),
        (
            _("False alarms"),
            gettext("%(today).1f → %(then).1f a day, by %(whose)s")
            % {"today": effect["per_day_today"], "then": effect["per_day_then"], "whose": whose},
        ),
        (
            _("Budget"),
            gettext("%(budget)s a day, of all suspicions together")
            % {"budget": f"{suggestion.budget:g}"},
        ),
        (
            _("Verdicts"),
            gettext("%(confirmed)d confirmed, %(dismissed)d dismissed at %(whose)s")
            % {
                "confirmed": suggestion.confirmed,
                "dismissed": suggestion.dismissed,
                "whose": whose,
            },
        ),
        (_("Days watched"), f"{suggestion.days_watched:.1f}"),
        (_("Waiting for a verdict"), str(suggestion.unreviewed)),
        (_("Calculated"), moment(suggestion.made_at)),
    ]
    if suggestion.applied_at:
        facts.append((_("Applied"), moment(suggestion.applied_at)))
        facts.append((_("Applied by"), str(suggestion.applied_by or gettext("a former user"))))
    if suggestion.undone_at:
        facts.append((_("Undone"), moment(suggestion.undone_at)))
    return facts


def _here(count: int, of_all: int) -> str:
    return gettext("%(count)d of %(all)d here") % {"count": count, "all": of_all}


def _lost(
    suggestion: ThresholdSuggestion, viewer: AbstractBaseUser | AnonymousUser
) -> list[tuple[str, str, str]]:
    ids = suggestion.effect["confirmed_lost"][:LOST_SHOWN]
    episodes = seen_by(viewer, Episode.objects.filter(pk__in=ids)).order_by("started_at")
    return [
        (
            link("detection_episode", pk, f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"),
            f"{peak:.0f} %",
            plain(reason),
        )
        for pk, at, peak, reason in episodes.values_list("pk", "started_at", "confidence", "reason")
    ]
