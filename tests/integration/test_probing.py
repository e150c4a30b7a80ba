"""Streams that are tried: from addresses that may be, by one at a time, without telling secrets."""

from ipaddress import ip_network
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from detection.models import AuditRecord, Camera
from detection.ports import SourceError
from detection.services import probing
from detection.services.probing import probe_stream, watched_camera
from detection.sources.addresses import with_login
from simulators.demo.processes import free_port
from simulators.tapo import SimulatedTapo
from tests.integration.siren_site import PASSWORD
from tests.rows import a_camera, officer
from tests.watched import use

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _here(settings: Settings, broker_url: str, broker: "redis.Redis") -> None:
    use(settings, redis_url=broker_url, open_timeout=2.0, read_timeout=2.0)


@pytest.fixture
def adder() -> Client:
    return officer("adder", "view_camera", "add_camera")


def ask(client: Client, url: str, user: str = "", password: str = "") -> dict[str, Any]:
    address = reverse("admin:detection_camera_probe")
    sent = {"url": url, "username": user, "password": password}
    return dict(client.post(address, sent).json())


def plain_address(tapo: SimulatedTapo) -> str:
    return f"rtsp://127.0.0.1:{tapo.rtsp_port}/stream2"


def test_a_stream_is_described_and_shown(adder: Client, tapo: SimulatedTapo) -> None:
    answer = ask(adder, plain_address(tapo), "admin", PASSWORD)
    assert answer["ok"], answer
    assert answer["said"].startswith("64 × 48 pixels, H264, about 15")
    assert answer["picture"].startswith("data:image/jpeg;base64,")
    assert PASSWORD not in str(answer)
    (record,) = AuditRecord.objects.filter(action="live_viewed")
    assert record.details == {"said": "Tried a stream at 127.0.0.1: ok"}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("gopher://10.0.0.1/", "bad_address"),
        ("file:///etc/passwd", "bad_address"),
        ("/etc/passwd", "bad_address"),
        ("rtsp:///stream1", "bad_address"),
        ("rtsp://169.254.169.254/latest/meta-data", "bad_address"),
        ("http://[fe80::1]/video", "bad_address"),
    ],
)
def test_what_is_no_camera_is_refused_unasked(adder: Client, url: str, reason: str) -> None:
    answer = ask(adder, url)
    assert (answer["ok"], answer["reason"]) == (False, reason)


def test_only_the_cameras_networks_are_asked(
    adder: Client, tapo: SimulatedTapo, settings: Settings
) -> None:
    use(settings, camera_networks=[ip_network("10.0.0.0/8")])
    assert ask(adder, tapo.rtsp_url)["reason"] == "bad_address"
    assert tapo.total_sessions == 0


def test_each_reason_is_told_in_words_and_never_with_a_secret(
    adder: Client, tapo: SimulatedTapo
) -> None:
    wrong = ask(adder, plain_address(tapo), "admin", "an0ther-w0rd")
    nobody = ask(adder, f"rtsp://admin:s3cret-w0rd@127.0.0.1:{free_port()}/stream2")
    tapo.suppress_key_frames()
    mute = ask(adder, tapo.rtsp_url)
    assert [answer["reason"] for answer in (wrong, nobody)] == ["auth_failed", "refused"]
    assert mute["reason"] in {"no_video", "timed_out", "codec", "unreachable"}
    for answer in (wrong, nobody, mute):
        assert not answer["ok"] and len(answer["said"]) > 30
        assert not any(word in str(answer) for word in ("an0ther-w0rd", "s3cret-w0rd", PASSWORD))
    told = str(list(AuditRecord.objects.values_list("details", flat=True)))
    assert not any(word in told for word in ("an0ther-w0rd", "s3cret-w0rd", PASSWORD))


def test_a_camera_that_hangs_is_left_behind(
    tapo: SimulatedTapo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(settings, open_timeout=5.0, read_timeout=5.0)
    monkeypatch.setattr(probing, "LIMIT_SECONDS", 1.0)
    tapo.freeze()
    with pytest.raises(SourceError) as failure:
        probe_stream(tapo.rtsp_url)
    assert failure.value.reason == "timed_out"


def test_a_user_tries_one_stream_at_a_time(
    adder: Client, tapo: SimulatedTapo, broker: "redis.Redis"
) -> None:
    user = User.objects.get(username="adder")
    broker.set(f"crimeops:probe:{user.pk}", 1, px=60_000)
    assert ask(adder, tapo.rtsp_url)["reason"] == "busy"
    assert tapo.total_sessions == 0


def test_a_stream_that_a_camera_reads_is_not_opened_again(
    adder: Client, tapo: SimulatedTapo
) -> None:
    camera = a_camera(stream_url=tapo.rtsp_url, registry="laravel")
    found = watched_camera(f"rtsp://somebody:else@127.0.0.1:{tapo.rtsp_port}/stream2")
    assert found is not None and found.pk == camera.pk
    answer = ask(adder, plain_address(tapo))
    assert answer["reason"] == "watched" and "“Camera 1”" in answer["said"]
    Camera.objects.update(enabled=False)
    assert watched_camera(plain_address(tapo)) is None


def test_a_stored_address_that_is_none_hinders_no_trial(tapo: SimulatedTapo) -> None:
    a_camera(1, stream_url="rtsp://[fe80::1/stream1")
    camera = a_camera(2, stream_url=tapo.rtsp_url)
    assert watched_camera("rtsp://[10.0.0.1/") is None
    found = watched_camera(plain_address(tapo))
    assert found is not None and found.pk == camera.pk


def test_trying_is_for_who_may_add_cameras(tapo: SimulatedTapo) -> None:
    address = reverse("admin:detection_camera_probe")
    client = officer("looks", "view_camera", "change_camera")
    assert client.post(address, {"url": tapo.rtsp_url}).status_code == 403
    assert tapo.total_sessions == 0


def test_a_login_is_put_into_an_address_that_has_none() -> None:
    assert with_login("rtsp://10.0.0.1/s", "ann", "p@ss/w:rd") == (
        "rtsp://ann:p%40ss%2Fw%3Ard@10.0.0.1/s"
    )
    assert with_login("rtsp://bob:x@10.0.0.1/s", "ann", "y") == "rtsp://bob:x@10.0.0.1/s"
    assert with_login("/films/a.mp4", "ann", "y") == "/films/a.mp4"


def test_a_camera_that_no_key_opens_hides_no_other(tapo: SimulatedTapo) -> None:
    broken, camera = a_camera(1), a_camera(2, stream_url=tapo.rtsp_url)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE detection_camera SET stream_url = %s WHERE id = %s", ["no token", broken.pk]
        )
    found = watched_camera(plain_address(tapo))
    assert found is not None and found.pk == camera.pk
