"""What an officer asks of the queue: which episodes, and in which order.

An address may be typed, old or made up: what is not understood is left out and said, and is never
an error.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final

from django import forms
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet, TextChoices
from django.utils.text import capfirst
from django.utils.timezone import make_aware
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.queue_search import matching
from detection.models import OPEN_STATUSES, Camera, Episode, EpisodeStatus, Verdict, seen_by

Viewer = AbstractBaseUser | AnonymousUser


class Order(TextChoices):
    URGENT = "urgent", _("Most urgent first")
    NEWEST = "newest", _("Newest first")
    OLDEST = "oldest", _("Oldest first")
    SUREST = "surest", _("Most certain first")


# By the alphabet, unreviewed comes last of the verdicts. Each order is total: no page repeats one.
ORDERS: Final[dict[str, tuple[str, ...]]] = {
    Order.URGENT: ("-verdict", "-severity", "-started_at", "-pk"),
    Order.NEWEST: ("-started_at", "-pk"),
    Order.OLDEST: ("started_at", "pk"),
    Order.SUREST: ("-confidence", "-started_at", "-pk"),
}


class DateInput(forms.DateInput):
    """The browser's own calendar; it takes and gives ISO dates whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


# What else stands in the addresses of the queue, its news and its figures.
BESIDE: Final = {"p", "view", "e", "read_at", "known", "shown"}
# At the ends of the calendar no day has a midnight in every time zone, nor a day after it.
DAYS: Final = (MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(9998, 12, 31)))


def _types() -> list[tuple[str, str]]:
    """In the language of the reader, which is not known before somebody asks."""
    return [
        (key, capfirst(name)) for key, name in Episode._meta.get_field("crime_type").flatchoices
    ]


def _any(choices: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [("", _("Any")), *choices]


class QueueFilter(forms.Form):
    """The fields of the page's filter; `rows` are the episodes that it lets through.

    Raises:
        DisallowedModelAdminLookup: the address names what is not shown; answered with status 400.
    """

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    verdict = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=_any(list(Verdict.choices))
    )
    course = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=_any([("open", _("Open")), ("over", _("Over"))]),
    )
    status = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=_any(list(EpisodeStatus.choices))
    )
    crime_type = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=lambda: _any(_types()),
    )
    camera = forms.TypedChoiceField(label=_("Camera"), required=False, coerce=int, empty_value=None)
    station = forms.TypedChoiceField(
        label=_("Station"), required=False, coerce=int, empty_value=None
    )
    since = forms.DateField(label=_("From"), required=False, widget=DateInput, validators=DAYS)
    until = forms.DateField(label=_("Until"), required=False, widget=DateInput, validators=DAYS)
    escalated = forms.BooleanField(label=_("Escalated"), required=False)
    held = forms.BooleanField(label=_("On hold"), required=False)
    order = forms.ChoiceField(label=_("Order"), required=False, choices=Order.choices)

    def __init__(self, asked: Mapping[str, Any], viewer: Viewer) -> None:
        # Addresses of before, as `verdict__exact=unreviewed`, are in bookmarks and links.
        said = {name.removesuffix("__exact"): asked[name] for name in asked}
        if unknown := said.keys() - self.base_fields.keys() - BESIDE:
            raise DisallowedModelAdminLookup(f"cannot be asked of episodes: {sorted(unknown)}")
        super().__init__(said, auto_id="queue-%s")
        self._viewer = viewer
        for name, choices in self._places().items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = _any(choices)
        for field in self.fields.values():
            field.widget.attrs["class"] = "co-input"
        self.is_valid()
        self.errors_by_name = dict(self.errors)

    @cached_property
    def cameras(self) -> list[tuple[int, str, int | None]]:
        """Key, name and station of each that this user may see; removed ones had episodes."""
        rows = seen_by(self._viewer, Camera.objects.all())
        return list(rows.values_list("pk", "name", "station_id"))

    def _places(self) -> dict[str, list[tuple[str, str]]]:
        stations = sorted({station for *_, station in self.cameras if station is not None})
        return {
            "camera": [(str(pk), name) for pk, name, _ in self.cameras],
            "station": [(str(number), str(number)) for number in stations],
        }

    # --- what it asks ---------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """What is asked of a field; empty where nothing is or it was not understood."""
        return self.cleaned_data.get(name) or ""

    @property
    def chosen_order(self) -> str:
        return str(self.value("order") or Order.URGENT)

    @property
    def asked(self) -> dict[str, str]:
        """What is asked, the order aside, as an address says it."""
        found = {name: self.value(name) for name in self.fields if name != "order"}
        return {name: _as_text(value) for name, value in found.items() if value}

    def rows(self, episodes: QuerySet[Episode]) -> QuerySet[Episode]:
        """Those of the episodes that are asked for, in the order that is asked for."""
        return episodes.filter(self._condition()).order_by(*ORDERS[self.chosen_order])

    @property
    def is_search(self) -> bool:
        """Whether every row must be read to know which are asked for."""
        return bool(self.value("q"))

    def _condition(self) -> Q:
        fields = ("status", "verdict", "crime_type")
        found = Q(**{name: self.value(name) for name in fields if self.value(name)})
        if course := self.value("course"):
            is_open = Q(status__in=OPEN_STATUSES)
            found &= is_open if course == "open" else ~is_open
        for name in ("escalated", "held"):
            if self.value(name):
                found &= Q(**{f"{name}_at__isnull": False})
        return found & self._where() & self._when() & self._said()

    def _where(self) -> Q:
        found = Q(camera=self.value("camera")) if self.value("camera") else Q()
        if station := self.value("station"):
            keys = [pk for pk, _, number in self.cameras if number == station]
            found &= Q(camera__in=keys)
        return found

    def _when(self) -> Q:
        found = Q()
        if since := self.value("since"):
            found &= Q(started_at__gte=_midnight(since))
        if until := self.value("until"):
            found &= Q(started_at__lt=_midnight(until + timedelta(days=1)))
        return found

    def _said(self) -> Q:
        names = {pk: name for pk, name, _ in self.cameras}
        return matching(self.value("q"), names)

    def complaints(self) -> list[str]:
        """What of the address was left out, for the officer to read."""
        said = gettext("%(filter)s: not understood and left out.")
        return [said % {"filter": self.fields[name].label} for name in self.errors_by_name]


def _midnight(day: date) -> datetime:
    """When a day begins in the reader's time zone."""
    return make_aware(datetime.combine(day, time()))


def _as_text(value: Any) -> str:
    if value is True:
        return "1"
    return value.isoformat() if isinstance(value, date) else str(value)
