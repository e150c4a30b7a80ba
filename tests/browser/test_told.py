"""Siren and deliveries on an episode's page, in a real browser."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from pytest_django import Settings

from detection.models import AuditAction, Episode
from detection.services import audit, review_flags, reviews
from detection.services.review_steps import Actor
from integrations.models import Delivery, Siren, Sounding
from tests.browser.desk import Desk
from tests.rows import a_camera, a_delivery, an_episode

if TYPE_CHECKING:
    from playwright.sync_api import Route


@pytest.fixture
def episode() -> Episode:
    """Of a camera whose siren sounds, with a report that was refused and one that arrived."""
    now = timezone.now()
    began = now - timedelta(seconds=40)
    camera = a_camera(1, name="North yard")
    episode = an_episode(camera, started_at=began, status="suspicious", ended_at=None)
    Siren.objects.create(
        camera=camera,
        episode_id=episode.pk,
        rung_at=began,
        sounded_at=now,
        wanted_until=now + timedelta(minutes=2),
    )
    Sounding.objects.create(
        camera=camera,
        episode_id=episode.pk,
        asked_at=began,
        answered_at=began + timedelta(milliseconds=43),
        method="tapo",
        silenced_at=began + timedelta(seconds=12),
        silenced_by="officer",
        officer="ann",
    )
    Sounding.objects.create(
        camera=camera,
        episode_id=episode.pk,
        asked_at=now - timedelta(seconds=9),
        answered_at=now - timedelta(seconds=8.9),
        method="tapo",
    )
    a_delivery(
        episode,
        1,
        status="delivered",
        attempts=1,
        last_error="",
        answer={"id": 4711, "status": "accepted"},
        delivered_at=now - timedelta(seconds=39),
    )
    a_delivery(
        episode,
        2,
        kind="crime",
        attempts=4,
        last_error="422: the field crime_type is not one of the crimes that this back end knows",
        payload={
            "crime_type": "trespassing",
            "confidence": 91.0,
            "started_at": began.isoformat(),
            "confirmed_at": now.isoformat(),
        },
    )
    return episode


def test_a_report_shows_what_was_told_and_is_sent_again(desk: Desk, episode: Episode) -> None:
    desk.open("detection_episode_change", episode.pk)
    page = desk.page
    crime = page.locator(".te-delivery").nth(1)
    assert not crime.get_by_text("Payload").is_visible()
    crime.locator("summary").focus()
    page.keyboard.press("Enter")
    assert '"crime_type": "trespassing"' in crime.locator("pre").inner_text()
    crime.get_by_role("button", name="Resend").click()
    page.wait_for_url("**/change/")
    page.get_by_text("Crime to laravel will be sent again.").wait_for()
    assert Delivery.objects.get(kind="crime").status == "pending"


def test_what_a_siren_cannot_do_is_said_without_leaving_the_page(
    desk: Desk, episode: Episode, settings: Settings
) -> None:
    environment = settings.ENVIRONMENT.model_copy(update={"siren_enabled": False})
    settings.ENVIRONMENT = environment
    Siren.objects.update(silent_at=timezone.now())
    desk.open("detection_episode_change", episode.pk)
    page = desk.page
    page.wait_for_selector("#episode.ep-scripted")
    assert page.get_by_role("button", name="Siren off", exact=True).count() == 0
    page.get_by_role("button", name="Re-arm: sound again").click()
    page.get_by_text("Siren: Not done: sirens are switched off: set SIREN_ENABLED.").wait_for()
    desk.script_errors = [line for line in desk.script_errors if "409" not in line]
    assert Siren.objects.get().silent_at is not None


def test_a_late_answer_says_nothing_once_a_newer_act_was_told(desk: Desk, episode: Episode) -> None:
    desk.open("detection_episode_change", episode.pk)
    page = desk.page
    page.wait_for_selector("#episode.ep-scripted")
    waiting: list[Route] = []
    page.route("**/off/", lambda route: waiting.append(route))
    page.keyboard.press("s")
    page.keyboard.press("e")
    page.get_by_text("Escalated: a superior is asked to look at it.").wait_for()
    with page.expect_response("**/state/**"):
        waiting[0].fulfill(json={"ok": True, "message": "Siren: It is silent."})
    assert page.get_by_text("Siren: It is silent.").count() == 0
    assert page.get_by_text("Escalated: a superior is asked to look at it.").is_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_siren_reports_and_history_are_for_everybody_and_every_window(
    desk: Desk, episode: Episode, dark: bool
) -> None:
    by = Actor(desk.officer)
    reviews.note_on_episode(episode_id=episode.pk, text="A red van, twice around the yard.", by=by)
    review_flags.escalate_episode(episode_id=episode.pk, by=by)
    audit.record(AuditAction.EVIDENCE_VIEWED, user=desk.officer, subject=episode)
    if dark:
        desk.in_the_dark()
    desk.open("detection_episode_change", episode.pk)
    for summary in desk.page.locator(".te-delivery summary").all():
        summary.click()
    assert desk.barriers() == []
    desk.on_a_phone()
    assert desk.overflow() == 0
    assert desk.barriers() == []
