"""The addresses: the admin, Flower behind it, and a liveness page for load balancers."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView


def healthz(_: HttpRequest) -> HttpResponse:
    """Says that the web process answers; it promises nothing about cameras."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("flower/", include("detection.admin.flower_addresses")),
    path("evidence/", include("detection.evidence_address")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
