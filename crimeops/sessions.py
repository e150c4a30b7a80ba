"""Ends a session that is old or idle; a page that renews itself is nobody's act."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

BEGAN, ACTED = "began_at", "acted_at"
ACTED_IS_WRITTEN_EVERY_SECONDS = 60.0


def begin(request: HttpRequest) -> None:
    """From here on its age counts; called at the login."""
    request.session[BEGAN] = request.session[ACTED] = time.time()


class SessionLimits:
    """Stands behind the authentication middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._limit(request)
        return self._get_response(request)

    def _limit(self, request: HttpRequest) -> None:
        session, now = request.session, time.time()
        if BEGAN not in session or ACTED not in session:
            begin(request)
        began, acted = session[BEGAN], session[ACTED]
        environment = settings.ENVIRONMENT
        too_old = now - began > environment.session_hours * 3600
        too_idle = now - acted > environment.session_idle_minutes * 60
        if too_old or too_idle:
            logout(request)
        elif now - acted > ACTED_IS_WRITTEN_EVERY_SECONDS and not _renews_itself(request):
            session[ACTED] = now


def _renews_itself(request: HttpRequest) -> bool:
    """Our pages fetch their living parts and pictures by themselves, and browsers mark it."""
    by_script = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    return request.method == "GET" and (by_script or "HX-Request" in request.headers)
