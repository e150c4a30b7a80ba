"""The button that tests a siren: a moment of noise, said what came of it, and never left on."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from detection.models import AuditRecord, Camera, StationAccess
from detection.services import audit
from integrations.alarms.tapo import TapoAlarm
from integrations.models import Siren
from integrations.ports import AlarmAddress
from integrations.services import siren_trial, sirens
from integrations.services.siren_addresses import alarm_address
from integrations.signals import siren_tested
from simulators.tapo import SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import actions
from tests.services import wait_until

pytestmark = siren_site.MARKS


@pytest.fixture(autouse=True)
def _site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    siren_site.leave_only_tapo(settings)
    siren_site.set_environment(settings, redis_url=siren_site.no_broker())
    monkeypatch.setattr(siren_trial, "TRIAL_SECONDS", 0.1)
    with siren_site.process_that_tends_nothing(monkeypatch):
        yield


@pytest.fixture
def camera(tapo: SimulatedTapo) -> Camera:
    return siren_site.a_camera(tapo.host, tapo.control_port)


def officer(*permissions: str) -> Client:
    user = User.objects.create_user("officer", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    StationAccess.objects.create(user=user, all_stations=True)
    client = Client()
    client.force_login(user)
    return client


def address(camera: Camera) -> str:
    return f"/admin/integrations/siren/camera/{camera.pk}/test/"


def test_it_sounds_for_a_moment_and_says_by_which_way(tapo: SimulatedTapo, camera: Camera) -> None:
    heard: list[Any] = []

    def hear(**facts: Any) -> None:
        heard.append((facts["camera"], facts["user"].username, facts["outcome"]))

    siren_tested.connect(hear)
    page = officer("test_siren", "view_camera", "view_siren")
    try:
        body = page.post(address(camera), follow=True).content.decode()
    finally:
        siren_tested.disconnect(hear)
    assert "It sounded by way of “tapo” and is silent again." in body
    assert actions(tapo) == ["start", "stop"]
    row = Siren.objects.get()
    assert (row.method, row.episode_id) == ("tapo", None)
    assert row.silent_at is not None
    assert heard == [
        (camera, "officer", "It is asked to sound for a moment."),
        (camera, "officer", "It sounded by way of “tapo” and is silent again."),
    ]
    listed = page.post(address(camera), {"back": "sirens"})
    assert listed["Location"] == "/admin/integrations/siren/"


def test_it_says_why_it_did_not_sound(tapo: SimulatedTapo, camera: Camera) -> None:
    tapo.refuse_control()
    body = officer("test_siren", "view_camera").post(address(camera), follow=True)
    assert "It did not sound: tapo: the camera at 127.0.0.1" in body.content.decode()
    assert Siren.objects.get().silent_at is None, "it may be sounding: the sweep makes sure"


def test_without_an_address_nothing_is_tried(tapo: SimulatedTapo, camera: Camera) -> None:
    Camera.objects.update(address="", control_address="", public_address="")
    body = officer("test_siren", "view_camera").post(address(camera), follow=True)
    assert "Not tested: no address is known" in body.content.decode()


def test_a_second_click_and_a_siren_that_sounds_are_left_alone(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    Siren.objects.create(camera=camera, episode_id=uuid4(), silent_at=None)
    body = officer("test_siren", "view_camera").post(address(camera), follow=True)
    assert "Not tested: it sounds already, or is being tested." in body.content.decode()
    assert actions(tapo) == []


def test_an_alarm_that_comes_during_the_test_goes_on(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode, sound = uuid4(), TapoAlarm.sound

    def alarm_comes(alarm: TapoAlarm, where: AlarmAddress, seconds: float) -> None:
        monkeypatch.setattr(TapoAlarm, "sound", sound)
        sound(alarm, where, seconds)
        assert sirens.sound_siren(camera_id=camera.pk, episode_id=episode)

    monkeypatch.setattr(TapoAlarm, "sound", alarm_comes)
    body = officer("test_siren", "view_camera").post(address(camera), follow=True)
    assert "An alarm came in between" in body.content.decode()
    assert tapo.siren_on
    assert Siren.objects.get().episode_id == episode


def test_a_process_that_dies_in_the_middle_leaves_a_siren_that_the_sweep_silences(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """No handler of ours sees the end of a process."""

    def sound_and_die(alarm: TapoAlarm, where: AlarmAddress, seconds: float) -> None:
        monkeypatch.setattr(TapoAlarm, "sound", sound)
        sound(alarm, where, seconds)
        raise Died

    sound = TapoAlarm.sound
    monkeypatch.setattr(TapoAlarm, "sound", sound_and_die)
    with pytest.raises(Died):
        siren_trial.try_siren(camera=camera, user=User.objects.create_user("officer"))
    assert tapo.siren_on
    lease = Siren.objects.get().held_until
    assert lease is not None
    assert (lease - timezone.now()).total_seconds() < 6
    until = Siren.objects.get().wanted_until
    assert until is not None
    wait_until(lambda: timezone.now() > until, "the moment is over")
    for siren_id in sirens.sirens_to_tend(at=lease):
        sirens.tend_siren(siren_id=siren_id)
    assert not tapo.siren_on
    assert Siren.objects.get().silent_at is not None


def test_testing_needs_its_permission_a_post_and_the_token_of_the_page(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    Siren.objects.create(camera=camera, silent_at=timezone.now())
    page = officer("view_camera", "view_siren")
    places = [f"/admin/detection/camera/{camera.pk}/change/", "/admin/integrations/siren/"]
    for place in places:
        assert address(camera) not in page.get(place).content.decode()
    assert page.post(address(camera)).status_code == 403
    User.objects.get().user_permissions.add(Permission.objects.get(codename="test_siren"))
    for place in places:
        assert address(camera) in page.get(place).content.decode()
    assert page.get(address(camera)).status_code == 405
    assert page.post(address(camera).replace(f"/{camera.pk}/", "/999/")).status_code == 404
    page.handler.enforce_csrf_checks = True
    assert page.post(address(camera)).status_code == 403
    assert actions(tapo) == []


def test_a_test_is_recorded_with_where_it_came_from_before_it_sounds(
    tapo: SimulatedTapo, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = officer("test_siren", "view_camera")
    page.post(address(camera))
    records = AuditRecord.objects.filter(action="siren_tested").order_by("at")
    assert [record.address for record in records] == ["127.0.0.1"] * 2
    assert [record.details["outcome"] for record in records] == [
        "It is asked to sound for a moment.",
        "It sounded by way of “tapo” and is silent again.",
    ]
    asked = actions(tapo)

    def cannot(*_: object, **__: object) -> None:
        raise RuntimeError("no record can be written")

    monkeypatch.setattr(audit, "record", cannot)
    with pytest.raises(RuntimeError):
        page.post(address(camera))
    assert actions(tapo) == asked


# --- silence by hand -----------------------------------------------------------------------------


def silencing(camera: Camera) -> str:
    return f"/admin/integrations/siren/camera/{camera.pk}/silence/"


def test_silence_by_hand_ends_a_siren_of_which_nobody_knows(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    TapoAlarm().sound(alarm_address(camera), 30)
    assert not Siren.objects.exists()
    page = officer("change_siren", "view_camera", "view_siren")
    body = page.post(silencing(camera), follow=True).content.decode()
    assert "It is silent, as confirmed by “tapo”." in body
    assert not tapo.siren_on
    assert Siren.objects.get().silent_at is not None
    records = AuditRecord.objects.filter(action="siren_silenced").order_by("at")
    assert [(record.username, record.address) for record in records] == [
        ("officer", "127.0.0.1")
    ] * 2
    assert page.post(silencing(camera), {"back": "sirens"})["Location"] == (
        "/admin/integrations/siren/"
    )


def test_silence_by_hand_is_asked_for_until_it_is_confirmed(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    TapoAlarm().sound(alarm_address(camera), 30)
    tapo.refuse_control()
    body = officer("change_siren", "view_camera").post(silencing(camera), follow=True)
    assert "until it has confirmed" in body.content.decode()
    tapo.accept_control()
    Siren.objects.update(next_attempt_at=None)
    for siren_id in sirens.sirens_to_tend(at=timezone.now()):
        sirens.tend_siren(siren_id=siren_id)
    assert not tapo.siren_on
    assert Siren.objects.get().silent_at is not None


def test_silence_by_hand_works_while_sirens_are_switched_off(
    tapo: SimulatedTapo, camera: Camera, settings: Settings
) -> None:
    siren_site.set_environment(settings, siren_enabled=False)
    TapoAlarm().sound(alarm_address(camera), 30)
    officer("change_siren", "view_camera").post(silencing(camera))
    assert not tapo.siren_on


def test_silencing_needs_its_permission_a_post_and_a_camera_of_the_officers_station(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    Siren.objects.create(camera=camera, silent_at=timezone.now())
    page = officer("view_camera", "view_siren")
    places = [f"/admin/detection/camera/{camera.pk}/change/", "/admin/integrations/siren/"]
    for place in places:
        assert silencing(camera) not in page.get(place).content.decode()
    assert page.post(silencing(camera)).status_code == 403
    User.objects.get().user_permissions.add(Permission.objects.get(codename="change_siren"))
    for place in places:
        assert silencing(camera) in page.get(place).content.decode()
    assert page.get(silencing(camera)).status_code == 405
    StationAccess.objects.update(all_stations=False, stations=[8])
    assert page.post(silencing(camera)).status_code == 404
    assert actions(tapo) == []


def test_a_control_address_is_a_host_in_the_cameras_networks(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    page = officer("change_camera", "view_camera")
    place = f"/admin/detection/camera/{camera.pk}/change/"
    for wrong in ("169.254.169.254", "127.0.0.1/latest/x?", "127.0.0.1:0", "127.0.0.1:x"):
        body = page.post(place, {"control_address": wrong}).context["adminform"].form
        assert "control_address" in body.errors, wrong
    right = page.post(place, {"control_address": "127.0.0.1:443"})
    if right.status_code == 200:  # other fields are missing
        assert "control_address" not in right.context["adminform"].form.errors
