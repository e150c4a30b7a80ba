"""Headers that tell the browser what a page of ours may do. (Django 6 sets them by itself.)"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Everything comes from here. Alpine.js, on which the admin's theme stands, makes functions of text
# (unsafe-eval) and sets styles (unsafe-inline); no script may stand in a page, so text that got
# into one by mistake does not run. https://github.com/unfoldadmin/django-unfold/issues/2129
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class BrowserRules:
    """Adds the policies to every answer; X-Frame-Options and the like are Django's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        # Pages of one officer are for no shared cache.
        if request.path.startswith(("/admin/", "/evidence/", "/flower/")):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
