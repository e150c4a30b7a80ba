"""The first page: what is wrong comes first, and it stands while half of the site is away."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from crimeops.celery import app
from detection.models import Camera, Claim, StationAccess
from integrations.admin.siren_latency import percentile
from integrations.models import Delivery, Sounding
from tests.rows import a_camera, a_claim, a_delivery, an_episode, officer

pytestmark = pytest.mark.django_db
ALL = (
    "view_camera",
    "view_episode",
    "view_claim",
    "view_delivery",
    "view_siren",
    "view_trouble",
    "view_healthevent",
)


@pytest.fixture
def viewer() -> Client:
    return officer("viewer", *ALL)


def cards(client: Client) -> dict[str, Any]:
    context = client.get("/admin/").context
    return {card.title: card for card in (*context["wrong"], *context["well"])}


def a_sounding(camera: Camera, milliseconds: float, **fields: Any) -> Sounding:
    now = fields.pop("at", timezone.now())
    episode = an_episode(camera, decided_at=now - timedelta(milliseconds=milliseconds))
    return Sounding.objects.create(
        camera=camera, episode_id=episode.pk, asked_at=now, answered_at=now, **fields
    )


def test_what_is_wrong_comes_first_and_what_is_well_is_said_apart(
    viewer: Client, broker: object
) -> None:
    camera = a_camera(1, state="error", reason="refused")
    an_episode(camera, verdict="confirmed")
    context = viewer.get("/admin/").context
    wrong = [card.title for card in context["wrong"]]
    assert wrong[0] == "Cameras in error"
    assert "Open episodes" in [card.title for card in context["well"]]
    tones = [card.tone for card in context["wrong"]]
    assert tones == sorted(tones, key=["bad", "warning", "active"].index)


def test_each_instance_says_how_long_ago_it_beat(viewer: Client) -> None:
    now = timezone.now()
    for number, (name, age) in enumerate((("north", 20), ("south", 400))):
        claim = a_claim(a_camera(number, state="running"))
        at = now - timedelta(seconds=age)
        Claim.objects.filter(pk=claim.pk).update(instance=name, beaten_at=at)
    card = cards(viewer)["Heartbeats"]
    assert card.tone == "bad"
    assert card.figure == "6 min 40 s ago"
    assert card.remark == "south 6 min 40 s ago, north 20 s ago"


def test_instances_that_beat_in_time_are_well(viewer: Client) -> None:
    claim = a_claim(a_camera(1, state="running"))
    Claim.objects.filter(pk=claim.pk).update(beaten_at=timezone.now() - timedelta(seconds=61))
    assert cards(viewer)["Heartbeats"].tone == "good"


def test_a_claim_that_ran_out_is_nobodys_heartbeat(viewer: Client) -> None:
    a_claim(a_camera(1, state="running"), lease_seconds=-1)
    assert cards(viewer)["Heartbeats"].remark == "no instance watches a camera"


def test_the_load_is_the_share_of_the_wanted_frames_that_is_analysed(viewer: Client) -> None:
    for number in (1, 2):
        claim = a_claim(a_camera(number, state="running"))
        rates = {"wanted_per_second": 3.0, "analysed_per_second": 1.5 * number - 1.0}
        Claim.objects.filter(pk=claim.pk).update(**rates)
    card = cards(viewer)["Frames analysed"]
    assert (card.figure, card.tone) == ("42 %", "warning")
    assert card.remark == "2.5 of 6.0 a second: the detector cannot keep up"


def test_the_backlog_says_how_long_its_oldest_report_waits(viewer: Client) -> None:
    for minutes, status in ((12, "pending"), (3, "pending"), (90, "delivered")):
        delivery = a_delivery(an_episode(a_camera(minutes)), status=status)
        at = timezone.now() - timedelta(minutes=minutes)
        Delivery.objects.filter(pk=delivery.pk).update(created_at=at)
    card = cards(viewer)["Deliveries waiting"]
    assert (card.figure, card.tone) == ("2", "bad")
    assert card.remark.endswith("the oldest waits for 12 min 0 s")


def test_a_report_of_this_moment_is_no_alarm(viewer: Client) -> None:
    a_delivery(an_episode(a_camera(1)), status="pending")
    assert cards(viewer)["Deliveries waiting"].tone == "active"


def test_queues_say_what_waits_in_them(viewer: Client, broker: Any) -> None:
    broker.rpush("reports", *range(60))
    broker.rpush("gpu", 1)
    card = cards(viewer)["Waiting in queues"]
    assert (card.figure, card.tone) == ("61", "warning")
    assert card.remark == "gpu 1, reports 60: is a worker of each queue running?"


def test_the_page_stands_and_says_so_while_redis_is_away(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    card = cards(viewer)["Waiting in queues"]
    assert (card.figure, card.tone) == ("unknown", "bad")
    assert card.remark.startswith("Redis does not answer")


def test_a_half_that_fails_takes_the_other_not_with_it(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no figures today")

    monkeypatch.setattr("integrations.admin.dashboard.cards", fail)
    page = viewer.get("/admin/")
    assert "A part of this page could not be asked" in page.content.decode()
    assert "Open episodes" in page.content.decode()


def test_little_room_for_evidence_is_said(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 100_000_000_000, "free": 4_000_000_000})
    monkeypatch.setattr("detection.admin.machinery.shutil.disk_usage", lambda _: usage)
    card = cards(viewer)["Disk of the evidence"]
    assert (card.figure, card.tone, card.remark) == ("4 % free", "bad", "4.0 of 100.0 GB")


def test_sirens_say_how_fast_they_were(viewer: Client) -> None:
    camera = a_camera(1)
    for milliseconds in (*[40] * 18, 80, 900):
        a_sounding(camera, milliseconds)
    a_sounding(camera, 9000, at=timezone.now() - timedelta(days=2))
    card = cards(viewer)["Decision to siren"]
    assert (card.figure, card.tone) == ("40 ms", "good")
    assert card.remark == "95% within 80 ms; 20 sirens in the last day"


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 50, 7), ([1, 2], 50, 1), ([1, 2, 3], 50, 2), (list(range(1, 101)), 95, 95)],
)
def test_percentiles_are_values_that_were_measured(
    values: list[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent) == expected


def test_a_test_and_a_siren_that_sounded_again_count_for_no_latency(viewer: Client) -> None:
    camera, now = a_camera(1), timezone.now()
    again = a_sounding(camera, 40, at=now - timedelta(seconds=50))
    for episode_id in (again.episode_id, None):
        Sounding.objects.create(camera=camera, episode_id=episode_id, asked_at=now, answered_at=now)
    card = cards(viewer)["Decision to siren"]
    assert (card.figure, card.remark) == ("40 ms", "95% within 40 ms; 1 siren in the last day")


def test_a_test_of_a_siren_and_one_that_never_answered_count_for_no_latency(
    viewer: Client,
) -> None:
    camera, now = a_camera(1), timezone.now()
    Sounding.objects.create(camera=camera, asked_at=now, answered_at=now)
    Sounding.objects.create(camera=camera, episode_id=an_episode(camera).pk, asked_at=now)
    assert cards(viewer)["Decision to siren"].figure == "–"


def test_one_sees_the_figures_of_ones_stations_only(viewer: Client) -> None:
    a_sounding(a_camera(1, station_id=1), 40)
    a_claim(a_camera(2, station_id=1, state="running"))
    StationAccess.objects.update(all_stations=False, stations=[2])
    shown = cards(viewer)
    assert shown["Decision to siren"].figure == "–"
    assert shown["Heartbeats"].figure == "–"


def test_the_page_asks_as_often_for_many_as_for_few(
    viewer: Client, broker: object, settings: Settings
) -> None:
    counts = []
    for numbers in (range(1), range(1, 30)):
        for number in numbers:
            camera = a_camera(number, state="running")
            a_claim(camera)
            a_delivery(an_episode(camera))
            a_sounding(camera, 40)
        with CaptureQueriesContext(connection) as asked:
            viewer.get("/admin/")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 22
