"""One cool-down of logins a camera: no restart, no other process and no retry logs in meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from detection.models import Camera
from integrations.models import Siren
from integrations.ports import LoginRefused
from integrations.services import siren_addresses, siren_logins, sirens
from integrations.services.siren_asking import ask_to_sound
from simulators.tapo import SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import PASSWORD, another_process

pytestmark = siren_site.MARKS


@pytest.fixture(autouse=True)
def _site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    siren_site.leave_only_tapo(settings)
    siren_site.set_environment(settings, redis_url=siren_site.no_broker())
    with siren_site.process_that_tends_nothing(monkeypatch):
        yield


@pytest.fixture
def camera(tapo: SimulatedTapo) -> Camera:
    return siren_site.a_camera(tapo.host, tapo.control_port)


def asked(tapo: SimulatedTapo) -> tuple[int, int]:
    return tapo.logins, tapo.failed_logins


def test_a_suspension_holds_for_every_process_as_long_as_the_camera_says(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tapo.lock_out(1200)
    sirens.warm_camera(camera_id=camera.pk)
    row = Siren.objects.get()
    assert row.logins_closed_until is not None
    assert 1190 < (row.logins_closed_until - timezone.now()).total_seconds() <= 1200
    assert "suspended logins" in row.last_error
    tried = asked(tapo)
    for _ in range(5):
        another_process()
        sirens.warm_camera(camera_id=camera.pk)
    assert asked(tapo) == tried


def test_a_corrected_password_does_not_end_the_cameras_own_suspension(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tapo.lock_out(1200)
    sirens.warm_camera(camera_id=camera.pk)
    tried = asked(tapo)
    Camera.objects.get().save()
    changed = Camera.objects.get()
    changed.password = "another one"
    changed.save(update_fields=["password"])
    sirens.warm_camera(camera_id=camera.pk)
    assert asked(tapo) == tried


def test_a_refused_password_is_tried_again_by_nobody_and_a_corrected_one_at_once(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    tapo.change_password("the new one")
    sirens.warm_camera(camera_id=camera.pk)
    tried = asked(tapo)
    another_process()
    sirens.warm_camera(camera_id=camera.pk)
    assert asked(tapo) == tried
    assert tapo.locked_out_seconds == 0

    changed = Camera.objects.get()
    changed.password = "the new one"
    changed.save(update_fields=["password"])
    another_process()
    sirens.warm_camera(camera_id=camera.pk)
    assert tapo.logins == 1


def test_an_expired_session_is_not_renewed_while_another_process_is_locked_out(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sirens.warm_camera(camera_id=camera.pk)
    assert tapo.logins == 1
    Siren.objects.update(logins_closed_until=timezone.now() + timedelta(seconds=600))
    tapo.expire_sessions()
    tried = asked(tapo)
    sirens.warm_camera(camera_id=camera.pk)
    assert asked(tapo) == tried
    assert "refuses logins for" in Siren.objects.get().last_error


def test_a_session_that_is_open_is_used_while_logins_are_closed(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    sirens.warm_camera(camera_id=camera.pk)
    Siren.objects.update(logins_closed_until=timezone.now() + timedelta(seconds=600))
    known = siren_addresses.look_up(camera.pk)
    assert known is not None
    assert ask_to_sound(known).method == "tapo"
    assert tapo.siren_on


def test_a_shorter_refusal_does_not_shorten_a_suspension(camera: Camera) -> None:
    now = timezone.now()
    Siren.objects.create(camera=camera, silent_at=now, logins_closed_until=now + timedelta(hours=1))
    known = siren_addresses.look_up(camera.pk)
    assert known is not None
    siren_logins.note_refusal(known.address, LoginRefused("no", seconds=60, suspended=False))
    row = Siren.objects.get()
    assert row.logins_closed_until == now + timedelta(hours=1)
    assert 3590 < known.address.logins_closed_seconds() <= 3600


def test_the_mark_of_a_password_is_not_the_password() -> None:
    mark = siren_logins.mark_of("admin", PASSWORD, "")
    assert PASSWORD not in mark
    assert mark != siren_logins.mark_of("admin", "another one", "")
    assert mark == siren_logins.mark_of("admin", PASSWORD, "")
