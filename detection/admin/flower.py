"""The jobs page: Flower for who may watch it, and how to start it where it does not run."""

from http import HTTPStatus

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from crimeops import flower
from detection.models import AuditAction
from detection.services import audit

WATCH, STEER = "detection.watch_jobs", "detection.steer_jobs"


def jobs(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Flower's answer. Acts are refused to who may only watch, and on record for who may act."""
    if not request.user.has_perm(WATCH):
        raise PermissionDenied
    if request.method not in flower.READING:
        if not request.user.has_perm(STEER):
            text = _("You may watch the jobs, and not steer them.")
            return HttpResponse(text, status=HTTPStatus.FORBIDDEN, content_type="text/plain")
        flower.refuse_foreign_pages(request)
        details = {"jobs": f"{request.method} {request.path}"}
        audit.record(AuditAction.CHANGED, request=request, details=details)
    if not flower.is_set_up():
        return _how_to_start(request, _("Flower has no password yet."))
    try:
        return flower.forward(request)
    except flower.FlowerAway as away:
        return _how_to_start(request, str(away))


# Flower's pages do not know our token: `refuse_foreign_pages` stands in its place.
guarded_jobs = admin.site.admin_view(csrf_exempt(jobs))


def _how_to_start(request: HttpRequest, why: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Jobs (Flower)"),
        "why": why,
        "has_password": flower.is_set_up(),
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return render(request, "admin/detection/flower_away.html", context, status=status)
