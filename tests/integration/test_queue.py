"""The queue of episodes: its order and filters, who sees what, what is new, dismissing many."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from detection.admin import queue_pages
from detection.admin.queue_filter import QueueFilter
from detection.domain.crimes import CrimeType
from detection.domain.severity import severity_of
from detection.models import (
    AuditAction,
    AuditRecord,
    Camera,
    Episode,
    EvidenceKind,
    StationAccess,
    Verdict,
)
from detection.services.evidence import attach_file
from tests.rows import a_camera, a_delivery, an_episode, officer

pytestmark = pytest.mark.django_db

QUEUE = "/admin/detection/episode/"
NOW = timezone.now()


@pytest.fixture
def page() -> Client:
    return officer("reviewer", "view_episode", "change_episode")


def of_station(*stations: int) -> Client:
    user = User.objects.create_user(f"of {stations}", is_staff=True)
    StationAccess.objects.create(user=user, stations=list(stations))
    may = ("view_episode", "change_episode")
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    client = Client()
    client.force_login(user)
    return client


def keys(page: Client, query: str = "") -> list[UUID]:
    answer = page.get(f"{QUEUE}{query}")
    assert answer.status_code == 200
    return [card.episode.pk for card in answer.context["cards"]]


def urgent(camera: Camera, kind: CrimeType, *, confirmed: bool = False, **fields: Any) -> Episode:
    given = {
        "crime_type": kind.value,
        "severity": severity_of(kind, confirmed=confirmed),
        "confirmed_at": NOW if confirmed else None,
    }
    return an_episode(camera, **{**given, **fields})


# --- order, filters, search -----------------------------------------------------------------------


def test_what_nobody_has_reviewed_comes_first_by_severity_and_then_the_newest(
    page: Client,
) -> None:
    camera = a_camera()
    old = urgent(camera, CrimeType.THEFT, started_at=NOW - timedelta(hours=9))
    new = urgent(camera, CrimeType.THEFT, started_at=NOW - timedelta(hours=1))
    robbery = urgent(camera, CrimeType.ROBBERY, started_at=NOW - timedelta(days=3))
    sure = urgent(camera, CrimeType.SUSPICIOUS_ACTIVITY, confirmed=True)
    decided = urgent(camera, CrimeType.ROBBERY, confirmed=True, verdict=Verdict.CONFIRMED)
    wanted = [sure, robbery, new, old, decided]
    assert keys(page) == [episode.pk for episode in wanted]
    assert keys(page, "?order=oldest")[:2] == [robbery.pk, old.pk]


def test_each_filter_lets_through_what_it_says(page: Client) -> None:
    yard, gate = a_camera(1, name="Yard", station_id=3), a_camera(2, name="Gate", station_id=4)
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    one = an_episode(yard, crime_type="theft", verdict="dismissed", started_at=day, held_at=NOW)
    two = an_episode(gate, status="suspicious", ended_at=None, escalated_at=NOW)
    asked = {
        "course=open": [two],
        "course=over": [one],
        "status=cleared": [one],
        "crime_type=theft": [one],
        "verdict=unreviewed": [two],
        "verdict__exact=unreviewed": [two],
        f"camera={yard.pk}": [one],
        "station=4": [two],
        "since=2026-03-01&until=2026-03-01": [one],
        "since=2026-03-02": [two],
        "escalated=1": [two],
        "held=1": [one],
        "held=1&escalated=1": [],
        f"camera={yard.pk}&station=4": [],
    }
    for query, wanted in asked.items():
        assert keys(page, f"?{query}") == [episode.pk for episode in wanted], query


def test_a_day_is_the_readers_day(page: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"  # nine hours ahead
    late = an_episode(a_camera(), started_at=datetime(2026, 3, 1, 16, tzinfo=UTC))
    assert keys(page, "?since=2026-03-02&until=2026-03-02") == [late.pk]
    assert keys(page, "?since=2026-03-01&until=2026-03-01") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("yard", "yard"),
        ("ÜBER", "bridge"),
        ("ladder", "yard"),
        ("LADDER yard", "yard"),
        ("ladder gate", ""),
        ("guard", "bridge"),
        ("100%", "bridge"),
        ("zeppelin", ""),
        ("0f0e0d0c", "yard"),
        ("0f0e0d0c-0b0a", "yard"),
        ("0f0e0d0d", ""),
    ],
)
def test_a_search_finds_cameras_reasons_notes_and_keys(
    page: Client, words: str, found: str
) -> None:
    key = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
    yard = an_episode(a_camera(1, name="Yard"), id=key, reason="person with a ladder")
    bridge = an_episode(
        a_camera(2, name="Brücke über die Spree"), note="asked the guard, 100% sure"
    )
    wanted = {"yard": [yard.pk], "bridge": [bridge.pk], "": []}[found]
    assert [card.episode.pk for card in page.get(QUEUE, {"q": words}).context["cards"]] == wanted


@pytest.mark.parametrize(
    "query",
    [
        "p=x",
        "p=-3",
        "p=99999999999999999999",
        "camera=x",
        "camera=999",
        "since=yesterday",
        "since=0001-01-01",
        "until=9999-12-31",
        "verdict=guilty",
        "order=random",
        "view=hologram",
        "station=%00",
        "q=%00x",
        "course=both",
    ],
)
def test_nonsense_in_the_address_is_left_out_and_said(page: Client, query: str) -> None:
    episode = an_episode(a_camera())
    assert keys(page, f"?{query}") == [episode.pk]
    body = page.get(f"{QUEUE}?{query}").content.decode()
    is_filter = query.partition("=")[0] not in {"p", "view"}
    assert ("not understood and left out" in body) == is_filter


def test_the_view_is_remembered(page: Client) -> None:
    an_episode(a_camera())
    assert "q-cards" in page.get(QUEUE).content.decode()
    assert "q-table" in page.get(f"{QUEUE}?view=table").content.decode()
    assert "q-table" in page.get(QUEUE).content.decode()
    assert "q-cards" in page.get(f"{QUEUE}?view=cards").content.decode()


# --- many -----------------------------------------------------------------------------------------


def test_the_queries_do_not_grow_with_the_rows(page: Client) -> None:
    def queries(query: str) -> int:
        page.get(f"{QUEUE}{query}")  # the session and its like are made once
        with CaptureQueriesContext(connection) as captured:
            page.get(f"{QUEUE}{query}")
        return len(captured)

    def fill(first: int, count: int) -> None:
        for number in range(first, first + count):
            episode = an_episode(a_camera(number, station_id=number % 3))
            a_delivery(episode, sequence=number)
            for kind in (EvidenceKind.SNAPSHOT, EvidenceKind.PREVIEW):
                attach_file(episode_id=episode.pk, kind=kind, name="x", size=1, sha256="")

    asked = ("?view=cards", "?view=table", "?q=person", "figures/", "?station=1")
    fill(1, 3)
    few = [queries(query) for query in asked]
    fill(4, 40)
    assert [queries(query) for query in asked] == few
    assert max(few) <= 16


def test_pages_follow_one_another_without_gap_or_repetition(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "PAGE_LENGTH", 4)
    camera = a_camera()
    same = {"started_at": NOW - timedelta(hours=1)}
    made = {an_episode(camera, **same).pk for _ in range(10)}
    pages = [keys(page, f"?p={number}") for number in (1, 2, 3)]
    assert [len(found) for found in pages] == [4, 4, 2]
    assert set().union(*pages) == made
    assert keys(page, "?p=77") == pages[2], "beyond the end is the last page"


def test_a_queue_that_is_too_long_to_count_says_so(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "COUNTED", 3)
    camera = a_camera()
    for _ in range(5):
        an_episode(camera)
    body = page.get(QUEUE).content.decode()
    assert "of more than 3: narrow it by filters" in body


def test_a_search_that_finds_many_is_paged_like_any_other(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "FEW", 2)
    camera = a_camera()
    made = {an_episode(camera, reason="ladder").pk for _ in range(5)}
    an_episode(camera, reason="crowbar")
    assert set(keys(page, "?q=ladder")) == made
    assert page.get(f"{QUEUE}?q=ladder").context["pages"].count == 5


def test_the_plans_of_the_queue_use_its_indexes(page: Client, boss: User) -> None:
    camera = a_camera()
    rows = []
    for number in range(3000):
        began = NOW - timedelta(minutes=number)
        verdict = "unreviewed" if number % 9 == 0 else "confirmed"
        rows.append(
            Episode(
                camera=camera,
                claim_token=1,
                status="cleared",
                crime_type=list(CrimeType)[number % 8].value,
                confidence=60,
                started_at=began,
                alerted_at=began,
                decided_at=began,
                severity=number % 190,
                verdict=verdict,
            )
        )
    Episode.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    def plan(**asked: str) -> str:
        found = QueueFilter(asked, boss).rows(Episode.objects.all())
        return found.values_list("pk", flat=True)[:50].explain()

    for asked, index in (
        ({}, "the_queue"),
        ({"verdict": "unreviewed"}, "the_queue"),
        ({"crime_type": "theft"}, "the_queue_of_a_type"),
        ({"order": "newest"}, "episodes_by_age"),
    ):
        said = plan(**asked)
        assert index in said, (asked, said)
        assert "TEMP B-TREE" not in said and "Sort" not in said, (asked, said)


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


# --- who sees what --------------------------------------------------------------------------------


def test_an_officer_sees_and_counts_the_own_stations_only() -> None:
    mine, theirs = a_camera(1, name="Mine", station_id=3), a_camera(2, name="Theirs", station_id=4)
    episode = an_episode(mine)
    an_episode(theirs, status="suspicious", ended_at=None)
    page = of_station(3)
    for query in ("", "?q=heir", f"?camera={theirs.pk}", "?station=4", "?course=open", "?p=2"):
        body = page.get(f"{QUEUE}{query}").content.decode()
        assert "Theirs" not in body, query
        assert page.get(f"{QUEUE}{query}").context["waiting"] == 1
    assert keys(page) == [episode.pk]
    figures = page.get(f"{QUEUE}figures/")
    assert figures.context["tally"].total == 1
    assert "Theirs" not in figures.content.decode()
    shown = ",".join(str(one.pk) for one in Episode.objects.all())
    assert list(page.get(f"{QUEUE}news/?shown={shown}").json()["cards"]) == [episode.pk.hex]


def test_a_search_does_not_tell_that_another_station_has_an_episode_of_this_key() -> None:
    key = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
    an_episode(a_camera(1, station_id=7), id=key)
    ours = an_episode(a_camera(2, station_id=3), note="plate 0f0e0d0c")
    assert keys(of_station(3), "?q=0f0e0d0c") == [ours.pk]
    assert keys(of_station(3, 7), "?q=0f0e0d0c") == [key]


def test_the_pages_of_the_queue_need_permission() -> None:
    nobody = officer("nobody")
    for address in ("", "news/", "figures/"):
        assert nobody.get(f"{QUEUE}{address}").status_code == 403, address
    viewer = officer("viewer", "view_episode")
    assert viewer.post(f"{QUEUE}dismiss/").status_code == 403
    an_episode(a_camera())
    assert 'name="keys"' not in viewer.get(QUEUE).content.decode()


# --- what is new ----------------------------------------------------------------------------------


def test_news_count_what_came_since_and_is_asked_for(page: Client) -> None:
    camera = a_camera()
    an_episode(camera, decided_at=timezone.now())  # a moment before the page is read
    context = page.get(f"{QUEUE}?crime_type=trespassing").context
    asked = {"crime_type": "trespassing", "read_at": context["read_at"], "known": context["known"]}
    nothing = page.get(f"{QUEUE}news/", asked).json()
    assert (nothing["new"], nothing["waiting"]) == (0, "1")
    an_episode(camera, decided_at=timezone.now())
    an_episode(camera, decided_at=timezone.now(), crime_type="theft")
    found = page.get(f"{QUEUE}news/", asked).json()
    assert (found["new"], found["said"], found["waiting"]) == (1, "1 new episode", "3")


def test_news_are_sent_once_while_nothing_changes(page: Client) -> None:
    episode = an_episode(a_camera(), started_at=NOW - timedelta(days=3))
    asked = {"shown": episode.pk.hex}
    first = page.get(f"{QUEUE}news/", asked)
    again = page.get(f"{QUEUE}news/", asked, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Episode.objects.update(verdict=Verdict.CONFIRMED)
    changed = page.get(f"{QUEUE}news/", asked, headers={"If-None-Match": first["ETag"]})
    assert ">Confirmed</span>" in changed.json()["cards"][episode.pk.hex]


@pytest.mark.parametrize("asked", ["read_at=x&known=y&shown=z,,1", "read_at=2026-01-01", ""])
def test_news_take_nonsense_for_nothing(page: Client, asked: str) -> None:
    an_episode(a_camera())
    found = page.get(f"{QUEUE}news/?{asked}").json()
    assert (found["new"], found["cards"]) == (0, {})


def test_the_badge_counts_as_far_as_it_has_room_for(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detection.admin.dashboard.MOST_IN_A_BADGE", 2)
    camera = a_camera()
    for _ in range(4):
        an_episode(camera)
    body = page.get(QUEUE).content.decode()
    assert "<title> (2+) Episodes | CrimeOps</title>" in body


# --- dismissing many ------------------------------------------------------------------------------


def dismissing(page: Client, *episodes: Episode, reason: str = "no_crime") -> Any:
    chosen = {"keys": [str(episode.pk) for episode in episodes], "reason": reason}
    return page.post(f"{QUEUE}dismiss/", chosen, headers={"Accept": "application/json"})


def test_many_are_dismissed_with_a_reason_but_for_those_that_must_not_be(page: Client) -> None:
    yard, gate = a_camera(1, name="Yard"), a_camera(2, name="Gate")
    free = [an_episode(yard), an_episode(yard)]
    going_on = an_episode(gate, status="suspicious", ended_at=None)
    decided = an_episode(yard, verdict="confirmed", reviewed_by=User.objects.create_user("anna"))
    answer = dismissing(page, *free, going_on, decided).json()
    assert answer["ok"]
    assert answer["message"].startswith("2 episodes dismissed.\n2 left as they were:\n")
    assert "Trespassing at Gate" in answer["message"] and "still goes on" in answer["message"]
    assert "anna has set it to confirmed" in answer["message"]
    verdicts = [Episode.objects.get(pk=one.pk).verdict for one in (*free, going_on, decided)]
    assert verdicts == ["dismissed", "dismissed", "unreviewed", "confirmed"]
    assert AuditRecord.objects.filter(action=AuditAction.REVIEWED).count() == 2
    undone = page.post(
        f"{QUEUE}dismiss/", {"undo": answer["undo"]}, headers={"Accept": "application/json"}
    ).json()
    assert undone["message"] == "2 dismissals undone."
    assert Episode.objects.filter(verdict="unreviewed").count() == 3


def test_a_reason_is_needed(page: Client) -> None:
    episode = an_episode(a_camera())
    answer = dismissing(page, episode, reason="")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    episode.refresh_from_db()
    assert episode.verdict == Verdict.UNREVIEWED


def test_another_stations_episodes_are_neither_dismissed_nor_named() -> None:
    theirs = an_episode(a_camera(2, name="Theirs", station_id=4))
    answer = dismissing(of_station(3), theirs).json()
    assert answer["message"] == "0 episodes dismissed."
    theirs.refresh_from_db()
    assert theirs.verdict == Verdict.UNREVIEWED


def test_another_stations_dismissal_is_not_undone() -> None:
    theirs = an_episode(a_camera(2, station_id=4))
    steps = dismissing(of_station(4), theirs).json()["undo"]
    page = of_station(3)
    page.post(f"{QUEUE}dismiss/", {"undo": steps}, headers={"Accept": "application/json"})
    theirs.refresh_from_db()
    assert theirs.verdict == Verdict.DISMISSED


def test_a_form_without_a_script_comes_back_to_the_queue_with_the_message(page: Client) -> None:
    episode = an_episode(a_camera())
    chosen = {"keys": [str(episode.pk), "nonsense"], "reason": "test"}
    answer = page.post(f"{QUEUE}dismiss/?verdict=unreviewed", chosen, follow=True)
    assert answer.request["QUERY_STRING"] == "verdict=unreviewed"
    assert "1 episode dismissed." in answer.content.decode()
    assert page.get(f"{QUEUE}dismiss/").status_code == 405


def test_the_token_of_the_page_is_needed(page: Client) -> None:
    episode = an_episode(a_camera())
    page.handler.enforce_csrf_checks = True
    assert dismissing(page, episode).status_code == 403
