"""The calibration pages: calculated, read, applied and undone by those who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from detection.models import AuditRecord, Camera, Episode, StationAccess, ThresholdSuggestion
from detection.services.calibration import calibrate

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LIST = "admin:detection_thresholdsuggestion_changelist"
VIEW = ("view_thresholdsuggestion", "view_episode", "view_camera")


def a_browser(name: str, *permissions: str, stations: list[int] | None = None) -> Client:
    user = User.objects.create_user(name, password="x", is_staff=True)
    StationAccess.objects.create(user=user, all_stations=stations is None, stations=stations or [])
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return a_browser("operator", *VIEW, "change_camera")


@pytest.fixture
def suggestion() -> ThresholdSuggestion:
    """55 false alarms and 22 crimes in five days; 56 % instead of 50 % would spare 50 of them."""
    camera = Camera.objects.create(registry="local", name="Yard", external_id=1, station_id=3)
    for count, peak, verdict in (
        (50, 55, "dismissed"),
        (5, 65, "dismissed"),
        (2, 54, "confirmed"),
        (20, 90, "confirmed"),
    ):
        for _ in range(count):
            an_episode(camera, peak, verdict)
    (made,) = calibrate(at=NOW, budget=2)
    return made


def an_episode(camera: Camera, peak: float, verdict: str) -> Episode:
    at = NOW - timedelta(days=5)
    return Episode.objects.create(
        camera=camera,
        claim_token=1,
        crime_type="trespassing",
        confidence=peak,
        status="cleared",
        reason="person 3 inside <b>“yard”</b>",
        started_at=at,
        alerted_at=at,
        decided_at=at,
        ended_at=at,
        verdict=verdict,
    )


def address(suggestion: ThresholdSuggestion, verb: str) -> str:
    return reverse(f"admin:detection_thresholdsuggestion_{verb}", args=(suggestion.pk,))


def text_of(response: Any) -> str:
    assert response.status_code == 200
    content: str = response.content.decode()
    return content


def own(camera: Camera) -> Any:
    return Camera.objects.get(pk=camera.pk).rule_settings


def test_the_list_shows_todays_threshold_beside_the_suggested(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    text = text_of(operator.get(reverse(LIST)))
    for shown in ("Yard", "50 %", "56 %", "50 of 55", "2 of 22", "Suggested", "Calculate anew"):
        assert shown in text


def test_the_page_shows_the_curve_and_what_it_would_have_changed(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    text = text_of(operator.get(address(suggestion, "change")))
    assert "Trespassing at Yard" in text
    assert "co-chart-line" in text
    assert "From 90 to 100 %: 20 of 20 were crimes." in text
    assert "50 of 55 here" in text
    assert "<dt>In force now</dt><dd>50 %</dd>" in text
    assert "11.0 → 1.0 a day" in text
    assert "Confirmed episodes that would have raised no alert" in text
    assert text.count("54 %</td>") == 2
    assert "<b>“yard”" not in text
    assert "Apply 56 %" in text


def test_a_click_applies_and_a_click_undoes(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    page = operator.post(address(suggestion, "apply"), follow=True)
    assert "Applied: 50 → 56 %." in text_of(page)
    assert "Undo" in text_of(page)
    assert own(suggestion.camera) == {"thresholds": {"trespassing": {"alert": 56}}}
    page = operator.post(address(suggestion, "undo"), follow=True)
    assert "Undone: 50 → 56 %." in text_of(page)
    assert own(suggestion.camera) == {}
    acts = AuditRecord.objects.filter(object_type="detection.thresholdsuggestion").order_by("pk")
    assert [(act.username, act.details["said"]) for act in acts] == [
        ("operator", "Applied: 50 → 56 %."),
        ("operator", "Undone: 50 → 56 %."),
    ]


def test_what_cannot_be_undone_says_why_and_changes_nothing(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    operator.post(address(suggestion, "apply"))
    theirs = {"thresholds": {"trespassing": {"alert": 70}}}
    Camera.objects.update(rule_settings=theirs)
    page = operator.post(address(suggestion, "undo"), follow=True)
    assert "Nothing was changed: the camera&#x27;s threshold was changed since" in text_of(page)
    assert own(suggestion.camera) == theirs


def test_calculating_anew_takes_the_budget_given(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    calculate = reverse("admin:detection_thresholdsuggestion_calculate")
    page = operator.post(calculate, {"budget": "0.5"}, follow=True)
    assert "Calculated: 1 of 1 thresholds would change." in text_of(page)
    assert ThresholdSuggestion.objects.get().suggested == 66
    for nonsense in ("-1", "many", "nan", "1e9"):
        page = operator.post(calculate, {"budget": nonsense}, follow=True)
        assert "Give how many false alarms" in text_of(page)
    assert ThresholdSuggestion.objects.get().budget == 0.5


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_only_a_post_changes_anything(
    operator: Client, suggestion: ThresholdSuggestion, verb: str
) -> None:
    assert operator.get(address(suggestion, verb)).status_code == 405
    assert own(suggestion.camera) == {}


def test_who_may_not_change_cameras_sees_and_changes_nothing(
    suggestion: ThresholdSuggestion,
) -> None:
    viewer = a_browser("viewer", *VIEW)
    assert "Apply 56 %" not in text_of(viewer.get(address(suggestion, "change")))
    assert "Calculate anew" not in text_of(viewer.get(reverse(LIST)))
    assert viewer.post(address(suggestion, "apply")).status_code == 403
    calculate = reverse("admin:detection_thresholdsuggestion_calculate")
    assert viewer.post(calculate, {"budget": "2"}).status_code == 403
    assert own(suggestion.camera) == {}


def test_other_stations_suggestions_are_not_there(suggestion: ThresholdSuggestion) -> None:
    stranger = a_browser("stranger", *VIEW, "change_camera", stations=[7])
    assert "Yard" not in text_of(stranger.get(reverse(LIST)))
    assert stranger.post(address(suggestion, "apply")).status_code == 404
    stranger.post(reverse("admin:detection_thresholdsuggestion_calculate"), {"budget": "9"})
    assert ThresholdSuggestion.objects.get().budget == 2


def test_an_address_from_another_site_changes_nothing(suggestion: ThresholdSuggestion) -> None:
    boss = User.objects.create_superuser("boss", password="x")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)
    assert strict.post(address(suggestion, "apply")).status_code == 403


def test_a_suggestion_without_verdicts_has_a_page_too(operator: Client) -> None:
    camera = Camera.objects.create(registry="local", name="Gate", external_id=2)
    an_episode(camera, 55, "dismissed")
    (made,) = calibrate(at=NOW)
    text = text_of(operator.get(address(made, "change")))
    assert "29 more verdicts needed" in text
    assert "Apply" not in text
    assert "Too few verdicts" in text_of(operator.get(reverse(LIST)))


def test_a_longer_list_costs_no_more_queries(
    operator: Client, suggestion: ThresholdSuggestion
) -> None:
    with CaptureQueriesContext(connection) as one:
        operator.get(reverse(LIST))
    for number in (2, 3):
        suggestion.camera = Camera.objects.create(
            registry="local", name=f"Gate {number}", external_id=number
        )
        suggestion.pk = None
        suggestion.save()
    with CaptureQueriesContext(connection) as three:
        assert "Gate 3" in text_of(operator.get(reverse(LIST)))
    assert len(three) == len(one)


def test_an_empty_list_says_what_to_do(operator: Client) -> None:
    assert "Nothing is suggested yet" in text_of(operator.get(reverse(LIST)))
