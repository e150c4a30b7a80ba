"""An officer's verdict on an episode: the form, and what becomes of it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from detection.admin.base import signed_in
from detection.models import DismissReason, Episode, Verdict
from detection.services.reviews import AlreadyReviewed, review_episode


class ReviewForm(forms.Form):
    """`expected_verdict` is the verdict the officer saw when deciding."""

    verdict = forms.ChoiceField(
        choices=[
            (Verdict.CONFIRMED.value, Verdict.CONFIRMED.label),
            (Verdict.DISMISSED.value, Verdict.DISMISSED.label),
        ],
        error_messages={"required": "choose whether to confirm or to dismiss the episode"},
    )
    expected_verdict = forms.ChoiceField(choices=Verdict.choices)
    dismiss_reason = forms.ChoiceField(choices=DismissReason.choices, required=False)
    note = forms.CharField(required=False, max_length=2000)


def record_verdict(request: HttpRequest, episode_id: UUID) -> Episode | None:
    """Review as the posted form says; the outcome is a message. None where nothing was recorded."""
    form = ReviewForm(request.POST)
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(
                request, f"{name.replace('_', ' ').capitalize()}: {' '.join(map(str, errors))}"
            )
        return None
    chosen = form.cleaned_data
    try:
        episode = review_episode(
            episode_id=episode_id,
            verdict=Verdict(chosen["verdict"]),
            reviewer=signed_in(request),
            dismiss_reason=chosen["dismiss_reason"],
            note=chosen["note"],
            expected_verdict=Verdict(chosen["expected_verdict"]),
        )
    except AlreadyReviewed as fault:
        messages.warning(request, f"Your verdict was not recorded: {fault}.")
    except ValueError as fault:
        messages.error(request, f"Your verdict was not recorded: {fault}.")
    else:
        messages.success(request, f"Recorded: {episode.get_verdict_display().lower()}.")
        return episode
    return None
