"""Fills a database with very many episodes, as a busy year of workers and officers leaves them."""

import random
import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from detection.domain.crimes import CrimeType
from detection.domain.severity import severity_of
from detection.models import (
    Camera,
    CameraState,
    DismissReason,
    Episode,
    EpisodeEvent,
    EvidenceFile,
    StationAccess,
    Verdict,
)
from integrations.models import Delivery

CAMERAS, STATIONS, DAYS, BATCH = 120, 12, 83, 2_000
TYPES = list(CrimeType)
THINGS = ("gate", "door", "fence", "yard", "till", "car", "window", "bench")
SEQUENCE = count(1)
TOOLS = ("crowbar", "bag", "hammer", "bottle", "rope", "knife", "stick", "box")


def fill(wanted: int) -> bool:
    """Make the rows, unless they are there; whether they had to be made."""
    if Episode.objects.count() >= wanted:
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # nothing is lost that cannot be made anew
            cursor.execute("SET synchronous_commit TO off")
    chance = random.Random(7)
    cameras = [_camera(number) for number in range(1, CAMERAS + 1)]
    reviewer = User.objects.create_user("reviewer")
    now = timezone.now()
    for start in range(0, wanted, BATCH):
        numbers = range(start, min(start + BATCH, wanted))
        with transaction.atomic():
            _save([_episode(n, cameras, chance, now, reviewer) for n in numbers])
    with connection.cursor() as cursor:  # what the server's own upkeep does
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
    return True


def _camera(number: int) -> Camera:
    return Camera.objects.create(
        external_id=number,
        name=f"Camera {number}, {THINGS[number % 8]}",
        address=f"10.0.{number // 250}.{number % 250}",
        station_id=number % STATIONS + 1,
        state=CameraState.RUNNING,
    )


def _episode(
    number: int, cameras: list[Camera], chance: random.Random, now: datetime, reviewer: User
) -> Episode:
    # One of each camera is open: those are the newest.
    is_open = number < CAMERAS // 3
    camera = cameras[number] if is_open else cameras[int(chance.triangular(0, CAMERAS, 0))]
    age = timedelta(days=chance.random() * DAYS) if not is_open else timedelta(minutes=number)
    kind = chance.choice(TYPES)
    began = now - age
    confirmed = chance.random() < 0.3
    verdict = Verdict.UNREVIEWED if is_open else _verdict(chance)
    dismissed = verdict is Verdict.DISMISSED
    rare = " with a ladder" if chance.random() < 0.001 else ""
    thing, tool = chance.choice(THINGS), chance.choice(TOOLS)
    return Episode(
        id=uuid.UUID(int=chance.getrandbits(128), version=4),
        camera=camera,
        claim_token=7,
        status=("confirmed" if confirmed else "suspicious") if is_open else "cleared",
        crime_type=kind.value,
        confidence=round(chance.uniform(50, 99), 1),
        reason=f"person {number % 97} at the {thing} for {number % 60} s, holds a {tool}{rare}",
        started_at=began,
        alerted_at=began + timedelta(seconds=1),
        confirmed_at=began + timedelta(seconds=6) if confirmed else None,
        ended_at=None if is_open else began + timedelta(seconds=chance.randrange(5, 400)),
        decided_at=began + timedelta(seconds=1),
        severity=severity_of(kind, confirmed=confirmed),
        confidence_timeline=[[s, round(chance.uniform(40, 99), 1)] for s in range(40)],
        verdict=verdict,
        dismiss_reason=chance.choice(DismissReason.values) if dismissed else "",
        note="checked with the guard of the site" if chance.random() < 0.1 else "",
        reviewed_by=None if verdict is Verdict.UNREVIEWED else reviewer,
        reviewed_at=None if verdict is Verdict.UNREVIEWED else began + timedelta(hours=1),
        escalated_at=began if chance.random() < 0.005 else None,
        held_at=began if chance.random() < 0.005 else None,
    )


def _verdict(chance: random.Random) -> Verdict:
    return chance.choices(list(Verdict), weights=[20, 30, 50])[0]


def _save(episodes: list[Episode]) -> None:
    Episode.objects.bulk_create(episodes)
    EpisodeEvent.objects.bulk_create([row for one in episodes for row in _events(one)])
    EvidenceFile.objects.bulk_create([row for one in episodes for row in _files(one)])
    Delivery.objects.bulk_create([row for one in episodes for row in _deliveries(one)])


def _events(episode: Episode) -> Iterable[EpisodeEvent]:
    yield EpisodeEvent(episode=episode, step=1, kind="opened", at=episode.started_at)
    if episode.confirmed_at:
        yield EpisodeEvent(episode=episode, step=2, kind="confirmed", at=episode.confirmed_at)
    if episode.ended_at:
        yield EpisodeEvent(episode=episode, step=3, kind="cleared", at=episode.ended_at)


def _files(episode: Episode) -> Iterable[EvidenceFile]:
    kinds = (("snapshot", "image/jpeg"), ("preview", "image/webp"), ("clip", "video/mp4"))
    for sequence, (kind, content_type) in enumerate(kinds, start=1):
        yield EvidenceFile(
            episode=episode,
            sequence=sequence,
            kind=kind,
            name=f"{episode.pk}/{kind}",
            content_type=content_type,
            size=80_000,
            sha256="0" * 64,
            link="0" * 64,
            facts={"began_at": episode.started_at.isoformat(), "seconds": 30.0},
            kept_at=episode.alerted_at,
        )


def _deliveries(episode: Episode) -> Iterable[Delivery]:
    for kind in ("alert", "stop"):
        yield Delivery(
            camera=episode.camera,
            episode=episode,
            reporter="laravel",
            sequence=next(SEQUENCE),
            kind=kind,
            payload={"camera_id": episode.camera_id, "confidence": episode.confidence},
            answer={"id": 1},
            status="delivered",
            next_attempt_at=episode.alerted_at,
        )


# --- who asks, and for what -----------------------------------------------------------------------


def an_officer(name: str, stations: list[int] | None = None) -> Client:
    """A browser of an officer of these stations, or of a superuser."""
    user, is_new = User.objects.get_or_create(
        username=name, defaults={"is_staff": True, "is_superuser": stations is None}
    )
    if is_new and stations is not None:
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="detection"))
        user.user_permissions.remove(*Permission.objects.filter(codename="see_all_stations"))
        StationAccess.objects.create(user=user, stations=stations)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def keys_of_interest() -> tuple[uuid.UUID, int]:
    """An episode in the middle of them all, and the busiest camera."""
    middle = Episode.objects.order_by("started_at")[Episode.objects.count() // 2]
    camera = Camera.objects.order_by("pk").first()
    assert camera is not None
    return middle.pk, camera.pk


def an_open_card_page(client: Client) -> str:
    """The address that an open page of the queue asks every ten seconds."""
    page = client.get("/admin/detection/episode/?view=cards").content.decode()
    (read_at,), (known,) = (
        re.findall('data-read-at="(.*?)"', page),
        re.findall('data-known="(.*?)"', page),
    )
    shown = ",".join(re.findall('data-card="(.*?)"', page))
    asked = {"read_at": read_at, "known": known, "shown": shown}
    return f"/admin/detection/episode/news/?{urlencode(asked)}"


def queries_of_the_queue() -> Iterator[tuple[str, "QuerySet[Any]"]]:
    """The queries that grow with the table, for their plans to be looked at."""
    from detection.admin.queue_filter import QueueFilter

    boss = User.objects.get(username="boss")
    for asked in ({}, {"verdict": "unreviewed"}, {"course": "open"}, {"order": "surest"}):
        rows = QueueFilter(asked, boss).rows(Episode.objects.all())
        yield f"first page of {asked}", rows.values_list("pk", flat=True)[:50]
