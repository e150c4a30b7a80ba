"""The queue of episodes that officers work through, and its figures."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import URLPattern, path

from detection.admin.base import ReadOnlyAdmin
from detection.admin.episode_acts import MAY_REVIEW
from detection.admin.episode_figures import figures_context
from detection.admin.queue_dismissal import dismissal_answer
from detection.admin.queue_news import news_answer
from detection.admin.queue_page import queue_context
from detection.models import Episode


class EpisodeList(ReadOnlyAdmin[Episode]):
    """The half of the episodes' admin that lists them."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("news/", wrap(self.news), name="detection_episode_news"),
            path("figures/", wrap(self.figures), name="detection_episode_figures"),
            path("dismiss/", wrap(self.dismiss_many), name="detection_episode_dismiss_many"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page is our own: cards, filters and paging that hold at a hundred thousand."""
        self._let_in(request)
        context = {
            **self.admin_site.each_context(request),
            **queue_context(request, self.get_queryset(request)),
            "opts": self.opts,
            "may_review": may_review(request),
        }
        return render(request, "admin/detection/episode/queue.html", context)

    def news(self, request: HttpRequest) -> HttpResponse:
        """What an open page of the queue asks again and again."""
        self._let_in(request)
        episodes = self.get_queryset(request)
        return news_answer(request, episodes, may_review=may_review(request))

    def figures(self, request: HttpRequest) -> HttpResponse:
        """How many, where, of what and when, and how often it was nothing."""
        self._let_in(request)
        context = {
            **self.admin_site.each_context(request),
            **figures_context(request),
            "opts": self.opts,
        }
        return render(request, "admin/detection/episode/figures.html", context)

    def dismiss_many(self, request: HttpRequest) -> HttpResponse:
        """Dismiss the chosen episodes with one reason."""
        if not may_review(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return dismissal_answer(request)

    def _let_in(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied


def may_review(request: HttpRequest) -> bool:
    """A verdict is the one change an officer makes to an episode."""
    return bool(request.user.has_perm(MAY_REVIEW))
