"""How a profile in force is shown, and the words by which it is changed."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from detection.admin.presentation import Tone, label
from detection.domain.schedules import Profile
from detection.services.arming import InForce

BY_SCHEDULE = "schedule"
# What the buttons and actions send, and the profile that each means.
PROFILES: dict[str, Profile | None] = {
    **{profile.value: profile for profile in Profile},
    BY_SCHEDULE: None,
}
TONES = {Profile.DAY: Tone.GOOD, Profile.NIGHT: Tone.ACTIVE, Profile.CLOSED: Tone.WARNING}


def profile_label(held: InForce) -> SafeString:
    """The profile, and why it holds."""
    tone = TONES[held.profile] if held.profile else Tone.NEUTRAL
    return format_html(
        '<span class="co-two-lines"><span>{}</span><small>{}</small></span>',
        label(held.text, tone),
        held.why,
    )


def said_of(profile: Profile | None) -> Any:
    """Lazily: the officer reads it in another language than the audit trail keeps it."""
    if profile is None:
        return _("Armed by schedule.")
    return format_lazy(_("Armed as {profile}, by hand."), profile=_(profile.value))
