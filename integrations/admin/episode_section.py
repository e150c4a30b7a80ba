"""The section of telling on an episode's page: the siren with its history, and what was told."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.admin.presentation import elapsed, moment, page_of, plain, pretty_json
from detection.models import Episode, Verdict
from integrations.admin.deliveries import MAY_RESEND, status_label
from integrations.admin.episode_course import siren_off
from integrations.admin.episode_siren import MAY_SILENCE
from integrations.admin.siren_states import siren_label
from integrations.models import Delivery, Siren, Sounding


def section_of(
    request: HttpRequest,
    episode: Episode,
    deliveries: Sequence[Delivery],
    soundings: Sequence[Sounding],
) -> str:
    now, siren = timezone.now(), siren_of(episode)
    may_silence = request.user.has_perm(MAY_SILENCE)
    return render_to_string(
        "admin/integrations/episode_section.html",
        {
            "episode": episode,
            "rows": [_row(delivery) for delivery in deliveries],
            "may_resend": request.user.has_perm(MAY_RESEND),
            "siren": siren,
            "siren_state": siren_label(siren, now) if siren else "",
            "siren_page": page_of("integrations_siren", siren.pk) if siren else "",
            "siren_error": plain(siren.last_error) if siren and siren.last_error else "",
            "soundings": [_sounding(one, siren, now) for one in soundings],
            "may_turn_off": may_silence and may_turn_off(episode, siren),
            "may_rearm": may_silence and may_rearm(episode, siren),
        },
        request,
    )


def siren_of(episode: Episode) -> Siren | None:
    """The camera's siren, where this is the episode it was last asked to sound for."""
    siren: Siren | None = getattr(episode.camera, "siren", None)
    return siren if siren and siren.episode_id == episode.pk else None


def may_turn_off(episode: Episode, siren: Siren | None) -> bool:
    """Also before it is known to sound; afterwards until it is known to be silent."""
    return siren.silent_at is None if siren else episode.is_open


def may_rearm(episode: Episode, siren: Siren | None) -> bool:
    dismissed = episode.verdict == Verdict.DISMISSED
    is_silent = siren is not None and siren.silent_at is not None
    return is_silent and episode.is_open and not dismissed


def _row(delivery: Delivery) -> dict[str, object]:
    attempts = ngettext("%(count)d attempt", "%(count)d attempts", delivery.attempts)
    return {
        "delivery": delivery,
        "page": page_of("integrations_delivery", delivery.pk),
        "status": status_label(delivery),
        "attempts": attempts % {"count": delivery.attempts},
        "written": moment(delivery.created_at),
        "delivered": moment(delivery.delivered_at),
        "error": plain(delivery.last_error) if delivery.last_error else "",
        "payload": pretty_json(delivery.payload),
        "answer": pretty_json(delivery.answer) if delivery.answer is not None else "",
    }


def _sounding(sounding: Sounding, siren: Siren | None, now: datetime) -> dict[str, object]:
    """When it was asked for, how long until it was heard, how it ended and why."""
    heard = sounding.answered_at
    if heard is None:
        came = _("the camera did not say that it sounds")
    else:
        came = _("on after %(took)d ms by way of “%(way)s”") % {
            "took": (heard - sounding.asked_at).total_seconds() * 1000,
            "way": sounding.method,
        }
    lasted = ""
    if heard is not None:
        lasted = elapsed((sounding.silenced_at or now) - heard)
    return {
        "asked": moment(sounding.asked_at),
        "came": came,
        "lasted": lasted,
        "ended": siren_off(sounding) if sounding.silenced_at else _still_on(siren, now),
        "error": plain(sounding.error) if sounding.error else "",
    }


def _still_on(siren: Siren | None, now: datetime) -> str:
    wanted = siren is not None and siren.wanted_until is not None and siren.wanted_until > now
    return _("still on") if wanted else _("not known to be silent")
