"""Pages speak the language and the time of who reads them."""

import json

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from detection.models import AuditRecord, Camera, UserPreferences
from tests.rows import a_camera, officer

pytestmark = pytest.mark.django_db

PREFERENCES = "/admin/preferences/"


def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def choose(client: Client, language: str = "", time_zone: str = "") -> None:
    answer = client.post(PREFERENCES, {"language": language, "time_zone": time_zone})
    assert answer.status_code == 302


def test_the_browser_says_the_language_where_the_user_does_not() -> None:
    page = Client().get("/admin/login/", headers={"Accept-Language": "ar-IQ,ar;q=0.9,en;q=0.8"})
    assert 'lang="ar" dir="rtl"' in page.content.decode()
    assert page["Content-Language"] == "ar"
    assert "Accept-Language" in page["Vary"]


def test_a_language_that_we_do_not_speak_is_answered_in_english() -> None:
    page = Client().get("/admin/login/", headers={"Accept-Language": "fr"})
    assert 'lang="en" dir="ltr"' in page.content.decode()


def test_the_users_language_comes_before_the_browsers() -> None:
    client = boss()
    choose(client, language="ar")
    page = client.get("/admin/", headers={"Accept-Language": "en"})
    assert 'lang="ar" dir="rtl"' in page.content.decode()


def test_a_choice_holds_in_the_next_session() -> None:
    first = boss()
    choose(first, language="ar", time_zone="Asia/Baghdad")
    second = Client()
    second.force_login(User.objects.get())
    page = second.get(PREFERENCES).content.decode()
    assert 'lang="ar"' in page
    assert "Asia/Baghdad" in page


def test_times_are_in_the_browsers_zone_until_the_user_has_chosen_one() -> None:
    client = boss()
    client.cookies["crimeops_zone"] = "Asia%2FBaghdad"
    assert client.get(PREFERENCES).context["zone"] == "Asia/Baghdad"
    choose(client, time_zone="America/New_York")
    assert client.get(PREFERENCES).context["zone"] == "America/New_York"


@pytest.mark.parametrize(
    "told", ["Mars/Olympus", "../../etc/passwd", "Asia", "x" * 5000, "\0", "é"]
)
def test_a_zone_that_there_is_not_is_not_believed(told: str) -> None:
    client = boss()
    client.cookies["crimeops_zone"] = told
    assert client.get(PREFERENCES).context["zone"] == "UTC"


def test_a_time_zone_that_there_is_not_cannot_be_chosen() -> None:
    answer = boss().post(PREFERENCES, {"language": "", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 200
    assert not UserPreferences.objects.exists()


def test_nothing_of_one_request_is_left_for_the_next() -> None:
    client = boss()
    choose(client, language="ar", time_zone="Asia/Baghdad")
    client.get("/admin/")
    assert translation.get_language() == "en"
    assert timezone.get_current_timezone_name() == "UTC"


def test_who_may_do_nothing_may_still_choose() -> None:
    choose(officer("anybody"), language="ar")
    assert UserPreferences.objects.get().language == "ar"


def test_the_choice_costs_no_query_once_the_session_knows_it(
    django_assert_num_queries: object,
) -> None:
    client = officer("anybody")
    client.get(PREFERENCES)
    with django_assert_num_queries(2) as asked:  # type: ignore[operator]
        client.get(reverse("admin:jsi18n"))
    assert not any("userpreferences" in query["sql"] for query in asked.captured_queries)


def test_a_choice_is_written_into_the_audit_trail_in_english() -> None:
    client = boss()
    choose(client, language="ar")
    camera = a_camera()
    client.post(f"/admin/detection/camera/{camera.pk}/delete/", {"post": "yes"})
    records = AuditRecord.objects.exclude(action="login").order_by("pk")
    assert records[0].label == "preferences of boss"
    assert json.loads(json.dumps(records[0].details)) == {"language": "ar", "time_zone": ""}


def test_numbers_have_a_point_in_arabic_too_for_drawings_are_made_of_them() -> None:
    with translation.override("ar"):
        assert Template("{{ x }}").render(Context({"x": 12.5})) == "12.5"


def test_the_models_speak_the_language_of_the_request() -> None:
    state = Camera._meta.get_field("state")
    with translation.override("ar"):
        assert str(state.verbose_name) != "state"
    with translation.override("en"):
        assert str(state.verbose_name) == "state"
        assert dict(state.flatchoices)["running"] == "Running"
