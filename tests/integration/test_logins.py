"""The door: guessing is slow, a lock ends, and nobody can lock everybody out."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from crimeops import sessions
from detection.models import AuditAction, AuditRecord, LoginAttempt
from detection.services import logins
from tests.integration.conftest import at_once
from tests.integration.test_access import browser, somebody
from tests.integration.test_admin import text

DOOR = "/admin/login/"
LIMIT = django_settings.ENVIRONMENT.login_failures
PASSWORD = "the-right-passphrase"


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


def knock(password: str, *, user: str = "boss", address: str = "10.0.0.1", **headers: str) -> Any:
    client = Client(REMOTE_ADDR=address, headers=headers)
    return client.post(DOOR, {"username": user, "password": password})


def is_open(response: Any) -> bool:
    return bool(response.status_code == 302)


def is_locked(response: Any) -> bool:
    return "Too many failed logins. Try again in 15 minutes" in text(response)


def test_after_too_many_failures_even_the_right_password_waits(boss: User) -> None:
    for _ in range(LIMIT):
        assert "Please enter the correct" in text(knock("wrong"))
    assert is_locked(knock(PASSWORD))
    assert is_locked(knock(PASSWORD, address="10.0.0.2")), "from elsewhere as well"
    assert LoginAttempt.objects.count() == LIMIT, "knocking at a closed door makes it no longer"
    locks = AuditRecord.objects.filter(action=AuditAction.LOCKED_OUT)
    assert sorted(locks.values_list("username", "address")) == [
        ("boss", "10.0.0.1"),
        ("boss", "10.0.0.2"),
    ]
    LoginAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert is_open(knock(PASSWORD))


def test_the_right_password_forgets_the_failures_before_it(boss: User) -> None:
    for _ in range(3):
        for _ in range(LIMIT - 1):
            knock("wrong")
        assert is_open(knock(PASSWORD))
    assert not LoginAttempt.objects.exists()


def test_who_guesses_a_name_does_not_keep_its_owner_out_of_a_known_place(boss: User) -> None:
    assert is_open(knock(PASSWORD, address="10.0.0.1"))
    for number in range(LIMIT + 2):
        knock("wrong", address=f"10.6.6.{number}")
    assert is_locked(knock(PASSWORD, address="10.6.6.99"))
    assert is_open(knock(PASSWORD, address="10.0.0.1"))


def test_an_address_that_guesses_at_many_names_is_locked_out_and_no_other(boss: User) -> None:
    for number in range(5 * LIMIT):
        knock("wrong", user=f"user-{number}", address="10.6.6.6")
    assert is_locked(knock(PASSWORD, address="10.6.6.6"))
    assert is_open(knock(PASSWORD, address="10.0.0.1"))


def test_an_ipv6_attacker_has_one_network_and_not_as_many_addresses_as_there_are(
    boss: User,
) -> None:
    for number in range(5 * LIMIT):
        knock("wrong", user=f"user-{number}", address=f"2001:db8:0:1::{number:x}")
    assert is_locked(knock(PASSWORD, address="2001:db8:0:1::ffff"))
    assert is_open(knock(PASSWORD, address="2001:db8:0:2::1"))


def test_a_header_is_not_believed_without_a_proxy(boss: User) -> None:
    for number in range(5 * LIMIT):
        forged = f"10.0.0.{number}"
        knock("wrong", user=f"user-{number}", address="10.6.6.6", **{"X-Forwarded-For": forged})
    assert is_locked(knock(PASSWORD, address="10.6.6.6", **{"X-Forwarded-For": "10.7.7.7"}))
    assert is_open(knock(PASSWORD, address="10.0.0.1"))


def behind_proxy(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"behind_tls": True})


def test_behind_the_proxy_only_what_it_appended_counts(boss: User, settings: Settings) -> None:
    behind_proxy(settings)
    for number in range(5 * LIMIT):
        chain = {"X-Forwarded-For": f"10.0.0.{number}, 10.6.6.6"}
        knock("wrong", user=f"user-{number}", address="127.0.0.1", **chain)
    spoofed = {"X-Forwarded-For": "10.0.0.1, 10.6.6.6"}
    assert is_locked(knock(PASSWORD, address="127.0.0.1", **spoofed))
    honest = {"X-Forwarded-For": "10.6.6.6, 10.0.0.1"}
    assert is_open(knock(PASSWORD, address="127.0.0.1", **honest))


def test_a_proxy_that_tells_no_address_locks_not_everybody_out(
    boss: User, settings: Settings
) -> None:
    behind_proxy(settings)
    for number in range(5 * LIMIT + 1):
        knock("wrong", user=f"user-{number}", address="127.0.0.1")
    assert is_open(knock(PASSWORD, address="127.0.0.1"))


def test_capitals_make_no_other_user(boss: User) -> None:
    for number in range(LIMIT):
        knock("wrong", user="BOSS" if number % 2 else "Boss")
    assert is_locked(knock(PASSWORD))


def test_a_name_that_nobody_has_is_answered_like_any_other(boss: User) -> None:
    for user in ("boss", "nobody-of-that-name"):
        bodies = [text(knock("wrong", user=user)) for _ in range(LIMIT + 1)]
        assert all("Please enter the correct" in body for body in bodies[:-1])
        assert "Too many failed logins" in bodies[-1]


@pytest.mark.django_db(transaction=True)
def test_a_dozen_guesses_at_once_are_no_more_than_a_few_in_a_row() -> None:
    User.objects.create_superuser("boss", password=PASSWORD)

    def guess() -> bool:
        try:
            logins.begin_attempt(username="boss", address="10.6.6.6")
        except logins.LockedOut:
            return False
        return True

    assert sum(at_once([guess] * 12)) <= LIMIT


def test_a_supervisor_unlocks_and_so_does_the_command_line(boss: User) -> None:
    supervisor = browser(somebody("supervisor"))
    for opened in ("by the supervisor", "by the command"):
        for _ in range(LIMIT):
            knock("wrong")
        assert is_locked(knock(PASSWORD)), opened
        if opened == "by the command":
            call_command("unlock_login", "boss")
        else:
            rows = list(LoginAttempt.objects.values_list("pk", flat=True))
            chosen = {"action": "unlock", "_selected_action": rows}
            assert "no longer count" in text(
                supervisor.post("/admin/detection/loginattempt/", chosen, follow=True)
            )
        assert is_open(knock(PASSWORD)), opened
    assert AuditRecord.objects.filter(action=AuditAction.UNLOCKED).count() == 2


# --- sessions and passwords -------------------------------------------------------------------


def aged(client: Client, **seconds: float) -> Client:
    session = client.session
    for name, age in seconds.items():
        session[name] -= age
    session.save()
    return client


def test_a_session_ends_by_age_however_busy_it_is(boss: User) -> None:
    client = browser(boss)
    assert client.get("/admin/").status_code == 200
    aged(client, began_at=12 * 3600 + 1)
    assert client.get("/admin/").status_code == 302


def test_a_session_ends_when_nobody_acts_and_renewing_pages_are_no_acts(boss: User) -> None:
    client = aged(browser(boss), acted_at=29 * 60)
    acted = client.session[sessions.ACTED]
    for script in ({"Sec-Fetch-Mode": "cors"}, {"HX-Request": "true"}):
        assert client.get("/admin/", headers=script).status_code == 200
    assert client.session[sessions.ACTED] == acted
    assert client.get("/admin/", headers={"Sec-Fetch-Mode": "navigate"}).status_code == 200
    assert client.session[sessions.ACTED] > acted
    aged(client, acted_at=31 * 60)
    assert client.get("/admin/").status_code == 302


def test_a_deactivated_user_is_out_at_once(boss: User) -> None:
    client = browser(boss)
    User.objects.update(is_active=False)
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "password", ["short-1", "123456789012345", "password123456", "new-officer"]
)
def test_a_weak_password_is_refused(boss: User, password: str) -> None:
    sent = {"username": "new-officer", "usable_password": "true"}
    sent |= {"password1": password, "password2": password}
    text(browser(boss).post("/admin/auth/user/add/", sent))
    assert not User.objects.filter(username="new-officer").exists()
