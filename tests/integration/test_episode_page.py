"""What the page of an episode is told, what it costs, and who may ask for it."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from detection.models import Camera, Episode, EvidenceFile, EvidenceKind, Verdict, Zone
from tests.rows import FRAGMENTS, a_camera, a_delivery, a_file, an_episode, officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def change(episode: Episode, queue: str = "") -> str:
    address = reverse("admin:detection_episode_change", args=(episode.pk,))
    return f"{address}?_changelist_filters={quote(queue)}" if queue else address


def state(episode: Episode) -> str:
    return reverse("admin:detection_episode_state", args=(episode.pk,))


def film_of(client: Client, episode: Episode) -> dict[str, Any]:
    film: dict[str, Any] = client.get(state(episode)).json()["film"]
    return film


def links(client: Client, address: str, **headers: str) -> dict[str, str]:
    """The neighbours of the page by the key that opens them."""
    body = client.get(address, headers=headers).content.decode()
    found = re.findall(r'<a [^>]*href="([^"]+)"[^>]* data-key="(\w)', body)
    return {key: href.replace("&amp;", "&") for href, key in found}


# --- neighbours ----------------------------------------------------------------------------------


def test_the_neighbours_are_those_of_the_list_that_one_came_from(page: Client) -> None:
    yard, gate = a_camera(1), a_camera(2)
    now = timezone.now()
    oldest, _, middle, newest = (
        an_episode(camera, started_at=now - timedelta(hours=hours))
        for hours, camera in ((4, yard), (3, gate), (2, yard), (1, yard))
    )
    queue = f"camera={yard.pk}&order=oldest"
    found = links(page, change(middle, queue))
    assert found["k"] == change(oldest, queue)
    assert found["j"] == change(newest, queue), "the one at the other camera is passed over"
    assert found["q"] == f"{reverse('admin:detection_episode_changelist')}?{queue}"
    assert "j" not in links(page, change(newest, queue))


def test_the_list_that_was_just_left_is_known_without_being_carried_along(page: Client) -> None:
    camera, now = a_camera(), timezone.now()
    older, newer = (an_episode(camera, started_at=now - timedelta(hours=h)) for h in (2, 1))
    queue = f"http://testserver{reverse('admin:detection_episode_changelist')}?order=oldest"
    assert links(page, change(older), referer=queue)["j"] == change(newer, "order=oldest")


def test_after_the_last_one_to_review_comes_the_first(page: Client) -> None:
    camera, now = a_camera(), timezone.now()
    first, last = (an_episode(camera, started_at=now - timedelta(hours=h)) for h in (1, 2))
    done = an_episode(camera, started_at=now - timedelta(minutes=90), verdict=Verdict.DISMISSED)
    queue = "order=newest"
    assert links(page, change(first, queue))["r"] == change(last, queue), "what is done is not"
    assert links(page, change(last, queue))["r"] == change(first, queue)
    assert links(page, change(first, queue))["j"] == change(done, queue)


def test_an_address_that_was_made_up_leads_nowhere_else(page: Client) -> None:
    episode = an_episode(a_camera())
    for made_up in ("camera=x&order=sideways", "password__startswith=a", "%00", "//evil.test/"):
        found = links(page, change(episode, made_up))
        assert found, made_up
        assert found["q"].startswith("/admin/detection/episode/")


# --- what the player is told ---------------------------------------------------------------------


def test_the_player_is_told_when_the_clip_and_the_episode_began(page: Client) -> None:
    episode = an_episode(a_camera())
    began = episode.started_at - timedelta(seconds=10)
    facts = {"began_at": began.isoformat(), "seconds": 62.5, "width": 640, "height": 360}
    a_file(episode, EvidenceKind.CLIP, b"film", facts=facts)
    film = film_of(page, episode)
    assert film["clip"]["state"] == "ready"
    assert film["began"] - film["clip"]["began"] == pytest.approx(10, abs=1e-3)
    assert (film["clip"]["seconds"], film["clip"]["width"]) == (62.5, 640)
    assert film["thresholds"] == {"alert": 50, "crime": 80}


def test_a_clip_of_which_nothing_is_known_is_played_without_boxes(page: Client) -> None:
    for facts in ({}, {"began_at": "soon"}, {"began_at": "2026-13-45T00:00:00Z"}, {"began_at": 7}):
        episode = an_episode(a_camera(Camera.objects.count() + 1))
        a_file(episode, EvidenceKind.CLIP, b"film", facts=facts)
        clip = film_of(page, episode)["clip"]
        assert (clip["state"], clip["began"]) == ("ready", None)


def test_files_are_coming_while_an_episode_lasts_and_shortly_after_it(page: Client) -> None:
    now = timezone.now()
    ends = {"open": None, "just over": now - timedelta(seconds=5), "long over": now - timedelta(5)}
    states = {}
    for number, (name, ended_at) in enumerate(ends.items()):
        status = "cleared" if ended_at else "suspicious"
        episode = an_episode(a_camera(number), status=status, ended_at=ended_at)
        states[name] = film_of(page, episode)["clip"]["state"]
    assert states == {"open": "coming", "just over": "coming", "long over": "none"}


def test_of_a_removed_clip_the_reason_is_said_and_a_newer_one_counts(page: Client) -> None:
    episode = an_episode(a_camera())
    first = a_file(episode, EvidenceKind.CLIP, b"film")
    EvidenceFile.objects.filter(pk=first.pk).update(removed_at=timezone.now(), removed_why="size")
    clip = film_of(page, episode)["clip"]
    assert (clip["state"], clip["why"]) == ("removed", "Evidence took more space than it may")
    a_file(episode, EvidenceKind.CLIP, b"another film")
    assert film_of(page, episode)["clip"]["state"] == "ready"


def test_zones_that_rules_see_are_told_with_the_way_of_their_lines(page: Client) -> None:
    camera = a_camera()
    Zone.objects.create(camera=camera, name="gate", kind="entry_line", polygon=[[0.5, 0], [0.5, 1]])
    Zone.objects.create(camera=camera, name="bent", polygon=[[0, 0], [1, 1]])  # no area
    Zone.objects.create(camera=camera, name="off", polygon=[[0, 0], [1, 0], [1, 1]], enabled=False)
    zones = film_of(page, an_episode(camera))["zones"]
    assert zones == [
        {"name": "gate", "kind": "entry_line", "points": [[0.5, 0], [0.5, 1]], "is_line": True}
    ]


def test_a_long_course_is_thinned_without_losing_its_peak(page: Client) -> None:
    course = [[tick / 5, 20.0] for tick in range(50_000)]
    course[31_415][1] = 99.0
    samples = film_of(page, an_episode(a_camera(), confidence_timeline=course))["samples"]
    assert len(samples) <= 2000
    assert max(samples, key=lambda pair: pair[1]) == [6283.0, 99.0]


# --- what it costs, and for whom it is -----------------------------------------------------------


def queries(client: Client, address: str) -> int:
    client.get(address)  # the look is on record now
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_a_page_costs_as_many_queries_however_much_it_shows(page: Client) -> None:
    bare, full = an_episode(a_camera(1)), an_episode(a_camera(2))
    for number in range(12):
        a_delivery(full, number + 1)
        an_episode(a_camera(10 + number))
    for kind in EvidenceKind:
        a_file(full, kind, b"x" * (3 + len(kind)))
    counts = [queries(page, change(episode)) for episode in (bare, full)]
    assert counts[1] <= counts[0] <= 30, counts
    renewed = [queries(page, state(episode)) for episode in (bare, full)]
    assert renewed[1] <= renewed[0] <= 22, renewed


def test_the_state_of_another_stations_episode_is_not_there(page: Client) -> None:
    episode = an_episode(a_camera(station_id=7))
    stranger = officer("stranger", "view_episode")
    User.objects.get(username="stranger").station_access.delete()
    assert stranger.get(state(episode)).status_code == 404
    assert officer("nobody").get(state(episode)).status_code == 403
    assert page.get(state(episode)).status_code == 200


def test_neither_page_nor_state_holds_a_secret_of_the_camera(page: Client) -> None:
    episode = an_episode(a_camera(), reason="seen at rtsp://wachmann-17:pa55/w@rd?x@10.1.2.3:554/s")
    a_delivery(episode, last_error="refused rtsp://wachmann-17:pa55/w@rd?x@10.1.2.3")
    for address in (change(episode), state(episode)):
        body = page.get(address).content.decode()
        assert not [fragment for fragment in FRAGMENTS if fragment in body], address


def test_a_viewer_is_shown_all_but_can_decide_nothing() -> None:
    episode = an_episode(a_camera())
    parts = officer("viewer", "view_episode").get(state(episode)).json()["parts"]
    assert "not decide it" in parts["bar"]
    assert "data-act" not in json.dumps(parts)
