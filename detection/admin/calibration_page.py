"""What is said of one suggested threshold: in the list as in a word, on its page in full."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.safestring import SafeString

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
        "title": f"{kind_of(suggestion)} at {suggestion.camera.name}",
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
        return label("Undone", Tone.NEUTRAL)
    if suggestion.applied_at:
        return label("Applied", Tone.GOOD)
    if suggestion.suggested is None:
        return label("Too few verdicts", Tone.NEUTRAL, suggestion.note)
    if suggestion.is_change:
        return label("Suggested", Tone.ACTIVE)
    return label("Keep", Tone.NEUTRAL)


def facts_of(suggestion: ThresholdSuggestion) -> list[tuple[str, str]]:
    """What the suggestion rests on and what it would have changed."""
    effect = suggestion.effect
    whose = "all cameras" if suggestion.is_pooled else "this camera"
    facts = [
        ("Camera", link("detection_camera", suggestion.camera_id, suggestion.camera.name)),
        ("State", state_label(suggestion)),
        ("In force now", f"{threshold_in_force(suggestion):g} %"),
        ("Dismissed gone", f"{effect['dismissed_gone']} of {effect['dismissed']} here"),
        (
            "Confirmed lost",
            f"{len(effect['confirmed_lost'])} of {effect['confirmed']} here",
        ),
        (
            "False alarms",
            f"{effect['per_day_today']:.1f} → {effect['per_day_then']:.1f} a day, by {whose}",
        ),
        ("Budget", f"{suggestion.budget:g} a day, of all suspicions together"),
        (
            "Verdicts",
            f"{suggestion.confirmed} confirmed, {suggestion.dismissed} dismissed at {whose}",
        ),
        ("Days watched", f"{suggestion.days_watched:.1f}"),
        ("Waiting for a verdict", str(suggestion.unreviewed)),
        ("Calculated", moment(suggestion.made_at)),
    ]
    if suggestion.applied_at:
        facts.append(("Applied", moment(suggestion.applied_at)))
        facts.append(("Applied by", str(suggestion.applied_by or "a former user")))
    if suggestion.undone_at:
        facts.append(("Undone", moment(suggestion.undone_at)))
    return facts


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
