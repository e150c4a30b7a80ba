"""The siren among the acts on an episode: off while it may sound, on again once it is silent."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from detection.models import Episode
from integrations.admin.episode_section import may_rearm, may_turn_off
from integrations.admin.episode_siren import MAY_SILENCE
from integrations.models import Siren


def siren_acts(request: HttpRequest, episode: Episode, siren: Siren | None) -> str:
    """The one button that makes sense now; empty where none does, or the officer may not."""
    if not request.user.has_perm(MAY_SILENCE):
        return ""
    turns_off = may_turn_off(episode, siren)
    if not turns_off and not may_rearm(episode, siren):
        return ""
    name = "integrations_siren_off" if turns_off else "integrations_siren_rearm"
    context = {
        "turns_off": turns_off,
        "may_sound": siren is not None and siren.silent_at is None,
        "url": reverse(f"admin:{name}", args=(episode.pk,)),
    }
    return render_to_string("admin/integrations/siren_acts.html", context, request)
