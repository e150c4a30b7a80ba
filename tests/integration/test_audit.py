"""The audit trail: what is written down, that it is true, and that nobody writes over it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from detection.models import AuditAction, AuditRecord, Camera, Episode, LoginAttempt, Verdict
from detection.services import audit, retention
from tests.integration.test_access import browser, somebody, user_form
from tests.integration.test_admin import camera_form, change, text
from tests.rows import SECRETS, a_camera, a_delivery, a_file, an_episode

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pictures_in_memory")]


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="x")


@pytest.fixture
def page(boss: User) -> Client:
    client = browser(boss)
    AuditRecord.objects.all().delete()
    return client


def acts(*actions: AuditAction) -> list[AuditRecord]:
    records = AuditRecord.objects.order_by("at", "pk")
    return list(records.filter(action__in=actions) if actions else records)


def test_seeing_evidence_is_written_down_once_for_each_look(page: Client, boss: User) -> None:
    episode = an_episode(a_camera())
    a_file(episode)
    picture = f"/admin/detection/episode/{episode.pk}/evidence/snapshot/"
    for _ in range(3):
        page.get(picture)
        page.get(change(episode))
    assert [record.action for record in acts()] == ["snapshot_viewed", "episode_viewed"]
    record = acts()[0]
    assert (record.user, record.username, record.address) == (boss, "boss", "127.0.0.1")
    assert (record.object_type, record.object_id) == ("detection.episode", str(episode.pk))
    AuditRecord.objects.update(at=timezone.now() - audit.ONE_VIEW)
    page.get(picture)
    assert len(acts(AuditAction.SNAPSHOT_VIEWED)) == 2
    browser(somebody("viewer", all_stations=True)).get(picture)
    assert len(acts(AuditAction.SNAPSHOT_VIEWED)) == 3


def test_evidence_is_not_shown_where_the_look_cannot_be_written_down(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = an_episode(a_camera())
    a_file(episode)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(AuditRecord, "save", broken)
    page.raise_request_exception = False
    response = page.get(f"/admin/detection/episode/{episode.pk}/evidence/snapshot/")
    assert response.status_code == 500


def test_a_review_and_its_record_are_written_together_or_not_at_all(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = an_episode(a_camera())
    sent = {"act": "dismissed", "reason": "test", "expected": "unreviewed"}
    address = f"/admin/detection/episode/{episode.pk}/act/"
    with monkeypatch.context() as patch:

        def broken(*_: Any, **__: Any) -> None:
            raise OSError("the disk is full")

        patch.setattr(AuditRecord, "save", broken)
        page.raise_request_exception = False
        assert page.post(address, sent).status_code == 500
    episode.refresh_from_db()
    assert episode.verdict == Verdict.UNREVIEWED
    assert page.post(address, sent).status_code == 302
    (record,) = acts()
    assert record.action == "reviewed"
    assert (record.details["act"], record.details["dismiss_reason"]) == ("dismissed", "test")


def test_resending_is_written_down_from_the_page_and_from_the_list(page: Client) -> None:
    delivery = a_delivery(an_episode(a_camera()), kind="crime")
    page.post(f"/admin/integrations/delivery/{delivery.pk}/resend/")
    page.post(
        "/admin/integrations/delivery/",
        {"action": "resend_chosen", "_selected_action": [delivery.pk]},
    )
    assert [record.action for record in acts()] == ["resent", "resent"]


def test_a_changed_camera_is_written_down_with_old_and_new_but_no_secret(page: Client) -> None:
    camera = a_camera(control_address="10.0.0.1:443")
    sent = camera_form(
        name="Gate", new_password="brand-new-secret", new_stream_url="rtsp://u:p4ss@h/1"
    )
    sent |= {"control_address": "10.0.0.9", "forget": ["username"]}
    assert page.post(change(camera), sent).status_code == 302
    (record,) = acts()
    assert record.action == "changed"
    fields = record.details["fields"]
    assert fields["name"] == ["Camera 1", "Gate"]
    assert fields["control_address"] == ["10.0.0.1:443", "10.0.0.9"]
    assert fields["new_password"] == fields["new_stream_url"] == "changed"
    assert fields["forget"] == [None, ["username"]]
    told = str(record.details)
    for secret in ("brand-new-secret", "p4ss", *SECRETS.values()):
        assert secret not in told


def test_enabling_adding_and_removing_are_written_down(page: Client) -> None:
    camera = a_camera()
    page.post("/admin/detection/camera/", {"action": "disable", "_selected_action": [camera.pk]})
    page.post("/admin/detection/camera/add/", camera_form(name="Bench"))
    remove = {"action": "remove", "_selected_action": [camera.pk], "sure": "yes"}
    page.post("/admin/detection/camera/", remove)
    bench = Camera.objects.get(name="Bench")
    page.post(change(bench).replace("/change/", "/remove/"), {"sure": "yes"})
    assert [(r.action, r.label) for r in acts()] == [
        ("changed", "Camera 1"),
        ("added", "Bench"),
        ("deleted", "Camera 1"),
        ("deleted", "Bench"),
    ]
    assert not Camera.objects.filter(removed_at=None).exists()


def test_rights_are_written_down_with_old_and_new(page: Client) -> None:
    user = somebody("viewer", 3, name="officer")
    operator = Group.objects.get(name="operator")
    page.post(change(user), user_form(user, is_staff="on", groups=[operator.pk]))
    (record,) = acts(AuditAction.CHANGED)
    assert record.details["fields"]["groups"] == [["viewer"], ["operator"]]
    (rights,) = record.details["station rights"]
    assert rights["fields"]["stations"] == [[3], [3, 7]]
    new = {"password1": "another-long-passphrase", "password2": "another-long-passphrase"}
    page.post(change(user).replace("/change/", "/password/"), {**new, "usable_password": "true"})
    last = acts(AuditAction.CHANGED)[-1]
    assert "another-long-passphrase" not in str(last.details)
    assert last.details["fields"] == {"password": "changed"}


def test_ones_own_new_password_is_written_down_but_not_what_it_is(boss: User, page: Client) -> None:
    new = "another-long-passphrase"
    sent = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    page.post("/admin/password_change/", sent)
    assert acts(AuditAction.CHANGED) == []
    page.post("/admin/password_change/", {**sent, "old_password": "x"})
    (record,) = acts(AuditAction.CHANGED)
    assert (record.username, record.object_id) == ("boss", str(boss.pk))
    assert record.details == {"fields": {"password": "changed"}}
    boss.refresh_from_db()
    assert boss.check_password(new)


def test_coming_and_going_are_written_down_also_in_vain(boss: User) -> None:
    client = Client(REMOTE_ADDR="10.9.8.7")
    door = "/admin/login/"
    client.post(door, {"username": "boss", "password": "wrong"})
    client.post(door, {"username": "my-password-in-the-wrong-field", "password": "x"})
    client.post(door, {"username": "boss", "password": "x"})
    client.post("/admin/logout/")
    assert [(r.action, r.username, r.address) for r in acts()] == [
        ("login_failed", "boss", "10.9.8.7"),
        ("login_failed", "", "10.9.8.7"),
        ("login", "boss", "10.9.8.7"),
        ("logout", "boss", "10.9.8.7"),
    ]
    written = str([*AuditRecord.objects.values(), *LoginAttempt.objects.values()])
    assert "my-password" not in written


def test_nobody_changes_the_trail_and_only_supervisors_read_it(page: Client) -> None:
    page.get(change(an_episode(a_camera())))
    (record,) = acts()
    assert "boss" in text(page.get("/admin/detection/auditrecord/"))
    assert page.get("/admin/detection/auditrecord/add/").status_code == 403
    assert page.post(change(record), {"username": "innocent"}).status_code == 403
    assert page.post(change(record).replace("change", "delete"), {"post": "yes"}).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}
    page.post("/admin/detection/auditrecord/", delete)
    assert AuditRecord.objects.get(pk=record.pk).username == "boss"
    with pytest.raises(TypeError, match="written once"):
        record.save()
    for filtered in ("?action__exact=episode_viewed", "?q=boss", "?at__year=2020"):
        assert page.get(f"/admin/detection/auditrecord/{filtered}").status_code == 200
    operator = browser(somebody("operator", all_stations=True))
    assert operator.get("/admin/detection/auditrecord/").status_code == 403
    assert operator.get(change(record)).status_code == 403


def test_the_record_stays_when_its_user_is_gone(page: Client) -> None:
    leaver = somebody("operator", name="leaver", all_stations=True)
    browser(leaver).get(change(an_episode(a_camera())))
    page.post(change(leaver).replace("/change/", "/delete/"), {"post": "yes"})
    assert not User.objects.filter(username="leaver").exists()
    (record,) = acts(AuditAction.EPISODE_VIEWED)
    assert (record.user, record.username) == (None, "leaver")


def test_old_records_are_pruned_and_younger_ones_kept(page: Client, settings: Settings) -> None:
    now = timezone.now()
    days = settings.ENVIRONMENT.audit_days
    for age in (days - 1, days + 1):
        AuditRecord.objects.create(at=now - timedelta(days=age), action="login", username=str(age))
    retention.prune_tables(retention.TABLES, at=now)
    assert [record.username for record in acts()] == [str(days - 1)]


def test_details_hold_no_secret_that_this_process_knows() -> None:
    camera = a_camera()
    record = audit.record(
        AuditAction.CHANGED,
        subject=camera,
        details={"said": f"with {SECRETS['password']}", "deep": [{"url": SECRETS["stream_url"]}]},
    )
    assert all(secret not in str(record.details) for secret in SECRETS.values())


def test_every_change_that_django_logs_comes_by_our_way() -> None:
    """A page that is added is audited without a line of its own."""
    for model_admin in admin.site._registry.values():
        for method in ("log_addition", "log_change", "log_deletions"):
            owner = getattr(type(model_admin), method)
            assert owner.__module__ == "detection.admin.base", (model_admin, method)


def test_an_episode_is_reviewed_by_nobody_else_in_the_trail(page: Client) -> None:
    episode = an_episode(a_camera())
    operator = browser(somebody("operator", all_stations=True, name="first"))
    sent = {"act": "confirmed", "expected": "unreviewed"}
    address = f"/admin/detection/episode/{episode.pk}/act/"
    operator.post(address, sent)
    page.post(address, sent)  # too late: nothing was recorded
    assert [record.username for record in acts(AuditAction.REVIEWED)] == ["first"]
    assert Episode.objects.get().verdict == Verdict.CONFIRMED
