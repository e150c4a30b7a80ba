"""Episodes: the list that officers work through, and the page on which they decide."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from detection.admin.camera_form import without_credentials
from detection.admin.episode_additions import ADDITIONS
from detection.admin.episode_list import EpisodeList
from detection.admin.episode_views import EpisodePages
from detection.models import Episode


@admin.register(Episode)
class EpisodeAdmin(EpisodeList, EpisodePages):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Episode]:
        episodes = super().get_queryset(request).select_related("camera")
        for addition in ADDITIONS:
            episodes = addition.prepare(episodes)
        return without_credentials(episodes, "camera").defer("confidence_timeline")
