"""What telling adds to the course of an episode: when its siren sounded and its reports arrived."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from detection.admin.episode_additions import Mark, Stage
from detection.admin.presentation import Tone
from detection.models import Episode, EpisodeEvent, EpisodeEventKind
from integrations.models import Delivery, DeliveryKind, Sounding

EVENTS = {
    DeliveryKind.CRIME: (EpisodeEventKind.CONFIRMED,),
    DeliveryKind.STOP: (EpisodeEventKind.CLEARED, EpisodeEventKind.LOST),
}


def marks_of(soundings: Iterable[Sounding], reports: Iterable[Delivery]) -> list[Mark]:
    """Each sounding on and off, and the first report of each kind that each back end took."""
    marks: list[Mark] = []
    for sounding in soundings:
        if sounding.answered_at is not None:
            marks.append(Mark("siren-on", _("Siren on"), sounding.answered_at, Tone.BAD))
            if sounding.silenced_at is not None:
                marks.append(Mark("siren-off", siren_off(sounding), sounding.silenced_at))
    for report in _first_of_each(reports):
        if report.delivered_at is not None:
            label = _delivered(report)
            marks.append(Mark(f"{report.kind}-delivered", label, report.delivered_at, Tone.GOOD))
    return marks


def siren_off(sounding: Sounding) -> str:
    """That it went off, what ended it, and who."""
    if not sounding.silenced_by:
        return _("Siren off")
    ended_by = str(sounding.get_silenced_by_display())
    if not sounding.officer:
        return _("Siren off: %(ended_by)s") % {"ended_by": ended_by}
    said = _("Siren off: %(ended_by)s, %(officer)s")
    return said % {"ended_by": ended_by, "officer": sounding.officer}


def stages_of(
    episode: Episode, soundings: Iterable[Sounding], reports: Iterable[Delivery]
) -> list[Stage]:
    """Siren and alert since the decision; crime and stop since the decision on their own frame."""
    heard = [one.answered_at for one in soundings if one.answered_at is not None]
    decided = episode.decided_at
    stages = [Stage("siren", _("Siren sounded"), min(heard, default=None), decided)]
    for report in _first_of_each(reports):
        since = decided if report.kind == DeliveryKind.ALERT else _decided_at(episode, report)
        stages.append(Stage(report.kind, _delivered(report), report.delivered_at, since))
    return stages


def _first_of_each(reports: Iterable[Delivery]) -> list[Delivery]:
    """Of each kind and back end the first that arrived, else the first that was not superseded.

    An alert is told again with each new confidence, and a newer one takes the place of an older.
    """
    first: dict[tuple[str, str], Delivery] = {}
    for report in sorted(reports, key=lambda one: (one.delivered_at is None, one.sequence)):
        first.setdefault((report.kind, report.reporter), report)
    order = list(DeliveryKind)
    return sorted(first.values(), key=lambda one: order.index(DeliveryKind(one.kind)))


def _delivered(report: Delivery) -> str:
    """Which kind of report arrived."""
    match DeliveryKind(report.kind):
        case DeliveryKind.CRIME:
            return _("Crime delivered")
        case DeliveryKind.STOP:
            return _("Stop delivered")
    return _("Alert delivered")


def _decided_at(episode: Episode, report: Delivery) -> datetime:
    """When its frame was decided on; the report is written right then."""
    event = next((one for one in episode.events.all() if _is_behind(one, report)), None)
    seconds = event.stages.get("decided") if event else None
    if not seconds:
        return report.created_at
    return datetime.fromtimestamp(seconds, report.created_at.tzinfo)


def _is_behind(event: EpisodeEvent, report: Delivery) -> bool:
    """Whether a report tells of this event; each type of crime is confirmed once."""
    if event.kind not in EVENTS[DeliveryKind(report.kind)]:
        return False
    crime = report.payload.get("crime_type")
    return crime is None or crime == event.crime_type
