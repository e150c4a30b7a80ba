"""Each request is answered in the language and the time zone of who asks."""

from collections.abc import Callable
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from detection.services.preferences import Reading, reading_of, zone_called

# Set by static/detection/desk/time_zone.js from what the browser says.
ZONE_COOKIE = "crimeops_zone"


class LanguageAndZone:
    """Stands behind the authentication: the user's choice, else the browser's, else the site's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reading = reading_of(request)
        language = _language(request, reading)
        zone = zone_called(reading.time_zone) or browser_zone(request)
        request.LANGUAGE_CODE = language  # as Django's own middleware does
        with translation.override(language), timezone.override(zone):
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        if not reading.language:
            patch_vary_headers(response, ("Accept-Language",))
        return response


def browser_zone(request: HttpRequest) -> ZoneInfo | None:
    """The time zone that the browser has told; None where it told none that there is."""
    return zone_called(unquote(request.COOKIES.get(ZONE_COOKIE, "")))


def _language(request: HttpRequest, reading: Reading) -> str:
    if translation.check_for_language(reading.language):
        return reading.language
    return translation.get_language_from_request(request)
