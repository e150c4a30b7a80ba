"""Figures of many episodes, against the same told one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from detection.models import Camera, Episode
from detection.services.episode_figures import altogether, by_camera, when
from tests.rows import a_camera, an_episode, officer

FIGURES = "/admin/detection/episode/figures/"
ZONES = ["UTC", "Asia/Kathmandu", "Africa/Addis_Ababa", "America/St_Johns", "Pacific/Chatham"]

moments = st.datetimes(
    datetime(2026, 3, 25), datetime(2026, 4, 8), timezones=st.just(UTC)
)  # summer time begins meanwhile in Europe, and ends in New Zealand


class WhenTheyBegan(TestCase):
    @given(st.lists(moments, max_size=12), st.sampled_from([*ZONES, "Europe/Berlin"]))
    def test_days_and_hours_are_those_of_the_clocks_of_the_zone(
        self, began: list[datetime], name: str
    ) -> None:
        Episode.objects.all().delete()
        camera = Camera.objects.first() or a_camera()
        for at in began:
            an_episode(camera, started_at=at)
        zone = ZoneInfo(name)
        found = when(Episode.objects.all(), zone)
        local = [at.astimezone(zone) for at in began]
        for day in {at.date() for at in local}:
            assert found.days[day] == sum(at.date() == day for at in local)
        for hour in {(at.weekday(), at.hour) for at in local}:
            same = sum((at.weekday(), at.hour) == hour for at in local)
            assert found.hours[hour] == same
        assert found.days.total() == found.hours.total() == len(began)


@pytest.mark.django_db
def test_what_became_of_them_is_counted_for_each_camera_and_drills_prove_nothing() -> None:
    yard, gate = a_camera(1), a_camera(2)
    an_episode(yard, crime_type="theft")
    an_episode(yard, crime_type="theft", verdict="confirmed")
    an_episode(yard, crime_type="robbery", verdict="dismissed", dismiss_reason="no_crime")
    an_episode(yard, crime_type="robbery", verdict="dismissed", dismiss_reason="test")
    an_episode(gate, verdict="dismissed", dismiss_reason="bad_zone")
    found = by_camera(Episode.objects.all())
    assert set(found) == {yard.pk, gate.pk}
    of_yard = found[yard.pk]
    assert (of_yard.total, of_yard.waiting, of_yard.reviewed, of_yard.dismissed) == (4, 1, 2, 1)
    assert dict(of_yard.types) == {"theft": 2, "robbery": 2}
    everywhere = altogether(found.values())
    assert (everywhere.total, everywhere.reviewed, everywhere.dismissed) == (5, 3, 2)


@pytest.fixture
def page() -> Client:
    return officer("viewer", "view_episode")


@pytest.mark.django_db
def test_the_page_says_them_and_each_day_leads_to_its_episodes(page: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    now = timezone.now()
    yard = a_camera(1, name="Yard")
    an_episode(yard, started_at=now - timedelta(days=2), verdict="confirmed")
    for _ in range(3):
        began = now - timedelta(days=2)
        an_episode(yard, started_at=began, verdict="dismissed", dismiss_reason="no_crime")
    an_episode(yard, started_at=now - timedelta(weeks=30))
    answer = page.get(FIGURES)
    body = answer.content.decode()
    day = (now - timedelta(days=2)).astimezone(ZoneInfo("Asia/Tokyo")).date()
    assert "75 % of 4" in body
    assert "30 to 95 %" in body
    assert f"since={day}&amp;until={day}" in body
    assert "Times of Asia/Tokyo" in body
    shown = page.get(f"/admin/detection/episode/?since={day}&until={day}").context["pages"]
    assert shown.count == 4


@pytest.mark.django_db
def test_the_figures_can_be_of_a_type_or_a_camera(page: Client) -> None:
    yard, gate = a_camera(1, name="Yard", station_id=3), a_camera(2, name="Gate")
    an_episode(yard, crime_type="theft")
    an_episode(gate)
    asked = {"crime_type=theft": 1, f"camera={gate.pk}": 1, "station=3": 1, "": 2, "camera=x": 2}
    for query, count in asked.items():
        assert page.get(f"{FIGURES}?{query}").context["tally"].total == count, query


@pytest.mark.django_db
def test_without_episodes_the_page_says_what_to_do(page: Client) -> None:
    assert "No episode in twelve weeks" in page.get(FIGURES).content.decode()
    an_episode(a_camera())
    body = page.get(f"{FIGURES}?crime_type=theft").content.decode()
    assert "None matches these filters" in body
