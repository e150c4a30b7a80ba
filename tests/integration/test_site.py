"""The site as strangers and browsers meet it: headers, cookies, error pages, required keys."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path
from pytest_django import Settings

from crimeops import urls
from tests.conftest import REPOSITORY
from tests.integration.test_admin import text
from tests.rows import SECRETS, a_camera

SECRET_KEY = "a-signing-key-that-only-this-test-of-the-site-ever-uses-once"
CREDENTIALS_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="


def manage(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A management command as an operator types it, with these settings and no others."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"CRIMEOPS_ENV_FILE": os.devnull, "PYTHONPATH": str(REPOSITORY), **settings}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_checks_for_a_real_site_find_nothing_behind_tls(tmp_path: Path) -> None:
    found = manage(
        "check",
        "--deploy",
        "--fail-level=INFO",
        SECRET_KEY=SECRET_KEY,
        CREDENTIALS_KEY=CREDENTIALS_KEY,
        BEHIND_TLS="true",
        ALLOWED_HOSTS="crimeops.example",
        DATABASE_URL=f"sqlite:///{tmp_path / 'site.sqlite3'}",
    )
    assert found.returncode == 0, found.stderr
    assert "no issues (0 silenced)" in found.stdout


def test_nothing_starts_without_its_keys_nor_in_debug_behind_tls() -> None:
    bare = manage("check")
    assert bare.returncode == 78
    assert "SECRET_KEY: is required" in bare.stderr
    assert "CREDENTIALS_KEY: is required" in bare.stderr
    keys = {"SECRET_KEY": SECRET_KEY, "CREDENTIALS_KEY": CREDENTIALS_KEY}
    debug = manage("check", **keys, DEBUG="true", BEHIND_TLS="true")
    assert debug.returncode == 78
    assert "BEHIND_TLS: " in debug.stderr and "goes not with DEBUG" in debug.stderr


def test_an_address_that_cannot_be_read_is_named_without_a_letter_of_it() -> None:
    keys = {"SECRET_KEY": SECRET_KEY, "CREDENTIALS_KEY": CREDENTIALS_KEY}
    for variable, value in (
        ("DATABASE_URL", "postgres://crimeops:hun/ter#22@db/crimeops"),
        ("DATABASE_URL", "postgres://crimeops:hun[ter22@db/crimeops"),
        ("REDIS_URL", "redis://:hun/ter22@broker/0"),
        ("REDIS_URL", "http://:hunter22@broker/0"),
        ("REDIS_URL", "rediss://:hunter22@broker/0?ssl_cert_reqs=none"),
        ("BACKEND_URL", "http://u:hun:ter22@[x/"),
        ("CAMERA_NETWORKS", "hunter22"),
    ):
        said = manage("check", **{**keys, variable: value})
        assert said.returncode == 78, variable
        assert f"{variable}: " in said.stderr, variable
        assert "hun" not in said.stdout + said.stderr, variable


def test_the_settings_printed_show_no_secret() -> None:
    environment = django_settings.ENVIRONMENT
    printed = repr(environment) + str(environment)
    for secret in (environment.secret_key, environment.credentials_key, environment.model_api_key):
        assert secret not in printed
    assert "max_cameras" in printed


@pytest.mark.parametrize("where", ["", "in a thread"])
def test_an_error_that_nobody_catches_is_printed_without_secrets(where: str) -> None:
    keys = {"SECRET_KEY": SECRET_KEY, "CREDENTIALS_KEY": CREDENTIALS_KEY}
    code = (
        "import threading; from django.conf import settings\n"
        "def fail(): raise ValueError(f'it was {settings.SECRET_KEY} at rtsp://u:geheim@h/1')\n"
        + ("t = threading.Thread(target=fail); t.start(); t.join()" if where else "fail()")
    )
    said = manage("shell", "--no-imports", "-c", code, **keys)
    assert "ValueError: it was ••• at rtsp://•••@h/1" in said.stderr
    assert SECRET_KEY not in said.stdout + said.stderr
    assert "geheim" not in said.stderr.split("ValueError: ")[1]


# --- headers and cookies --------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_answer_tells_the_browser_what_it_may_do() -> None:
    client = Client()
    for address in ("/admin/login/", "/nothing", "/healthz", "/static/nothing.js"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-eval'" in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
    assert client.get("/admin/login/").headers["X-Frame-Options"] == "DENY"
    assert "no-store" in client.get("/admin/login/").headers["Cache-Control"]


@pytest.mark.django_db
def test_no_page_carries_a_script_or_a_handler_in_itself() -> None:
    """The policy would not run it, and the page would be broken in a browser."""
    User.objects.create_superuser("boss", password="x")
    client = Client()
    client.force_login(User.objects.get())
    camera = a_camera()
    for address in (
        "/admin/",
        "/admin/detection/camera/",
        f"/admin/detection/camera/{camera.pk}/change/",
    ):
        body = text(client.get(address))
        for tag in body.split("<script")[1:]:
            attributes, _, content = tag.partition(">")
            inline = content.partition("</script>")[0].strip()
            assert not inline or 'type="application/json"' in attributes, (address, inline[:80])
        assert "javascript:" not in body
        assert " onclick=" not in body


def test_behind_tls_cookies_are_secure_and_the_browser_stays_with_https() -> None:
    code = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS,"
        " s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.DEBUG)"
    )
    keys = {"SECRET_KEY": SECRET_KEY, "CREDENTIALS_KEY": CREDENTIALS_KEY}
    behind = manage("shell", "--no-imports", "-c", code, **keys, BEHIND_TLS="true")
    assert behind.stdout.split() == [
        "True",
        "True",
        "True",
        "31536000",
        "True",
        "True",
        "Lax",
        "False",
    ]
    plain = manage("shell", "--no-imports", "-c", code, **keys)
    assert plain.stdout.split() == ["False", "False", "False", "0", "False", "True", "Lax", "False"]


# --- error pages ------------------------------------------------------------------------------


def broken(_: Any) -> Any:
    credentials = dict(SECRETS)  # a local of the traceback
    raise ValueError(f"cannot open {credentials['stream_url']}")


@pytest.mark.django_db
def test_error_pages_are_plain_and_say_nothing_of_us(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, path("broken", broken)])
    settings.ROOT_URLCONF = tuple(urls.urlpatterns)
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    pages = [
        (500, client.get("/broken")),
        (404, client.get("/nothing?password=geheim")),
        (403, client.post("/admin/login/", {"username": "boss", "password": "geheim"})),
        (400, client.get("/", headers={"Host": "evil.example"})),
    ]
    for status, response in pages:
        body = response.content.decode()
        assert response.status_code == status
        assert len(body) < 3000, status
        for word in ("Traceback", "django.", "settings", "geheim", "urlpatterns", str(REPOSITORY)):
            assert word not in body.replace("Django", ""), (status, word)
        for secret in SECRETS.values():
            assert secret not in body
