"""The sentences that the scripts of an episode's page say; a script has no text of its own."""

from django.utils import timezone
from django.utils.translation import gettext as _

from crimeops.translations import words_of
from detection.domain.crimes import CrimeType
from detection.models.choices import choices_of
from detection.services.setups import rule_types


def strings() -> dict[str, object]:
    """By the name under which the scripts ask for them; `{…}` are filled in there."""
    return {
        "zone": timezone.get_current_timezone_name(),
        "moment": _("{clock}, {second} s from the first suspicious frame"),
        "seconds": _("{second} s"),
        "meanwhile": _("Meanwhile: {said}."),
        "unreached": _("Not recorded: the server does not answer. Try again."),
        "names": _names(),
    }


def _names() -> dict[str, str]:
    """What the recording's words are called: its rules, crimes and objects."""
    rules = {rule.NAME: _(words_of(rule.NAME)) for rule in rule_types()}
    crimes = {value: _(name) for value, name in choices_of(CrimeType)}
    return {**rules, **crimes, "person": _("person")}


def keys() -> list[tuple[tuple[str, ...], str]]:
    """All keys of the page, as `?` shows them."""
    return [
        (("j", "→"), _("Next episode")),
        (("k", "←"), _("Previous episode")),
        (("r",), _("Next episode to review")),
        (("q",), _("Back to the queue")),
        ((_("Space"),), _("Play or pause")),
        ((",", "."), _("One frame back, one frame on")),
        (("p",), _("Loop the peak")),
        (("f",), _("Full screen")),
        (("b", "l", "z"), _("Boxes, labels, zones")),
        (("+", "-", "0"), _("Show less time, more time, all of it")),
        (("c",), _("Confirm")),
        (("d", "1 – 6"), _("Dismiss, and why")),
        (("e",), _("Escalate")),
        (("h",), _("Hold")),
        (("n",), _("Note")),
        (("u",), _("Undo")),
        (("s",), _("Siren off, or on again")),
        (("x",), _("Take the bundle of evidence")),
        (("?",), _("These keys")),
    ]
