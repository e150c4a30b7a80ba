"""A file of evidence behind its address: for whom, in which parts, and only as it was kept."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from detection.models import (
    AuditRecord,
    Episode,
    EvidenceFile,
    EvidenceKind,
    EvidenceLink,
    StationAccess,
)
from detection.services import retention
from detection.services.evidence_links import token_of
from tests.integration.evidence_places import keep_in_folder
from tests.rows import JPEG, a_camera, a_file, an_episode, officer

pytestmark = pytest.mark.django_db

VIDEO = bytes(range(250)) * 40  # 10,000 bytes, each known by its place


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def episode() -> Episode:
    episode = an_episode(a_camera(station_id=4))
    a_file(episode, EvidenceKind.CLIP, VIDEO)
    a_file(episode, EvidenceKind.SNAPSHOT, JPEG)
    return episode


@pytest.fixture
def page() -> Client:
    return officer("kim", "view_episode")


def address(episode: Episode, kind: str = "clip") -> str:
    return reverse("admin:detection_episode_evidence", args=(episode.pk, kind))


def get(page: Client, url: str, **headers: str) -> Any:
    return page.get(url, headers={name.replace("_", "-"): v for name, v in headers.items()})


# --- parts ---------------------------------------------------------------------------------------


def test_a_whole_file_says_all_that_a_player_and_a_cache_must_know(
    page: Client, episode: Episode
) -> None:
    answer = get(page, address(episode))
    assert (answer.status_code, answer.getvalue()) == (200, VIDEO)
    said = {name: answer[name] for name in ("Content-Type", "Content-Length", "Accept-Ranges")}
    assert said == {
        "Content-Type": "video/mp4",
        "Content-Length": "10000",
        "Accept-Ranges": "bytes",
    }
    assert answer["Cache-Control"].startswith("private")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{episode.files.get(kind="clip").sha256}"'


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 9999),
        ("bytes=100-199", 100, 199),
        ("bytes=9990-", 9990, 9999),
        ("bytes=9990-20000", 9990, 9999),
        ("bytes=-5", 9995, 9999),
        ("bytes=-20000", 0, 9999),
    ],
)
def test_a_part_is_what_was_asked_for(
    asked: str, first: int, last: int, page: Client, episode: Episode
) -> None:
    answer = get(page, address(episode), Range=asked)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/10000"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer.getvalue() == VIDEO[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=10000-", "bytes=-0", "bytes=20000-30000"])
def test_a_part_behind_the_end_is_refused(asked: str, page: Client, episode: Episode) -> None:
    answer = get(page, address(episode), Range=asked)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10000")


@pytest.mark.parametrize(
    "asked", ["bytes=5-1", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "nonsense", "bytes=a-b"]
)
def test_what_is_no_range_gives_the_whole_file(asked: str, page: Client, episode: Episode) -> None:
    answer = get(page, address(episode), Range=asked)
    assert (answer.status_code, answer.getvalue()) == (200, VIDEO)


def test_only_the_head_is_sent_where_only_that_is_asked_for(page: Client, episode: Episode) -> None:
    answer = page.head(address(episode))
    assert (answer.status_code, answer["Content-Length"]) == (200, "10000")
    assert b"".join(answer.streaming_content) == b""  # type: ignore[attr-defined]
    assert page.post(address(episode)).status_code == 405


def test_a_cache_asks_whether_it_has_the_file(page: Client, episode: Episode) -> None:
    tag = get(page, address(episode))["ETag"]
    assert get(page, address(episode), If_None_Match=tag).status_code == 304
    assert get(page, address(episode), If_None_Match='"other"').status_code == 200
    part = get(page, address(episode), Range="bytes=0-9", If_Range=tag)
    assert part.status_code == 206
    changed = get(page, address(episode), Range="bytes=0-9", If_Range='"other"')
    assert changed.status_code == 200, "a player must not join parts of two files"


# --- only as it was kept -------------------------------------------------------------------------


def test_a_picture_that_was_changed_is_not_shown(
    page: Client, episode: Episode, folder: Path
) -> None:
    path = folder / episode.files.get(kind="snapshot").name
    path.write_bytes(JPEG[:-1] + b"!")
    answer = get(page, address(episode, "snapshot"))
    assert answer.status_code == 410
    assert b"not as it was kept and is not shown" in answer.content
    assert not AuditRecord.objects.filter(action="snapshot_viewed").exists()


def test_a_video_that_was_cut_is_not_shown(page: Client, episode: Episode, folder: Path) -> None:
    (folder / episode.files.get(kind="clip").name).write_bytes(VIDEO[:-1])
    assert get(page, address(episode)).status_code == 410


def test_what_is_missing_away_or_removed_says_so_in_a_sentence(
    page: Client, episode: Episode, folder: Path
) -> None:
    (folder / episode.files.get(kind="clip").name).unlink()
    missing = get(page, address(episode))
    assert (missing.status_code, missing["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert b"This file is missing" in missing.content
    (folder / "episodes").rename(folder / "not mounted")
    away = get(page, address(episode))
    assert away.status_code == 503
    assert b"try again in a while" in away.content
    (folder / "not mounted").rename(folder / "episodes")
    Episode.objects.filter(pk=episode.pk).update(ended_at=timezone.now() - timedelta(days=200))
    retention.prune(at=timezone.now())
    gone = get(page, address(episode))
    assert gone.status_code == 410
    assert b"no longer kept since" in gone.content
    assert b"It was older than evidence is kept" in gone.content


# --- for whom ------------------------------------------------------------------------------------


def test_each_stretch_of_looking_is_on_record_by_kind(page: Client, episode: Episode) -> None:
    for asked in ("bytes=0-99", "bytes=100-199", "bytes=200-299"):
        get(page, address(episode), Range=asked)
    get(page, address(episode, "snapshot"))
    records = AuditRecord.objects.exclude(action="login").order_by("pk")
    assert [(record.action, record.details) for record in records] == [
        ("evidence_viewed", {"kind": "clip"}),
        ("snapshot_viewed", {"kind": "snapshot"}),
    ]
    assert {record.object_id for record in records} == {str(episode.pk)}


def test_who_has_no_right_gets_what_who_asks_for_nothing_gets_and_is_on_record(
    episode: Episode,
) -> None:
    clerk, elsewhere = officer("clerk", "view_camera"), officer("elsewhere", "view_episode")
    StationAccess.objects.filter(user__username="elsewhere").update(
        all_stations=False, stations=[5]
    )
    nothing = get(elsewhere, address(Episode(pk="00000000-0000-4000-8000-000000000000")))
    for client in (clerk, elsewhere):
        answer = get(client, address(episode))
        assert (answer.status_code, answer.content) == (404, nothing.content)
    refused = AuditRecord.objects.filter(action="evidence_refused").order_by("pk")
    assert [(one.username, one.object_id) for one in refused] == [
        ("clerk", str(episode.pk)),
        ("elsewhere", str(episode.pk)),
    ]
    assert get(officer("boss", "view_episode"), address(episode, "nonsense")).status_code == 404


def test_made_up_kinds_do_not_fill_the_audit_trail(episode: Episode) -> None:
    clerk = officer("clerk", "view_camera")
    for number in range(5):
        get(clerk, address(episode, f"kind-{number}"))
    refused = AuditRecord.objects.filter(action="evidence_refused")
    assert [one.details for one in refused] == [{"kind": "another"}]


# --- links ---------------------------------------------------------------------------------------


@pytest.fixture
def maker() -> Client:
    return officer("maker", "view_episode", "add_evidencelink")


def make(client: Client, episode: Episode, **fields: Any) -> Any:
    given = {"kind": "clip", "hours": 24, "purpose": "the court", **fields}
    return client.post(reverse("admin:detection_episode_evidence_link", args=(episode.pk,)), given)


@pytest.fixture
def link(maker: Client, episode: Episode) -> EvidenceLink:
    assert make(maker, episode).status_code == 302
    return EvidenceLink.objects.get()


def by_link(link: EvidenceLink, **headers: str) -> Any:
    return get(Client(), f"/evidence/{token_of(link)}", **headers)


def test_a_link_shows_one_file_to_somebody_without_an_account(
    link: EvidenceLink, episode: Episode
) -> None:
    answer = by_link(link, Range="bytes=10-19")
    assert (answer.status_code, answer.getvalue()) == (206, VIDEO[10:20])
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert link.expires_at - link.made_at == timedelta(hours=24)
    for word in (str(episode.pk), "clip", "maker", episode.pk.hex):
        assert word not in token_of(link)
    assert token_of(link) == token_of(link), "one link has one address"


def test_making_and_using_a_link_is_on_record(link: EvidenceLink) -> None:
    for _ in range(3):
        by_link(link)
    made, used = AuditRecord.objects.exclude(action="login").order_by("pk")
    assert (made.action, made.username) == ("evidence_linked", "maker")
    assert made.details["said"] == "Video: the court, 24 h"
    assert (used.action, used.username, used.user) == ("evidence_viewed", "link:maker", None)
    assert (used.address, used.details["link"]) == ("127.0.0.1", str(link.pk))


def lose_right(link: EvidenceLink) -> None:
    link.made_by.user_permissions.clear()


def lose_station(link: EvidenceLink) -> None:
    StationAccess.objects.filter(user=link.made_by).update(all_stations=False, stations=[9])


def lose_account(link: EvidenceLink) -> None:
    User.objects.filter(pk=link.made_by_id).update(is_active=False)


def lose_file(link: EvidenceLink) -> None:
    EvidenceFile.objects.filter(pk=link.file_id).update(removed_at=timezone.now())


def expire(link: EvidenceLink) -> None:
    EvidenceLink.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize("lose", [lose_right, lose_station, lose_account, lose_file, expire])
def test_a_link_ends_with_its_makers_rights_its_file_and_its_time(
    lose: Any, link: EvidenceLink
) -> None:
    lose(link)
    answer = by_link(link)
    assert (answer.status_code, answer["Cache-Control"]) == (404, "private, no-store")
    assert b"not good, or not any more" in answer.content


def test_a_link_that_is_taken_back_is_over(
    link: EvidenceLink, maker: Client, episode: Episode
) -> None:
    end = reverse("admin:detection_episode_evidence_unlink", args=(episode.pk, link.pk))
    assert maker.get(end).status_code == 405
    assert maker.post(end).status_code == 302
    assert by_link(link).status_code == 404
    assert AuditRecord.objects.filter(action="evidence_linked").count() == 2


def test_a_forged_link_is_refused_without_end_and_on_record_for_a_while(
    link: EvidenceLink,
) -> None:
    token = token_of(link)
    forged = [token[:-1] + ("a" if token[-1] != "a" else "b"), "x", "a:b:c", token + "x"]
    assert {get(Client(), f"/evidence/{one}").status_code for one in forged} == {404}
    for number in range(20):
        last = get(Client(), f"/evidence/{number}")
    assert (last.status_code, last["Retry-After"]) == (429, "600")
    refused = AuditRecord.objects.filter(action="evidence_refused")
    assert refused.count() == 10
    assert by_link(link).status_code == 200, "others behind that address see theirs"


@pytest.mark.parametrize("fields", [{"hours": 9999}, {"kind": "recording"}, {"purpose": ""}])
def test_a_link_without_a_file_a_time_or_a_purpose_is_not_made(
    fields: dict[str, Any], maker: Client, episode: Episode
) -> None:
    assert make(maker, episode, **fields).status_code == 302
    assert not EvidenceLink.objects.exists()


def test_who_may_not_make_links_makes_none(page: Client, episode: Episode) -> None:
    assert make(page, episode).status_code == 403
    assert make(officer("clerk", "add_evidencelink"), episode).status_code == 404
    assert not EvidenceLink.objects.exists()


def test_the_page_of_the_episode_names_files_bundle_and_links(
    maker: Client, link: EvidenceLink, episode: Episode
) -> None:
    body = maker.get(reverse("admin:detection_episode_change", args=(episode.pk,))).content.decode()
    assert reverse("admin:detection_episode_bundle", args=(episode.pk,)) in body
    assert episode.files.get(kind="clip").sha256 in body
    assert f"/evidence/{token_of(link)}" in body
    viewer = officer("viewer", "view_episode")
    shown = viewer.get(reverse("admin:detection_episode_change", args=(episode.pk,)))
    assert "/evidence/" + token_of(link) not in shown.content.decode()
