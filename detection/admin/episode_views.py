"""The pages of one episode: the one on which officers decide, and what it is made of."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone

from detection.admin.episode_acts import MAY_REVIEW, act_on_episode, respond
from detection.admin.episode_page import page_context, state_of
from detection.admin.evidence_link_pages import EvidenceLinkPages
from detection.models import AuditAction, Episode
from detection.services import audit


class EpisodePages(EvidenceLinkPages):
    """The half of the episodes' admin that shows one of them and takes a verdict."""

    fields = ("status",)  # the page has a template of its own

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Episode | None:
        """An episode's name says when it started, in the zone that its start carries."""
        episode: Episode | None = super().get_object(request, object_id, from_field)
        if episode is not None:
            episode.started_at = timezone.localtime(episode.started_at)
        return episode

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:episode_id>/act/", wrap(self.act), name="detection_episode_act"),
            path("<uuid:episode_id>/state/", wrap(self.state), name="detection_episode_state"),
            *super().get_urls(),
        ]

    def act(self, request: HttpRequest, episode_id: UUID) -> HttpResponse:
        """Confirm, dismiss, escalate, hold, note or undo, as the posted form says."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.get_queryset(request).filter(pk=episode_id).exists():
            raise Http404("no such episode")
        with transaction.atomic():
            answer = act_on_episode(request, episode_id)
            if answer.outcome and answer.outcome.is_new:
                self.log_history(request, answer.outcome.episode, answer.message)
        return respond(request, episode_id, answer)

    def state(self, request: HttpRequest, episode_id: UUID) -> JsonResponse:
        """What of the page changes by itself, for the page that is open."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        episode = self.get_object(request, str(episode_id))
        if episode is None:
            raise Http404("no such episode")
        may_review = self.has_review_permission(request)
        return JsonResponse(state_of(request, episode, may_review=may_review))

    def has_review_permission(self, request: HttpRequest) -> bool:
        """A verdict is the one change an officer makes to an episode."""
        return bool(request.user.has_perm(MAY_REVIEW))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        episode: Episode = context["original"]
        audit.record_view(AuditAction.EPISODE_VIEWED, request=request, subject=episode)
        may_review = self.has_review_permission(request)
        context |= page_context(request, episode, may_review=may_review)
        return super().render_change_form(request, context, *args, **kwargs)
