"""Every page of the admin, for everybody: by light and dark, on a phone, and from right to left."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from detection.models import (
    AuditRecord,
    HealthEvent,
    LoginAttempt,
    Schedule,
    Site,
    ThresholdSuggestion,
    Trouble,
    UserPreferences,
)
from tests.browser.desk import Desk
from tests.rows import a_scene

LISTS = tuple(
    f"{model._meta.app_label}_{model._meta.model_name}_changelist"
    for model in admin.site._registry
    if model is not Site  # its list leads to its one page
)
PAGES = ("index", "wall", "preferences", "password_change", *LISTS)
FORMS = (
    "detection_schedule_add",
    "detection_camera_add",
    "auth_user_add",
    "auth_group_add",
)
ROWS = (
    "detection_camera_change",
    "detection_camera_settings",
    "detection_zone_change",
    "detection_zone_settings",
    "detection_episode_change",
    "detection_claim_change",
    "detection_healthevent_change",
    "detection_trouble_change",
    "detection_schedule_change",
    "detection_site_change",
    "detection_site_settings",
    "detection_thresholdsuggestion_change",
    "detection_auditrecord_change",
    "integrations_delivery_change",
    "integrations_siren_change",
    "auth_user_change",
    "auth_group_change",
)
# Of Django's own chooser of permissions (SelectFilter2.js), which is not ours to mend.
DJANGOS_OWN = "search-label-icon"
# What a browser says of a picture that a camera does not have yet.
NO_PICTURE = "Failed to load resource"


@pytest.fixture
def site(desk: Desk) -> dict[str, Any]:
    """A row of each kind: its key by the beginning of the page's name."""
    now = timezone.now()
    rows: dict[str, Any] = {}
    for number in (1, 2):
        rows = {name.replace("/", "_"): row for name, row in a_scene(number).items()}
    camera = rows["detection_camera"]
    suggested = {"dismissed": 9, "dismissed_gone": 6, "confirmed": 3, "confirmed_lost": []}
    suggested |= {"per_day_today": 3.0, "per_day_then": 1.0}
    curve = {
        "method": "isotonic",
        "points": [[50, 0.1], [90, 0.9]],
        "shares": [{"begin": 50, "end": 60, "crimes": 1, "episodes": 4}],
    }
    rows |= {
        "detection_healthevent": HealthEvent.objects.create(
            camera=camera,
            kind="covered",
            began_at=now,
            detail="covered: the lens is covered, sprayed or out of focus",
        ),
        "detection_trouble": Trouble.objects.create(
            subject="disk", text="full", since=now, last_at=now
        ),
        "detection_schedule": Schedule.objects.create(name="Office hours"),
        "detection_site": Site.objects.get_or_create(pk=1)[0],
        "detection_auditrecord": AuditRecord.objects.create(
            at=now, username="boss", action="changed", details={"fields": {"name": ["a", "b"]}}
        ),
        "detection_loginattempt": LoginAttempt.objects.create(at=now, username="boss"),
        "auth_user": desk.officer,
        "auth_group": Group.objects.get_or_create(name="viewer")[0],
        "detection_thresholdsuggestion": _a_suggestion(camera, suggested, curve),
    }
    return rows


def _a_suggestion(camera: Any, effect: Any, curve: Any) -> ThresholdSuggestion:
    return ThresholdSuggestion.objects.create(
        camera=camera,
        crime_type="trespassing",
        made_at=timezone.now(),
        budget=2.0,
        today=50.0,
        suggested=70.0,
        confirmed=3,
        dismissed=9,
        days_watched=12.0,
        unreviewed=1,
        effect=effect,
        curve=curve,
    )


def open_page(desk: Desk, site: dict[str, Any], name: str) -> None:
    key = name.rpartition("_")[0]
    arguments = (site[key].pk,) if name in ROWS else ()
    desk.open(name, *arguments)
    desk.page.locator("#main").wait_for()


def barriers(desk: Desk) -> list[str]:
    return [barrier for barrier in desk.barriers() if DJANGOS_OWN not in barrier]


@pytest.mark.parametrize("name", [*PAGES, *FORMS, *ROWS])
def test_nobody_is_shut_out_and_nothing_runs_over_the_edge(
    desk: Desk, site: dict[str, Any], name: str
) -> None:
    open_page(desk, site, name)
    assert barriers(desk) == []
    desk.in_the_dark()
    assert barriers(desk) == []
    desk.on_a_phone()
    assert desk.overflow() == 0
    UserPreferences.objects.create(user=desk.officer, language="ar", time_zone="Asia/Baghdad")
    log_in_anew(desk)
    open_page(desk, site, name)
    assert desk.page.evaluate("document.documentElement.dir") == "rtl"
    assert desk.overflow() == 0
    assert barriers(desk) == []
    desk.script_errors[:] = [error for error in desk.script_errors if NO_PICTURE not in error]


def log_in_anew(desk: Desk) -> None:
    """A session learns the language at its login."""
    client = Client()
    client.force_login(desk.officer)
    value = client.cookies["sessionid"].value
    desk.page.context.add_cookies([{"name": "sessionid", "value": value, "url": desk.address}])


def test_every_list_of_the_admin_is_walked_through() -> None:
    assert "detection_episode_changelist" in LISTS
    for name in (*PAGES, *FORMS):
        assert reverse(f"admin:{name}").startswith("/admin/")
