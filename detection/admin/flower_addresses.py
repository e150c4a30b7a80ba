"""Everything below /flower/ is Flower's."""

from django.urls import path

from detection.admin.flower import guarded_jobs

urlpatterns = [
    path("", guarded_jobs, name="flower"),
    path("<path:rest>", guarded_jobs, name="flower_page"),
]
