"""The admin as officers and operators use it: through its pages, with a real database."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from detection.admin.camera_form import shown_stream
from detection.admin.watch_health import judge, only_seem_watched, really_watched
from detection.models import (
    AuditAction,
    AuditRecord,
    Camera,
    CameraState,
    Claim,
    Episode,
    EpisodeEvent,
    Verdict,
    Zone,
)
from integrations.models import Delivery, DeliveryStatus, Siren
from tests.rows import (
    FRAGMENTS,
    JPEG,
    SECRETS,
    a_camera,
    a_claim,
    a_delivery,
    a_file,
    a_scene,
    an_episode,
    officer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pictures_in_memory")]

HOSTILE = "<script>alert('x')</script>"

LISTS = {
    "detection/camera": Camera,
    "detection/zone": Zone,
    "detection/claim": Claim,
    "detection/episode": Episode,
    "integrations/delivery": Delivery,
    "integrations/siren": Siren,
}


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="x")


@pytest.fixture
def page(boss: User) -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(boss)
    return client


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    content: bytes = response.content
    return content.decode()


def change(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def camera_form(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a local camera with no credential typed in."""
    inputs = {f"new_{name}": "" for name in SECRETS}
    return {"name": "Camera 1", "enabled": "on", **inputs, **changes}


# --- every page -----------------------------------------------------------------------------------


def test_every_page_answers_a_superuser_and_sends_a_stranger_to_the_login(page: Client) -> None:
    rows = a_scene(1)
    addresses = ["/admin/", "/admin/auth/user/", "/admin/auth/group/", "/admin/auth/user/add/"]
    addresses += ["/admin/detection/camera/add/"]
    addresses += ["/admin/detection/camera/live/?ids=1", "/admin/auth/user/1/change/"]
    for name, row in rows.items():
        addresses += [f"/admin/{name}/", change(row), change(row).replace("change", "history")]
    for address in addresses:
        assert page.get(address).status_code == 200, address
        assert Client().get(address).status_code == 302, address


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_says_what_to_do_next(page: Client, name: str) -> None:
    body = text(page.get(f"/admin/{name}/"))
    assert "co-empty" in body
    assert "No results found" not in body


def test_a_filter_without_results_offers_to_show_all(page: Client) -> None:
    a_camera()
    assert "Show all" in text(page.get("/admin/detection/camera/?q=nothing-of-that-name"))


def test_no_page_names_an_outside_host(page: Client) -> None:
    rows = a_scene(1)
    for address in ["/admin/", *(f"/admin/{n}/" for n in rows), *map(change, rows.values())]:
        body = text(page.get(address)).replace("http://www.w3.org/", "")
        assert "http://" not in body, address
        assert "https://" not in body, address


@pytest.mark.parametrize("name", LISTS)
def test_fifty_rows_cost_no_more_queries_than_two(page: Client, name: str) -> None:
    for number in (1, 2):
        a_scene(number)
    page.get(f"/admin/{name}/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        text(page.get(f"/admin/{name}/"))
    for number in range(3, 51):
        a_scene(number)
    with CaptureQueriesContext(connection) as many:
        text(page.get(f"/admin/{name}/"))
    assert len(many) <= len(few)


def test_the_overview_and_the_living_cells_stay_light(page: Client) -> None:
    ids = ",".join(str(a_scene(number)["detection/camera"].pk) for number in range(1, 21))
    with CaptureQueriesContext(connection) as overview:
        page.get("/admin/")
    with CaptureQueriesContext(connection) as live:
        page.get(f"/admin/detection/camera/live/?ids={ids}")
    assert len(overview) <= 18  # session, user, badges, cards of both halves, the site
    assert len(live) <= 7  # session, user, cameras, episodes, when wanted and when watched


@pytest.mark.parametrize("name", ["detection/episode", "detection/claim", "integrations/delivery"])
def test_what_workers_write_is_not_changed_by_hand(page: Client, name: str) -> None:
    row = a_scene(1)[name]
    assert page.get(f"/admin/{name}/add/").status_code == 403
    assert page.post(change(row), {}).status_code == 403
    assert page.get(change(row).replace("change", "delete")).status_code == 403


# --- credentials ----------------------------------------------------------------------------------


def assert_no_secret(body: str) -> None:
    for fragment in FRAGMENTS:
        assert fragment not in body, fragment


def test_credentials_stand_in_no_page(page: Client) -> None:
    camera = a_camera()
    listed = a_camera(2, registry="laravel")
    page.post(change(camera), camera_form(new_password="pa55-new", name="Renamed"))
    an_episode(camera)
    for row in (camera, listed):
        for address in (change(row), change(row).replace("change", "history")):
            assert_no_secret(text(page.get(address)))
    assert_no_secret(text(page.get("/admin/detection/camera/")))
    assert_no_secret(text(page.get(f"/admin/detection/camera/live/?ids={camera.pk}")))
    assert_no_secret(text(page.get("/admin/detection/episode/")))


def test_a_validation_error_gives_no_credential_back(page: Client) -> None:
    camera = a_camera()
    wrong = camera_form(name="", new_password="pa55", new_stream_url="ftp://wachmann-17:pa55@x/")
    body = text(page.post(change(camera), wrong))
    assert "This field is required" in body
    assert "is no camera stream" in body
    assert_no_secret(body)


def test_who_may_only_look_sees_no_credential_either() -> None:
    camera = a_camera()
    viewer = officer("viewer", "view_camera", "view_zone")
    body = text(viewer.get(change(camera)))
    assert_no_secret(body)
    assert "rtsp://10.1.2.3:554/stream1" in body
    assert viewer.post(change(camera), camera_form()).status_code == 403


def test_empty_credential_inputs_keep_what_is_stored(page: Client) -> None:
    camera = a_camera()
    assert page.post(change(camera), camera_form(name="Renamed")).status_code == 302
    camera.refresh_from_db()
    assert camera.name == "Renamed"
    assert {name: getattr(camera, name) for name in SECRETS} == SECRETS


def test_a_credential_is_set_and_another_forgotten(page: Client) -> None:
    camera = a_camera()
    sent = camera_form(new_password=" with spaces ", forget=["control_password"])
    assert page.post(change(camera), sent).status_code == 302
    camera.refresh_from_db()
    assert camera.password == " with spaces "
    assert camera.control_password == ""
    assert camera.username == SECRETS["username"]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("rtsp://a:b@10.0.0.1:554/live", "rtsp://10.0.0.1:554/live"),
        ("rtsp://a:b/c@d@10.0.0.1/live", "rtsp://10.0.0.1/live"),
        ("rtsp://a:b://c@10.0.0.1/live", "rtsp://10.0.0.1/live"),
        ("rtsp://10.0.0.1/live?user=a&pwd=b", "rtsp://10.0.0.1/live/…"),
        ("rtsp://10.0.0.1/user=a&password=b&channel=1", "rtsp://10.0.0.1/…"),
        ("", "not set"),
    ],
)
def test_a_stream_address_is_shown_without_user_and_password(stored: str, shown: str) -> None:
    assert shown_stream(stored) == shown


# --- cameras --------------------------------------------------------------------------------------


def test_a_camera_added_by_hand_is_a_local_one_with_a_number_of_its_own(page: Client) -> None:
    a_camera(4)
    sent = camera_form(name="Bench", new_stream_url="rtsp://bench/1")
    assert page.post("/admin/detection/camera/add/", sent).status_code == 302
    camera = Camera.objects.get(name="Bench")
    assert (camera.registry, camera.external_id, camera.stream_url) == (
        "local",
        5,
        "rtsp://bench/1",
    )


def test_what_a_registry_lists_is_not_changed_by_hand(page: Client) -> None:
    camera = a_camera(registry="laravel")
    sent = camera_form(name="Mine", new_username="me", new_control_password="t2", enabled="")
    assert page.post(change(camera), sent).status_code == 302
    camera.refresh_from_db()
    assert (camera.name, camera.username) == ("Camera 1", SECRETS["username"])
    assert (camera.enabled, camera.control_password) == (False, "t2")


def test_saving_a_camera_does_not_undo_what_its_watcher_wrote_meanwhile(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = a_camera()
    save = Camera.save

    def watcher_is_faster(self: Camera, *args: Any, **kwargs: Any) -> None:
        Camera.objects.filter(pk=camera.pk).update(state=CameraState.RUNNING)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Camera, "save", watcher_is_faster)
    page.post(change(camera), camera_form(name="Renamed"))
    camera.refresh_from_db()
    assert (camera.name, camera.state) == ("Renamed", CameraState.RUNNING)


def test_cameras_are_enabled_and_disabled_in_bulk_by_those_who_may() -> None:
    camera = a_camera(retry_at=timezone.now() + timedelta(hours=1))
    disable = {"action": "disable", "_selected_action": [camera.pk]}
    enable = {"action": "enable", "_selected_action": [camera.pk]}
    officer("viewer", "view_camera").post("/admin/detection/camera/", disable)
    camera.refresh_from_db()
    assert camera.enabled
    operator = officer("operator", "view_camera", "change_camera")
    operator.post("/admin/detection/camera/", disable)
    camera.refresh_from_db()
    assert not camera.enabled
    operator.post("/admin/detection/camera/", enable)
    camera.refresh_from_db()
    assert (camera.enabled, camera.retry_at) == (True, None)


@pytest.mark.parametrize(
    ("lease_seconds", "frame_age", "word"),
    [(10, 1, "Running"), (10, 60, "No frames"), (-1, 1, "Not watched"), (10, None, "No frames")],
)
def test_a_running_camera_looks_wrong_without_a_live_claim_or_a_fresh_frame(
    page: Client, lease_seconds: float, frame_age: float | None, word: str
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    camera = a_camera(state=CameraState.RUNNING, state_changed_at=long_ago)
    a_claim(camera, lease_seconds=lease_seconds, frame_age=frame_age)
    body = text(page.get("/admin/detection/camera/"))
    assert f">{word}</span>" in body
    assert ("co-alarming" in body) == (word == "No frames")
    seems = text(page.get("/admin/detection/camera/?watch=seems"))
    assert ("Camera 1" in seems) == (word != "Running")


def test_a_running_camera_that_nobody_ever_claimed_looks_wrong(page: Client) -> None:
    a_camera(state=CameraState.RUNNING)
    assert ">Not watched</span>" in text(page.get("/admin/detection/camera/"))


def test_list_filter_and_label_judge_alike() -> None:
    now = timezone.now()
    number = 0
    for state in CameraState:
        for lease_seconds in (None, 10, -10):
            for frame_age in (None, 1, 60):
                for since in (0, 3600):
                    number += 1
                    camera = a_camera(number, state=state, enabled=number % 5 != 0)
                    moved = now - timedelta(seconds=since)
                    Camera.objects.filter(pk=camera.pk).update(state_changed_at=moved)
                    if lease_seconds is not None:
                        a_claim(camera, lease_seconds=lease_seconds, frame_age=frame_age)
    for camera in Camera.objects.select_related("claim"):
        word = judge(camera, now).word
        seems = Camera.objects.filter(only_seem_watched(now), pk=camera.pk).exists()
        watched = Camera.objects.filter(really_watched(now), pk=camera.pk).exists()
        assert seems == (word in {"No frames", "Not watched"}), (camera.state, word)
        assert watched == (word == "Running"), (camera.state, word)


def test_the_living_cells_are_those_of_the_list_and_need_permission(page: Client) -> None:
    camera = a_camera(state=CameraState.ERROR, reason=HOSTILE)
    cells = page.get(f"/admin/detection/camera/live/?ids={camera.pk},999,x").json()["cells"]
    assert ">Error</span>" in cells[f"{camera.pk}:state"]
    assert "&lt;script&gt;" in cells[f"{camera.pk}:remark"]
    assert "<script>" not in cells[f"{camera.pk}:remark"]
    assert officer("nobody").get("/admin/detection/camera/live/?ids=1").status_code == 403


# --- episodes -------------------------------------------------------------------------------------


def test_names_and_reasons_are_escaped_everywhere_also_in_the_drawing(page: Client) -> None:
    camera = a_camera(name=HOSTILE, state=CameraState.ERROR, reason=HOSTILE)
    episode = an_episode(camera, reason=HOSTILE, note=HOSTILE, verdict=Verdict.CONFIRMED)
    EpisodeEvent.objects.create(
        episode=episode, kind="opened", at=episode.started_at, detail=HOSTILE
    )
    delivery = a_delivery(episode, last_error=HOSTILE, answer={"said": HOSTILE})
    siren = Siren.objects.create(camera=camera, episode_id=episode.pk, last_error=HOSTILE)
    rows = (camera, episode, delivery, siren)
    lists = [f"/admin/{r._meta.app_label}/{r._meta.model_name}/" for r in rows]
    for address in [*lists, *map(change, rows)]:
        body = text(page.get(address))
        assert "<script>alert" not in body, address
        assert "&lt;script&gt;alert" in body, address


def test_an_episode_is_told_with_its_picture_course_events_and_deliveries(page: Client) -> None:
    camera = a_camera()
    episode = an_episode(camera)
    a_file(episode)
    began = episode.started_at
    EpisodeEvent.objects.create(episode=episode, kind="opened", at=began + timedelta(seconds=0.6))
    EpisodeEvent.objects.create(episode=episode, kind="confirmed", at=began + timedelta(seconds=8))
    a_delivery(episode)
    Siren.objects.create(
        camera=camera, episode_id=episode.pk, wanted_until=timezone.now(), silent_at=None
    )
    body = text(page.get(change(episode)))
    assert f"/admin/detection/episode/{episode.pk}/evidence/snapshot/" in body
    assert "The confidence peaks at 91 % after 6.0 s and ends at 30 %." in body
    assert '<td dir="ltr">+8.0 s</td>' in body, "the confirmation, in the table of the course"
    assert "422: no such camera" in body
    assert "Not confirmed silent" in body


def test_times_are_those_of_the_site(page: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Africa/Addis_Ababa"
    noon = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
    body = text(page.get(change(an_episode(a_camera(), started_at=noon))))
    assert "2026-03-01 15:00:00" in body
    assert "2026-03-01 12:00:00" not in body


def test_a_picture_is_for_those_who_may_see_the_episode() -> None:
    episode = an_episode(a_camera())
    a_file(episode)
    address = f"/admin/detection/episode/{episode.pk}/evidence/snapshot/"
    response = officer("viewer", "view_episode").get(address)
    assert b"".join(response.streaming_content) == JPEG  # type: ignore[attr-defined]  # a FileResponse
    assert response["Content-Type"] == "image/jpeg"
    assert "private" in response["Cache-Control"]
    assert officer("nobody").get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_where_there_is_no_picture_the_answer_says_so(page: Client) -> None:
    episode = an_episode(a_camera())
    assert page.get(f"/admin/detection/episode/{episode.pk}/evidence/snapshot/").status_code == 404
    assert page.get(f"/admin/detection/episode/{uuid4()}/evidence/snapshot/").status_code == 404


def verdict_on(episode: Episode, verdict: str, **fields: str) -> tuple[str, dict[str, str]]:
    address = f"/admin/detection/episode/{episode.pk}/act/"
    return address, {"act": verdict, "expected": "unreviewed", **fields}


def test_an_officer_dismisses_an_episode_with_a_reason_and_a_note(page: Client, boss: User) -> None:
    episode = an_episode(a_camera())
    sent = verdict_on(episode, "dismissed", reason="test", note="drill of the week")
    assert "Recorded: dismissed (Test or drill)." in text(page.post(*sent, follow=True))
    episode.refresh_from_db()
    assert (episode.verdict, episode.dismiss_reason) == ("dismissed", "test")
    assert (episode.note, episode.reviewed_by) == ("drill of the week", boss)
    assert "Recorded: dismissed (Test or drill)." in text(
        page.get(change(episode).replace("change", "history"))
    )


def test_a_dismissal_without_a_reason_is_refused(page: Client) -> None:
    episode = an_episode(a_camera())
    body = text(page.post(*verdict_on(episode, "dismissed"), follow=True))
    assert "choose a reason for dismissing the episode" in body
    episode.refresh_from_db()
    assert episode.verdict == Verdict.UNREVIEWED


def test_the_second_reviewer_is_told_who_was_first(page: Client) -> None:
    episode = an_episode(a_camera())
    page.post(*verdict_on(episode, "confirmed"))
    second = officer("second", "view_episode", "change_episode")
    late = verdict_on(episode, "dismissed", reason="test")
    assert "boss has already set this episode to confirmed" in text(second.post(*late, follow=True))
    episode.refresh_from_db()
    assert episode.verdict == Verdict.CONFIRMED


def test_a_verdict_needs_permission_a_post_and_the_token_of_the_page() -> None:
    episode = an_episode(a_camera())
    sent = verdict_on(episode, "confirmed")
    viewer = officer("viewer", "view_episode")
    assert viewer.post(*sent).status_code == 403
    assert 'name="act"' not in text(viewer.get(change(episode)))
    reviewer = officer("reviewer", "view_episode", "change_episode")
    assert reviewer.get(sent[0]).status_code == 405
    reviewer.handler.enforce_csrf_checks = True
    assert reviewer.post(*sent).status_code == 403
    episode.refresh_from_db()
    assert episode.verdict == Verdict.UNREVIEWED


# --- deliveries and sirens ------------------------------------------------------------------------


def test_a_refused_delivery_is_sent_again_from_its_page_and_from_its_episode(page: Client) -> None:
    episode = an_episode(a_camera())
    for back, where in (("", "integrations/delivery"), ("episode", "detection/episode")):
        delivery = a_delivery(episode, sequence=1 + len(back), kind="crime")
        address = f"/admin/integrations/delivery/{delivery.pk}/resend/"
        response = page.post(address, {"back": back})
        assert response["Location"].startswith(f"/admin/{where}/")
        delivery.refresh_from_db()
        assert delivery.status == DeliveryStatus.PENDING


def test_deliveries_are_sent_again_in_bulk_but_not_those_overtaken(page: Client) -> None:
    episode = an_episode(a_camera())
    refused = a_delivery(episode, 1, kind="crime")
    overtaken = a_delivery(episode, 2, status="superseded")
    chosen = {"action": "resend_chosen", "_selected_action": [refused.pk, overtaken.pk]}
    body = text(page.post("/admin/integrations/delivery/", chosen, follow=True))
    assert "1 delivery will be sent again." in body
    assert "1 left out: " in body
    refused.refresh_from_db()
    overtaken.refresh_from_db()
    assert (refused.status, overtaken.status) == ("pending", "superseded")


@pytest.mark.parametrize(
    ("goes_on", "kind", "status", "overtaken_by", "resent"),
    [
        (True, "alert", "refused", "", True),
        (True, "alert", "pending", "", True),
        (True, "alert", "superseded", "", False),
        (True, "alert", "delivered", "", False),
        (True, "alert", "refused", "alert", False),
        (True, "alert", "refused", "crime", True),
        (False, "alert", "refused", "", False),
        (False, "crime", "refused", "alert", True),
        (False, "crime", "delivered", "", False),
        (False, "stop", "refused", "", True),
        (False, "stop", "refused", "alert", False),
    ],
)
def test_only_what_is_still_so_is_sent_again(
    page: Client, goes_on: bool, kind: str, status: str, overtaken_by: str, resent: bool
) -> None:
    state = {"status": "suspicious", "ended_at": None} if goes_on else {"status": "cleared"}
    episode = an_episode(a_camera(), **state)
    delivery = a_delivery(episode, 1, kind=kind, status=status)
    if overtaken_by:
        a_delivery(episode, 2, kind=overtaken_by, status="delivered")
    body = text(page.post(f"/admin/integrations/delivery/{delivery.pk}/resend/", follow=True))
    assert ("will be sent again" in body) == resent
    assert ("is not sent again: it was told" in body) != resent
    delivery.refresh_from_db()
    assert delivery.status == ("pending" if resent else status)
    acts = AuditRecord.objects.filter(action=AuditAction.RESENT)
    assert acts.count() == resent, "what did not happen is not written down"


def test_sending_again_needs_permission_a_post_and_the_token_of_the_page() -> None:
    delivery = a_delivery(an_episode(a_camera()))
    address = f"/admin/integrations/delivery/{delivery.pk}/resend/"
    viewer = officer("viewer", "view_delivery")
    assert viewer.post(address).status_code == 403
    assert "/resend/" not in text(viewer.get(change(delivery)))
    operator = officer("operator", "view_delivery", "change_delivery")
    assert operator.get(address).status_code == 405
    operator.handler.enforce_csrf_checks = True
    assert operator.post(address).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.REFUSED


def test_sirens_say_whether_they_sound(page: Client) -> None:
    now = timezone.now()
    later = now + timedelta(seconds=30)
    rows: list[dict[str, Any]] = [
        {"silent_at": now},
        {"wanted_until": later, "sounded_at": now},
        {"wanted_until": later},
        {"wanted_until": now - timedelta(seconds=1), "sounded_at": now},
    ]
    for number, fields in enumerate(rows, start=1):
        Siren.objects.create(camera=a_camera(number), **fields)
    body = text(page.get("/admin/integrations/siren/"))
    for word in ("Silent", "Sounding", "Asked to sound", "Not confirmed silent"):
        assert f">{word}</span>" in body


def test_the_sidebar_shows_each_only_what_may_be_seen_and_what_waits() -> None:
    a_delivery(an_episode(a_camera(state=CameraState.ERROR)))
    body = text(officer("viewer", "view_episode").get("/admin/"))
    assert 'href="/admin/detection/episode/"' in body
    assert "Unreviewed episodes" in body
    assert "/admin/detection/camera/" not in body
    assert "Deliveries" not in body
    assert "Nothing to show you yet" in text(officer("nobody").get("/admin/"))
