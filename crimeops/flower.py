"""Flower behind the admin's login: every page of it comes through here.

Flower itself listens on loopback behind a password of its own, which is added here and reaches no
browser. Whoever may watch jobs sees its pages; whoever may steer them may also press its buttons.
https://flower.readthedocs.io/en/latest/reverse-proxy.html
"""

import base64
import hashlib
import re
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import requests
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from crimeops.headers import CONTENT_SECURITY_POLICY

PREFIX = "flower"
CONNECT_SECONDS, READ_SECONDS = 2.0, 20.0
LARGEST_BODY = 100_000
READING = {"GET", "HEAD"}
TAKEN_ALONG = ("Content-Type", "Cache-Control", "Etag", "Last-Modified")
# The one script that stands in a page of Flower (workers.html), and nothing that looks otherwise.
OWN_SCRIPT = re.compile(
    rb"<script type=\"text/javascript\">(\s*var autorefresh = \w+;\s*)</script>"
)


class FlowerAway(Exception):
    """Flower does not answer, or does not let us in; the text says what to do."""


def is_set_up() -> bool:
    return bool(settings.ENVIRONMENT.flower_basic_auth)


def forward(request: HttpRequest) -> HttpResponse:
    """Flower's answer to the request. Raises FlowerAway."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the host must not see the password
            answer = session.request(
                request.method or "GET",
                f"{_address()}{quote(request.path)}",
                params=request.META.get("QUERY_STRING", ""),
                data=request.body[:LARGEST_BODY],
                headers={"Content-Type": request.headers.get("Content-Type", ""), "Accept": "*/*"},
                auth=_login(),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
    except requests.RequestException:
        raise FlowerAway(_("Flower does not answer.")) from None
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise FlowerAway(_("Flower was started with another FLOWER_BASIC_AUTH than the web."))
    return _passed_on(answer)


def refuse_foreign_pages(request: HttpRequest) -> None:
    """An act must come from Flower's own pages: its scripts know nothing of our CSRF token."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    own = site == "same-origin" if site else bool(origin) and _host(origin) == request.get_host()
    if not own:
        raise PermissionDenied("the request comes from another site")


def _passed_on(answer: requests.Response) -> HttpResponse:
    response = HttpResponse(answer.content, status=answer.status_code)
    for name in TAKEN_ALONG:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    target = answer.headers.get("Location", "")
    if target.startswith(f"/{PREFIX}/"):
        response.headers["Location"] = target
    response.headers["Content-Security-Policy"] = _policy(answer.content)
    return response


def _policy(page: bytes) -> str:
    """Ours, without eval, and with the one script that Flower writes into a page."""
    script = OWN_SCRIPT.search(page)
    allowed = "'self'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script[1]).digest()).decode()
        allowed += f" 'sha256-{digest}'"
    return CONTENT_SECURITY_POLICY.replace("'self' 'unsafe-eval'", allowed)


def _address() -> str:
    environment = settings.ENVIRONMENT
    given: str = environment.flower_url.rstrip("/")
    return given or f"http://{environment.flower_address}:{environment.flower_port}"


def _login() -> tuple[str, str]:
    user, _colon, password = settings.ENVIRONMENT.flower_basic_auth.partition(":")
    return user, password


def _host(origin: str | None) -> str:
    return urlsplit(origin or "").netloc
