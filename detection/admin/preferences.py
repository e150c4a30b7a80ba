"""The page on which a user chooses language and time zone."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_language_from_request, gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import signed_in
from detection.admin.language_and_zone import browser_zone
from detection.services.preferences import (
    Reading,
    choose,
    reading_of,
    zone_called,
    zones_by_region,
)

INPUT = {"class": "co-input"}


class PreferencesForm(forms.Form):
    """Empty is what the browser says."""

    language = forms.ChoiceField(label=_("Language"), required=False, widget=forms.Select(INPUT))
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, widget=forms.Select(INPUT))

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        reading = reading_of(request)
        initial = {"language": reading.language, "time_zone": reading.time_zone}
        super().__init__(data, initial=initial, label_suffix="")
        language, zone = self.fields["language"], self.fields["time_zone"]
        assert isinstance(language, forms.ChoiceField) and isinstance(zone, forms.ChoiceField)
        language.choices = [("", _as_browser(_browser_language(request))), *settings.LANGUAGES]
        zone.choices = [("", _as_browser(_browser_zone_name(request))), *_zones()]

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name and zone_called(name) is None:
            raise forms.ValidationError(gettext("This site does not know that time zone."))
        return name


def preferences_page(request: HttpRequest) -> HttpResponse:
    """Everybody chooses for himself: no permission is needed."""
    form = PreferencesForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        reading = Reading(**form.cleaned_data)
        choose(user=signed_in(request), reading=reading, request=request)
        language = reading.language or get_language_from_request(request)
        with translation.override(language):
            messages.success(request, gettext("Saved. All pages are as you want them from now on."))
        return redirect("admin:preferences")
    context = {
        **admin.site.each_context(request),
        "title": _("Language and time zone"),
        "form": form,
        "now": timezone.now(),
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "admin/detection/preferences.html", context)


def _as_browser(what: str) -> str:
    return gettext("As the browser says (%(what)s)") % {"what": what}


def _browser_language(request: HttpRequest) -> str:
    return dict(settings.LANGUAGES)[get_language_from_request(request)]


def _browser_zone_name(request: HttpRequest) -> str:
    zone = browser_zone(request)
    return zone.key if zone else settings.TIME_ZONE


def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (region, [(name, name.replace("_", " ")) for name in names])
        for region, names in zones_by_region().items()
    ]
