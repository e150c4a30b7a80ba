"""What a siren is known to do, in a word."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detection.admin.presentation import Tone, label
from integrations.models import Siren


@dataclass(frozen=True, slots=True)
class SirenState:
    """`key` names it for scripts and style sheets."""

    key: str
    word: str
    tone: Tone
    title: str = ""


def state_of(siren: Siren, at: datetime) -> SirenState:
    """`silent_at` is empty until the camera has confirmed that it is quiet."""
    if siren.silent_at is not None:
        return SirenState("silent", _("Silent"), Tone.GOOD)
    if siren.wanted_until is None or siren.wanted_until <= at:
        title = _("asked to be quiet; the camera has not said so")
        return SirenState("unconfirmed", _("Not confirmed silent"), Tone.BAD, title)
    if siren.sounded_at is None:
        title = _("the camera has not said so yet")
        return SirenState("asked", _("Asked to sound"), Tone.WARNING, title)
    return SirenState("sounding", _("Sounding"), Tone.BAD)


def siren_label(siren: Siren, at: datetime) -> SafeString:
    state = state_of(siren, at)
    return label(state.word, state.tone, state.title)
