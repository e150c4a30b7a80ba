"""Who may see and do what: every page of the admin, walked as every role and by a stranger."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from crimeops.roles import ROLES
from detection.admin.base import ModelAdmin
from detection.models import (
    AuditRecord,
    Camera,
    Episode,
    EvidenceFile,
    LoginAttempt,
    StationAccess,
    Zone,
)
from detection.models.access import camera_path, seen_by
from integrations.models import Delivery
from tests.integration.test_admin import camera_form, change, text
from tests.rows import a_file, a_scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pictures_in_memory")]

OURS, THEIRS, NOBODYS = 3, 7, None
ABOUT_NO_CAMERA = {
    "auth/user",
    "auth/group",
    "detection/auditrecord",
    "detection/loginattempt",
    "detection/trouble",
    "detection/site",
    "detection/schedule",
}


@pytest.fixture
def scenes() -> dict[int | None, dict[str, Any]]:
    """One row of each kind at our station, at another one, and at a camera of no station."""
    made = {
        station: a_scene(number, station_id=station, name=f"Camera of {station}")
        for number, station in enumerate((OURS, THEIRS, NOBODYS), start=1)
    }
    for rows in made.values():
        a_file(rows["detection/episode"])
    return made


def somebody(role: str, *stations: int, name: str = "", all_stations: bool = False) -> User:
    user = User.objects.create_user(name or role or "nobody", password="x", is_staff=True)
    if role:
        user.groups.add(Group.objects.get(name=role))
    StationAccess.objects.create(user=user, stations=list(stations), all_stations=all_stations)
    return User.objects.get(pk=user.pk)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pages_of(row: Any) -> list[str]:
    """Every address that the admin has for one row, its own ones among them."""
    page = change(row)
    found = [page.replace("/change/", f"/{verb}/") for verb in ("change", "history", "delete")]
    model_admin = admin.site.get_model_admin(type(row))
    base = page.removesuffix(f"{row.pk}/change/")
    for pattern in model_admin.get_urls():
        route = str(pattern.pattern)
        if route.startswith("<") and "path:" not in route:
            found.append(base + re.sub(r"<[^>]+>", str(row.pk), route))
    return found


# --- whose rows -----------------------------------------------------------------------------------


def test_every_page_about_a_camera_shows_only_what_seen_by_lets_through() -> None:
    """A page that is added must build on our ModelAdmin, or be named here."""
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        assert isinstance(model_admin, ModelAdmin), name
        assert (camera_path(model) is None) == (name in ABOUT_NO_CAMERA), name


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_an_officer_meets_rows_of_the_own_station_only(
    role: str, scenes: dict[int | None, dict[str, Any]]
) -> None:
    client = browser(somebody(role, OURS))
    for name in scenes[OURS]:
        body = text(client.get(f"/admin/{name}/"))
        assert f"Camera of {OURS}" in body, name
        assert f"Camera of {THEIRS}" not in body, name
        assert f"Camera of {NOBODYS}" not in body, name
        assert client.get(change(scenes[OURS][name])).status_code == 200, name
        for other in (THEIRS, NOBODYS):
            body = text(client.get(f"/admin/{name}/?q=Camera+of+{other}"))
            assert f"Camera of {other}</" not in body, name


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("other", [THEIRS, NOBODYS])
def test_no_guessed_address_leads_to_another_station(
    role: str, other: int | None, scenes: dict[int | None, dict[str, Any]]
) -> None:
    client = browser(somebody(role, OURS))
    walked = 0
    for row in scenes[other].values():
        for address in pages_of(row):
            for response in (client.get(address), client.post(address, {"post": "yes"})):
                walked += 1
                assert response.status_code in {302, 403, 404, 405}, address
                if response.status_code == 302:  # “doesn't exist. Perhaps it was deleted?”
                    assert response["Location"] == "/admin/", address
    assert walked >= 40
    assert sum(model.objects.count() for model in (Camera, Zone, Episode, Delivery)) == 12
    told = AuditRecord.objects.filter(object_type__gt="").exclude(action="login")
    assert {record.action for record in told} == {"evidence_refused"}, (
        "that they asked is on record"
    )


@pytest.mark.parametrize("stations", [(), (99,)])
def test_who_has_no_station_sees_nothing(
    stations: tuple[int, ...], scenes: dict[int | None, dict[str, Any]]
) -> None:
    client = browser(somebody("operator", *stations))
    for name in scenes[OURS]:
        assert "co-empty" in text(client.get(f"/admin/{name}/")), name
    overview = client.get("/admin/").context
    figures = {card.title: card.figure for card in (*overview["wrong"], *overview["well"])}
    figures.pop("Waiting in queues")  # the broker and the disk are nobody’s station
    figures.pop("Disk of the evidence", None)
    assert set(figures.values()) == {"0", "0 of 0", "–", "all armed"}
    StationAccess.objects.all().delete()
    assert "co-empty" in text(browser(User.objects.get()).get("/admin/detection/camera/"))


def test_figures_and_badges_count_what_the_officer_sees(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    for stations, count in (((OURS,), 1), ((OURS, THEIRS), 2)):
        overview = text(browser(somebody("viewer", *stations, name=f"v{count}")).get("/admin/"))
        assert f"of {count}</span>" in overview
        assert overview.count(f'co-figure">{count}<') >= 4  # open, unreviewed, refused, sounding
    everything = browser(somebody("viewer", name="all", all_stations=True))
    assert "of 3</span>" in text(everything.get("/admin/"))


def picture_of(episode_id: UUID) -> str:
    return f"/admin/detection/episode/{episode_id}/evidence/snapshot/"


def test_living_cells_pictures_and_neighbours_are_those_of_the_station(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    client = browser(somebody("operator", OURS))
    ids = ",".join(str(rows["detection/camera"].pk) for rows in scenes.values())
    cells = client.get(f"/admin/detection/camera/live/?ids={ids}").json()["cells"]
    ours = scenes[OURS]["detection/camera"].pk
    assert {key.partition(":")[0] for key in cells} == {str(ours)}
    page = text(client.get(change(scenes[OURS]["detection/episode"])))
    for other in (THEIRS, NOBODYS):
        episode = scenes[other]["detection/episode"]
        assert str(episode.pk) not in page
        assert client.get(picture_of(episode.pk)).status_code == 404
    mine = scenes[OURS]["detection/episode"]
    assert client.get(picture_of(mine.pk)).status_code == 200
    choices = text(client.get("/admin/detection/episode/"))
    assert f"Camera of {THEIRS}" not in choices


@pytest.mark.parametrize("name", ["../outside.jpg", "/etc/outside.jpg", "a/../../outside.jpg"])
def test_no_name_of_a_picture_leads_out_of_the_evidence(
    name: str,
    scenes: dict[int | None, dict[str, Any]],
    settings: Settings,
    tmp_path: Path,
) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "outside.jpg").write_bytes(b"not for you")
    files = "django.core.files.storage.FileSystemStorage"
    options = {"location": tmp_path / "evidence"}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": files, "OPTIONS": options}}
    episode = scenes[OURS]["detection/episode"]
    EvidenceFile.objects.filter(episode=episode).update(name=name)
    client = browser(somebody("viewer", OURS))
    response = client.get(picture_of(episode.pk))
    assert response.status_code in {400, 404}
    assert b"not for you" not in response.content


def test_zones_of_another_station_are_neither_drawn_nor_told(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    client = browser(somebody("operator", OURS))
    corners = [[0, 0], [1, 0], [0, 1]]
    planted = {"id": None, "name": "planted", "kind": "restricted", "corners": corners}
    for other in (THEIRS, NOBODYS):
        camera = scenes[other]["detection/camera"]
        zones = f"/admin/detection/camera/{camera.pk}/zones/"
        sent = json.dumps({"mark": "", "zones": [planted]})
        for way in ("", "preview/", "export/"):
            assert client.get(f"{zones}{way}").status_code == 404
            answer = client.post(f"{zones}{way}", sent, content_type="application/json")
            assert answer.status_code == 404
        zone = scenes[other]["detection/zone"]
        assert client.post(change(zone), {"name": "planted"}).status_code in {302, 404}
    assert not Zone.objects.filter(name="planted").exists()
    ours = scenes[OURS]["detection/camera"]
    assert client.get(f"/admin/detection/camera/{ours.pk}/zones/").status_code == 200


def test_an_action_on_rows_of_another_station_does_nothing(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    client = browser(somebody("operator", OURS))
    for name, action in (
        ("detection/camera", "disable"),
        ("integrations/delivery", "resend_chosen"),
        ("detection/zone", "delete_selected"),
        ("detection/camera", "remove"),
    ):
        theirs = [scenes[other][name].pk for other in (THEIRS, NOBODYS)]
        for across in ("0", "1"):
            chosen = {"action": action, "_selected_action": theirs, "select_across": across}
            client.post(f"/admin/{name}/", {**chosen, "post": "yes", "sure": "yes"})
    others = Camera.objects.exclude(station_id=OURS) | Camera.objects.filter(station_id=None)
    assert set(others.values_list("enabled", flat=True)) == {True}
    refused = Delivery.objects.filter(status="refused").values_list("camera__station_id", flat=True)
    assert {THEIRS, NOBODYS} <= set(refused)
    assert (Zone.objects.count(), Camera.objects.count()) == (3, 3)


def test_a_camera_cannot_be_given_to_a_station_that_the_officer_does_not_have(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    client = browser(somebody("operator", OURS, 4))
    camera = scenes[OURS]["detection/camera"]
    for station in (THEIRS, ""):
        body = text(client.post(change(camera), camera_form(station_id=station)))
        assert "errornote" in body or "Select a valid choice" in body or "required" in body
    camera.refresh_from_db()
    assert camera.station_id == OURS
    assert client.post(change(camera), camera_form(station_id=4)).status_code == 302
    camera.refresh_from_db()
    assert camera.station_id == 4


@pytest.mark.parametrize(
    "query",
    [
        "camera__password__startswith=g",
        "camera__username__contains=w",
        "password__startswith=g",
        "stream_url__contains=rtsp",
        "camera__stream_url__isnull=0",
        "reviewed_by__password__startswith=md5",
        "_to_field=password",
        "_to_field=stream_url",
        "claim__camera__password__startswith=g",
        "episode__camera__password__startswith=g",
        "episode__reviewed_by__password__startswith=md5",
        "user__password__startswith=md5",
    ],
)
def test_no_filter_in_the_address_probes_what_is_not_shown(
    query: str, scenes: dict[int | None, dict[str, Any]]
) -> None:
    clients = [browser(somebody("operator", OURS)), browser(somebody("supervisor"))]
    for client in clients:
        for name in scenes[OURS]:
            assert client.get(f"/admin/{name}/?{query}").status_code == 400, name
    for name in ("auth/user", "auth/group"):
        assert clients[1].get(f"/admin/{name}/?{query}").status_code == 400, name


def test_seen_by_refuses_to_guess_for_rows_that_are_about_no_camera() -> None:
    with pytest.raises(LookupError, match="belongs to no camera"):
        seen_by(somebody("viewer"), LoginAttempt.objects.all())


# --- who may do what ------------------------------------------------------------------------------

LOOK, NOT, ELSEWHERE = 200, 403, 302  # a zone is added on its camera's picture
# For each role: view, add, change, delete. None: the page is in nobody's menu and answers 403.
MATRIX: dict[str, dict[str, str]] = {
    "viewer": dict.fromkeys(
        (
            "detection/camera",
            "detection/zone",
            "detection/claim",
            "detection/episode",
            "integrations/delivery",
            "integrations/siren",
        ),
        "view",
    ),
    "operator": {
        "detection/camera": "view change",
        "detection/zone": "view add change",
        "detection/claim": "view",
        "detection/episode": "view",
        "integrations/delivery": "view",
        "integrations/siren": "view",
    },
    "supervisor": {
        "detection/camera": "view add change",  # and remove, by a page of its own
        "detection/zone": "view add change delete",
        "detection/claim": "view",
        "detection/episode": "view",
        "integrations/delivery": "view",
        "integrations/siren": "view",
        "detection/auditrecord": "view",
        "detection/loginattempt": "view",
        "auth/user": "view add change delete",
        "auth/group": "view",
    },
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    role: str, scenes: dict[int | None, dict[str, Any]]
) -> None:
    user = somebody(role, OURS)
    client = browser(user)
    rows = dict(scenes[OURS])
    rows["auth/user"] = somebody("viewer", 5, name="colleague")
    rows["auth/group"] = Group.objects.get(name="viewer")
    rows["detection/auditrecord"] = AuditRecord.objects.latest("at")
    rows["detection/loginattempt"] = LoginAttempt.objects.create(at="2026-01-01T00:00Z")
    registered = {f"{m._meta.app_label}/{m._meta.model_name}" for m in admin.site._registry}
    for name in registered:
        if name not in rows:
            continue  # the pages of other tests' rows; the first test here holds them all
        model_admin = admin.site.get_model_admin(type(rows[name]))
        request: Any = type("Request", (), {"user": user})()
        allowed = {verb for verb, may in model_admin.get_model_perms(request).items() if may}
        assert allowed == set(MATRIX[role].get(name, "").split()), name
        seen = "view" in allowed
        assert client.get(f"/admin/{name}/").status_code == (LOOK if seen else NOT), name
        assert client.get(change(rows[name])).status_code == (LOOK if seen else NOT), name
        adds = ELSEWHERE if name == "detection/zone" else LOOK
        assert client.get(f"/admin/{name}/add/").status_code == (
            adds if "add" in allowed else NOT
        ), name


def test_the_table_names_every_role() -> None:
    assert set(MATRIX) == set(ROLES)
    assert {group.name for group in Group.objects.all()} == set(ROLES)


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("operator", True)])
def test_reviewing_and_resending_are_for_operators(
    role: str, may: bool, scenes: dict[int | None, dict[str, Any]]
) -> None:
    client = browser(somebody(role, OURS))
    episode, delivery = scenes[OURS]["detection/episode"], scenes[OURS]["integrations/delivery"]
    verdict = {"act": "confirmed", "expected": "unreviewed"}
    status = 302 if may else 403
    review = f"/admin/detection/episode/{episode.pk}/act/"
    assert client.post(review, verdict).status_code == status
    resend = f"/admin/integrations/delivery/{delivery.pk}/resend/"
    assert client.post(resend).status_code == status


def test_a_migration_puts_the_roles_in_order_and_leaves_other_groups_alone() -> None:
    viewer, own = Group.objects.get(name="viewer"), Group.objects.create(name="night shift")
    everything = Permission.objects.all()
    viewer.permissions.set(everything)
    own.permissions.set(everything[:2])
    call_command("migrate", verbosity=0)
    codenames = set(viewer.permissions.values_list("codename", flat=True))
    assert codenames and all(name.startswith("view_") for name in codenames)
    assert own.permissions.count() == 2


# --- nobody gives more than they have ---------------------------------------------------------


def user_form(user: User, **changes: Any) -> dict[str, Any]:
    moment = user.date_joined
    return {
        "username": user.username,
        "is_active": "on",
        "date_joined_0": f"{moment:%Y-%m-%d}",
        "date_joined_1": f"{moment:%H:%M:%S}",
        "station_access-TOTAL_FORMS": 1,
        "station_access-INITIAL_FORMS": int(hasattr(user, "station_access")),
        "station_access-MIN_NUM_FORMS": 0,
        "station_access-MAX_NUM_FORMS": 1,
        "station_access-0-id": getattr(getattr(user, "station_access", None), "pk", ""),
        "station_access-0-user": user.pk,
        "station_access-0-stations": "3, 7",
        **changes,
    }


def test_an_operator_changes_no_rights_least_of_all_the_own() -> None:
    operator = somebody("operator", OURS)
    client = browser(operator)
    sent = user_form(operator, is_superuser="on", **{"station_access-0-all_stations": "on"})
    assert client.post(change(operator), sent).status_code == 403
    assert client.get(f"/admin/auth/user/{operator.pk}/password/").status_code == 403
    operator = User.objects.get(pk=operator.pk)
    assert not operator.is_superuser
    assert not operator.station_access.all_stations


def test_a_supervisor_makes_users_and_gives_stations_but_no_superuser() -> None:
    client = browser(somebody("supervisor"))
    password = "a-fine-long-passphrase"
    sent = {"username": "new", "usable_password": "true"}
    sent |= {"password1": password, "password2": password, "is_superuser": "on"}
    assert client.post("/admin/auth/user/add/", sent).status_code == 302
    new = User.objects.get(username="new")
    assert (new.is_staff, new.is_superuser) == (True, False)
    viewer = Group.objects.get(name="viewer")
    sent = user_form(new, is_superuser="on", groups=[viewer.pk], user_permissions=[1, 2])
    assert client.post(change(new), sent).status_code == 302
    new = User.objects.get(username="new")
    assert not new.is_superuser
    assert not new.user_permissions.exists()
    assert list(new.groups.all()) == [viewer]
    assert new.station_access.stations == [3, 7]


def test_a_supervisor_touches_nobody_who_may_do_more() -> None:
    client = browser(somebody("supervisor"))
    boss = User.objects.create_superuser("boss", password="x")
    keeper = somebody("", name="keeper")
    keeper.user_permissions.set(Permission.objects.filter(codename="change_permission"))
    keeper = User.objects.get(pk=keeper.pk)
    for user in (boss, keeper):
        assert client.post(change(user), user_form(user)).status_code in {302, 403}
        page = change(user).replace("/change/", "/password/")
        new = {"password1": "another-long-passphrase", "password2": "another-long-passphrase"}
        assert client.post(page, {**new, "usable_password": "true"}).status_code in {403, 404}
        delete = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
        client.post("/admin/auth/user/", delete)
        user.refresh_from_db()
        assert user.check_password("x")
    assert "boss" not in text(client.get("/admin/auth/user/"))


def test_a_supervisor_gives_no_group_that_may_do_more_and_changes_none() -> None:
    client = browser(somebody("supervisor"))
    viewer = somebody("viewer")
    mighty = Group.objects.create(name="mighty")
    mighty.permissions.set(Permission.objects.all())
    sent = user_form(viewer, groups=[mighty.pk])
    assert "Select a valid choice" in text(client.post(change(viewer), sent))
    assert client.post(change(mighty), {"name": "mightier"}).status_code == 403
    assert not viewer.groups.filter(pk=mighty.pk).exists()


@pytest.fixture
def clerk() -> User:
    """Somebody of our station with rights over users, in a group that the site made itself."""
    group = Group.objects.create(name="clerk")
    about_users = ["view_user", "change_user"]
    about_users += [f"{verb}_stationaccess" for verb in ("view", "add", "change")]
    group.permissions.set(Permission.objects.filter(codename__in=about_users))
    return somebody("clerk", OURS)


def test_who_is_inactive_is_judged_by_what_an_active_one_may_do(clerk: User) -> None:
    boss = somebody("supervisor")
    User.objects.filter(pk=boss.pk).update(is_active=False)
    new = {"password1": "another-long-passphrase", "password2": "another-long-passphrase"}
    client = browser(clerk)
    page = change(boss).replace("/change/", "/password/")
    assert client.post(page, {**new, "usable_password": "true"}).status_code == 403
    assert client.post(change(boss), user_form(boss)).status_code == 403
    boss.refresh_from_db()
    assert (boss.check_password("x"), boss.is_active) == (True, False)


def test_nobody_touches_who_sees_other_stations_nor_gives_these(clerk: User) -> None:
    client = browser(clerk)
    elsewhere = somebody("", OURS, THEIRS, name="elsewhere")
    assert client.post(change(elsewhere), user_form(elsewhere)).status_code == 403
    colleague = somebody("", OURS, name="colleague")
    for rights in ({"stations": "3, 7"}, {"stations": "3", "all_stations": "on"}):
        given = {f"station_access-0-{name}": value for name, value in rights.items()}
        answer = client.post(change(colleague), user_form(colleague, **given))
        assert "Give only stations that you have yourself." in text(answer)
    access = StationAccess.objects.get(user=colleague)
    assert (access.stations, access.all_stations) == ([OURS], False)


def test_nobody_changes_the_own_rights(clerk: User) -> None:
    more = {"station_access-0-stations": "3", "station_access-0-all_stations": "on"}
    for user in (clerk, somebody("supervisor")):
        groups = list(user.groups.all())
        sent = user_form(user, first_name="Kim", groups=[], **more)
        assert browser(user).post(change(user), sent).status_code == 302
        user = User.objects.get(pk=user.pk)
        assert user.first_name == "Kim"
        assert list(user.groups.all()) == groups
        assert not user.station_access.all_stations


def test_a_picture_of_another_station_and_one_that_never_was_answer_alike(
    scenes: dict[int | None, dict[str, Any]],
) -> None:
    client = browser(somebody("operator", OURS))
    theirs = scenes[THEIRS]["detection/episode"].pk
    answers = [client.get(picture_of(k)) for k in (uuid4(), theirs)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
