"""The Alarm port: one suite for the camera's own siren, the back end's camera API and a fake."""

import gc
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from threading import Thread

import pytest

from integrations.alarms import onvif as onvif_alarm
from integrations.alarms import tapo
from integrations.alarms.backend import BackendAlarm
from integrations.alarms.onvif import OnvifAlarm
from integrations.alarms.tapo import TapoAlarm
from integrations.laravel.client import LaravelOptions
from integrations.ports import Alarm, AlarmAddress, IntegrationError
from integrations.services import sirens
from simulators.laravel import LaravelSimulator, SimulatedCamera
from simulators.onvif import SimulatedOnvif
from simulators.tapo import Clip, SimulatedTapo, load_clip
from tests.clips import grey_clip
from tests.gate import Gate

pytestmark = [
    # A camera's certificate is self-signed, so pytapo does not verify it and urllib3 complains.
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    # pytapo closes neither its HTTP session nor its event loop.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

KEY = "the-key-of-this-test"
PASSWORD = "Correct horse 1!"


@pytest.fixture(autouse=True)
def _clients_are_collected_where_their_warnings_are_expected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return load_clip(grey_clip(tmp_path_factory.mktemp("clip") / "grey.mp4", pictures=1))


@pytest.fixture
def camera(clip: Clip) -> Iterator[SimulatedTapo]:
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as simulated:
        yield simulated


def address_of(camera: SimulatedTapo, password: str = PASSWORD) -> AlarmAddress:
    return AlarmAddress(
        camera_id=1,
        host=camera.host,
        port=camera.control_port,
        public_host=camera.host,
        username="admin",
        password=password,
        control_password="",
    )


def seconds_taken(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


class FakeAlarm:
    """A siren in memory."""

    def __init__(self) -> None:
        self.sounding = self.is_broken = False

    def sound(self, address: AlarmAddress, seconds: float) -> None:
        self._set(True)

    def silence(self, address: AlarmAddress) -> None:
        self._set(False)

    def keep_warm(self, address: AlarmAddress) -> bool:
        return True

    def _set(self, sounding: bool) -> None:
        if self.is_broken:
            raise IntegrationError("the camera does not answer", permanent=False)
        self.sounding = sounding


@dataclass(frozen=True)
class World:
    """An alarm, the address of a camera, how to listen to it, and how to cut its line."""

    alarm: Alarm
    address: AlarmAddress
    sounding: Callable[[], bool]
    cut: Callable[[], None]


@contextmanager
def tapo_world(clip: Clip) -> Iterator[World]:
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as camera:
        yield World(TapoAlarm(), address_of(camera), lambda: camera.siren_on, camera.refuse_control)


@contextmanager
def backend_world(clip: Clip) -> Iterator[World]:
    with a_back_end() as simulator:
        yield World(
            BackendAlarm(LaravelOptions(simulator.url, KEY, backoff_factor=0.01)),
            ADDRESS,
            lambda: bool(simulator.alarms) and simulator.alarms[-1].action == "start",
            lambda: simulator.fault("reset"),
        )
        assert simulator.violations == []


@contextmanager
def onvif_world(clip: Clip) -> Iterator[World]:
    with SimulatedOnvif("admin", PASSWORD) as simulated:
        address = replace(ADDRESS, host="127.0.0.1")
        yield World(OnvifAlarm(simulated.port), address, lambda: simulated.on, simulated.cut)


@contextmanager
def fake_world(clip: Clip) -> Iterator[World]:
    fake = FakeAlarm()
    yield World(fake, ADDRESS, lambda: fake.sounding, lambda: setattr(fake, "is_broken", True))


@pytest.fixture(
    params=[tapo_world, backend_world, onvif_world, fake_world],
    ids=["tapo", "backend", "onvif", "fake"],
)
def world(request: pytest.FixtureRequest, clip: Clip) -> Iterator[World]:
    with request.param(clip) as world:
        yield world


# --- what every alarm does -----------------------------------------------------------------------


def test_the_siren_sounds_and_falls_silent_when_asked(world: World) -> None:
    assert not world.sounding()
    world.alarm.sound(world.address, 30.0)
    assert world.sounding()
    world.alarm.silence(world.address)
    assert not world.sounding()


def test_asking_twice_is_harmless(world: World) -> None:
    world.alarm.silence(world.address)
    world.alarm.sound(world.address, 30.0)
    world.alarm.sound(world.address, 30.0)
    assert world.sounding()
    world.alarm.silence(world.address)
    world.alarm.silence(world.address)
    assert not world.sounding()


def test_keeping_warm_makes_no_noise(world: World) -> None:
    world.alarm.keep_warm(world.address)
    world.alarm.keep_warm(world.address)
    assert not world.sounding()


@pytest.mark.parametrize("order", ["sound", "silence"])
def test_a_line_that_is_cut_is_transient_and_shows_no_password(world: World, order: str) -> None:
    world.cut()
    with pytest.raises(IntegrationError) as trouble:
        give(world.alarm, order, world.address)
    assert not trouble.value.permanent
    assert_no_password(trouble.value)


def give(alarm: Alarm, order: str, address: AlarmAddress) -> None:
    if order == "sound":
        alarm.sound(address, 30.0)
    else:
        getattr(alarm, order)(address)


def assert_no_password(error: BaseException, *passwords: str) -> None:
    told = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    for secret in (PASSWORD, *passwords):
        assert secret not in told


def test_an_address_shows_no_password_when_printed() -> None:
    printed = repr(replace(ADDRESS, control_password="tapo-account"))
    assert PASSWORD not in printed and "tapo-account" not in printed


# --- the camera's own siren ----------------------------------------------------------------------


def test_a_warm_siren_is_one_request_without_a_login(camera: SimulatedTapo) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.keep_warm(address)
    logins = camera.logins
    quick = seconds_taken(lambda: alarm.sound(address, 30))
    assert camera.siren_on
    print(f"a warm siren sounds in {quick * 1000:.0f} ms")

    camera.latency_seconds = 0.3  # each request now costs as much: two would take 0.6 s
    assert 0.3 <= seconds_taken(lambda: alarm.sound(address, 30)) < 0.6
    assert 0.3 <= seconds_taken(lambda: alarm.silence(address)) < 0.6
    assert not camera.siren_on
    assert camera.logins == logins
    assert quick < 0.3


def test_an_expired_session_is_renewed_within_the_alarm(camera: SimulatedTapo) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.keep_warm(address)
    camera.expire_sessions()
    alarm.sound(address, 30)
    assert camera.siren_on
    assert camera.logins == 2


def test_keeping_warm_pays_for_an_expired_session_so_that_the_alarm_does_not(
    camera: SimulatedTapo,
) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.keep_warm(address)
    camera.expire_sessions()
    alarm.keep_warm(address)
    assert camera.logins == 2
    alarm.sound(address, 30)
    assert camera.logins == 2


def test_a_connection_that_was_dropped_is_made_again_within_the_alarm(
    camera: SimulatedTapo,
) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.keep_warm(address)
    camera.drop_connections()
    alarm.sound(address, 30)
    assert camera.siren_on


def test_a_camera_that_comes_back_is_sounded_without_a_cool_down(camera: SimulatedTapo) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.keep_warm(address)
    camera.refuse_control()
    with pytest.raises(IntegrationError, match=f"{camera.host}:{camera.control_port} does not"):
        alarm.sound(address, 30)
    camera.accept_control()
    alarm.sound(address, 30)
    assert camera.siren_on


@pytest.mark.parametrize(("fall", "limit"), [("cut", 0.6), ("freeze", 6.0)])
def test_a_camera_that_goes_away_with_its_session_is_given_up_soon(
    camera: SimulatedTapo, fall: str, limit: float
) -> None:
    """No sooner is the siren sounded by another way."""
    alarm = TapoAlarm()
    with Gate(camera.control_port) as gate:
        address = replace(address_of(camera), port=gate.port)
        alarm.keep_warm(address)
        getattr(gate, fall)()
        began = time.perf_counter()
        with pytest.raises(IntegrationError, match="does not answer"):
            alarm.sound(address, 30)
        took = time.perf_counter() - began
    print(f"a camera that is gone ({fall}) is given up after {took:.2f} s")
    assert took < limit


@contextmanager
def a_camera_that_hangs() -> Iterator[AlarmAddress]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        yield AlarmAddress(1, "127.0.0.1", port, "127.0.0.1", "admin", PASSWORD, "")


@contextmanager
def warming_in_the_background(alarm: Alarm, address: AlarmAddress) -> Iterator[Thread]:
    def warm() -> None:
        with suppress(IntegrationError):
            alarm.keep_warm(address)

    thread = Thread(target=warm, daemon=True)
    thread.start()
    time.sleep(0.1)
    assert thread.is_alive(), "the camera should hang"
    yield thread


def test_nobody_waits_for_a_camera_that_hangs_while_it_is_warmed() -> None:
    alarm = TapoAlarm()
    with a_camera_that_hangs() as address, warming_in_the_background(alarm, address) as first:
        assert seconds_taken(lambda: alarm.keep_warm(address)) < 0.5
        assert first.is_alive()
    first.join(10)  # its line is cut now
    assert not first.is_alive()
    assert seconds_taken(lambda: alarm.keep_warm(address)) < 0.5, "it rests now"


def test_keeping_a_camera_warm_that_hangs_ends_within_an_attempt() -> None:
    alarm = TapoAlarm()
    with a_camera_that_hangs() as address, warming_in_the_background(alarm, address) as first:
        first.join(sirens.ATTEMPT_SECONDS)
        ended = not first.is_alive()
    first.join(10)
    assert ended


def test_a_camera_that_could_not_be_warmed_rests_but_is_sounded_all_the_same(
    camera: SimulatedTapo,
) -> None:
    alarm, address = TapoAlarm(), address_of(camera)
    camera.refuse_control()
    with pytest.raises(IntegrationError, match="does not answer"):
        alarm.keep_warm(address)
    camera.accept_control()
    alarm.keep_warm(address)
    assert camera.logins == 0, "it rests"
    alarm.sound(address, 30)
    assert (camera.siren_on, camera.logins) == (True, 1)


def test_after_its_rest_a_camera_is_kept_warm_again(
    camera: SimulatedTapo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapo, "SILENT_CAMERA_REST_SECONDS", 0.05)
    alarm, address = TapoAlarm(), address_of(camera)
    camera.refuse_control()
    with pytest.raises(IntegrationError, match="does not answer"):
        alarm.keep_warm(address)
    camera.accept_control()
    time.sleep(0.1)
    alarm.keep_warm(address)
    assert camera.logins == 1


@pytest.mark.parametrize("order", ["sound", "silence", "keep_warm"])
def test_a_wrong_password_stops_all_logins_for_a_while(camera: SimulatedTapo, order: str) -> None:
    alarm, address = TapoAlarm(), address_of(camera, "Wrong horse 2!")
    with pytest.raises(IntegrationError, match="refuses the password: set the camera") as refusal:
        give(alarm, order, address)
    assert refusal.value.retry_after_seconds == 60.0
    assert not refusal.value.permanent, "an operator may correct it"
    assert_no_password(refusal.value, "Wrong horse 2!")

    tried = camera.failed_logins
    assert tried < camera.lock_out_after / 2
    for again in ("sound", "silence"):
        with pytest.raises(IntegrationError, match="refuses logins for") as closed:
            give(alarm, again, address)
        assert 50 < closed.value.retry_after_seconds <= 60
        assert_no_password(closed.value, "Wrong horse 2!")
    alarm.keep_warm(address)  # rests
    assert camera.failed_logins == tried
    assert camera.locked_out_seconds == 0


def test_a_suspension_is_waited_for_as_long_as_the_camera_says(camera: SimulatedTapo) -> None:
    camera.lock_out(1200)
    alarm, address = TapoAlarm(), address_of(camera)
    with pytest.raises(IntegrationError, match="has suspended logins for") as refusal:
        alarm.sound(address, 30)
    assert 1190 < refusal.value.retry_after_seconds <= 1200
    assert not refusal.value.permanent
    assert_no_password(refusal.value)
    camera.lock_out(0)
    with pytest.raises(IntegrationError, match="refuses logins for"):
        alarm.sound(address, 30)


def test_firmware_without_a_manual_alarm_is_sounded_by_its_siren_status(
    camera: SimulatedTapo,
) -> None:
    camera.manual_alarm_supported = False
    alarm, address = TapoAlarm(), address_of(camera)
    alarm.sound(address, 30)
    assert camera.siren_on
    alarm.silence(address)
    assert [(call.action, call.method) for call in camera.siren_calls] == [
        ("start", "setSirenStatus"),
        ("stop", "setSirenStatus"),
    ]
    assert camera.logins == 1, "what is not supported costs no session"
    camera.latency_seconds = 0.3
    assert seconds_taken(lambda: alarm.sound(address, 30)) < 0.6, "it was remembered"


def test_firmware_without_any_siren_says_so(camera: SimulatedTapo) -> None:
    camera.manual_alarm_supported = camera.siren_status_supported = False
    with pytest.raises(IntegrationError, match="firmware") as refusal:
        TapoAlarm().sound(address_of(camera), 30)
    assert refusal.value.permanent


def test_a_corrected_password_is_used_at_once(camera: SimulatedTapo) -> None:
    alarm = TapoAlarm()
    with pytest.raises(IntegrationError):
        alarm.sound(address_of(camera, "Wrong horse 2!"), 30)
    alarm.sound(address_of(camera), 30)
    assert camera.siren_on


def test_the_tapo_account_password_is_used_where_it_is_given(camera: SimulatedTapo) -> None:
    camera.change_password("the Tapo account's")
    address = replace(address_of(camera), control_password="the Tapo account's")
    TapoAlarm().sound(address, 30)
    assert camera.siren_on


def test_a_camera_that_moved_gets_a_new_session(camera: SimulatedTapo, clip: Clip) -> None:
    alarm = TapoAlarm()
    alarm.keep_warm(address_of(camera))
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as moved:
        alarm.sound(address_of(moved), 30)
        assert moved.siren_on
    assert not camera.siren_on


def test_cameras_do_not_share_sessions(camera: SimulatedTapo, clip: Clip) -> None:
    alarm = TapoAlarm()
    with SimulatedTapo(user="admin", password=PASSWORD, clip=clip) as other:
        alarm.sound(address_of(camera), 30)
        alarm.sound(replace(address_of(other), camera_id=2), 30)
        alarm.silence(address_of(camera))
        assert (camera.siren_on, other.siren_on) == (False, True)
        assert (camera.logins, other.logins) == (1, 1)


# --- the back end's camera API -------------------------------------------------------------------

ADDRESS = AlarmAddress(1, "10.0.0.7", 443, "192.0.2.7", "admin", PASSWORD, "")


def a_back_end() -> LaravelSimulator:
    camera = SimulatedCamera(
        id=1,
        name="Gate",
        ip_address="10.0.0.7",
        connection_ip="192.0.2.7",
        rtsp_url="rtsp://192.0.2.7/stream2",
        password=PASSWORD,
    )
    return LaravelSimulator(KEY, [camera])


@pytest.fixture
def back_end() -> Iterator[LaravelSimulator]:
    with a_back_end() as simulator:
        yield simulator


def test_the_back_end_is_asked_exactly_as_the_document_says(back_end: LaravelSimulator) -> None:
    alarm = BackendAlarm(LaravelOptions(back_end.url, KEY))
    alarm.sound(ADDRESS, 29.6)
    alarm.silence(ADDRESS)
    account = {"ip": "192.0.2.7", "username": "admin", "password": PASSWORD}
    assert [call.body for call in back_end.calls_to("/api/camera/alarm")] == [
        {**account, "action": "start", "duration": 30, "type": "both", "volume": "high"},
        {**account, "action": "stop"},
    ]
    assert back_end.violations == []


@pytest.mark.parametrize("seconds", [0.2, 0.5])
def test_a_very_short_siren_is_asked_for_a_whole_second(
    back_end: LaravelSimulator, seconds: float
) -> None:
    BackendAlarm(LaravelOptions(back_end.url, KEY)).sound(ADDRESS, seconds)
    assert back_end.alarms[0].duration == 1


def test_keeping_warm_asks_the_back_end_nothing(back_end: LaravelSimulator) -> None:
    BackendAlarm(LaravelOptions(back_end.url, KEY)).keep_warm(ADDRESS)
    assert back_end.calls == []


def test_a_password_that_the_back_end_refuses_is_not_shown(back_end: LaravelSimulator) -> None:
    wrong = replace(ADDRESS, password="Wrong horse 2!")
    with pytest.raises(IntegrationError, match="refuses this username and password") as refusal:
        BackendAlarm(LaravelOptions(back_end.url, KEY)).sound(wrong, 30)
    assert_no_password(refusal.value, "Wrong horse 2!")


# --- a relay output by ONVIF ---------------------------------------------------------------------


@pytest.fixture
def onvif() -> Iterator[SimulatedOnvif]:
    with SimulatedOnvif("admin", PASSWORD) as simulated:
        yield simulated


HERE = replace(ADDRESS, host="127.0.0.1")


def test_a_relay_is_learnt_once_and_then_switched_by_one_request(onvif: SimulatedOnvif) -> None:
    alarm = OnvifAlarm(onvif.port)
    assert alarm.keep_warm(HERE)
    onvif.requests.clear()
    alarm.sound(HERE, 30)
    assert onvif.on
    alarm.silence(HERE)
    assert onvif.requests == ["SetRelayOutputState"] * 2


def test_a_camera_whose_clock_is_wrong_is_asked_by_its_own(onvif: SimulatedOnvif) -> None:
    onvif.clock_ahead = timedelta(days=-400)
    OnvifAlarm(onvif.port).sound(HERE, 30)
    assert onvif.on


def test_a_camera_without_a_relay_says_so() -> None:
    with SimulatedOnvif("admin", PASSWORD, relays=()) as bare:
        with pytest.raises(IntegrationError, match="no ONVIF relay output") as refusal:
            OnvifAlarm(bare.port).sound(HERE, 30)
        assert refusal.value.permanent


def test_a_password_refused_by_onvif_is_not_sent_again_for_a_while(onvif: SimulatedOnvif) -> None:
    alarm, wrong = OnvifAlarm(onvif.port), replace(HERE, password="Wrong horse 2!")
    with pytest.raises(IntegrationError, match="refuses the camera account") as refusal:
        alarm.sound(wrong, 30)
    assert_no_password(refusal.value, "Wrong horse 2!")
    with pytest.raises(IntegrationError, match="refuses logins for"):
        alarm.sound(wrong, 30)
    assert onvif.refused == 1
    alarm.sound(HERE, 30)
    assert onvif.on


@pytest.mark.parametrize("warmed", [False, True])
def test_a_camera_that_sets_its_clock_while_it_sounds_is_silenced(
    onvif: SimulatedOnvif, warmed: bool
) -> None:
    onvif.clock_ahead = timedelta(hours=3)
    alarm = OnvifAlarm(onvif.port)
    alarm.sound(HERE, 30)
    onvif.clock_ahead = timedelta()
    if warmed:
        alarm.keep_warm(HERE)
    alarm.silence(HERE)
    assert not onvif.on
    assert onvif.refused == (0 if warmed else 1)
    alarm.sound(HERE, 30)
    assert onvif.refused <= 1, "the new clock is remembered"


def test_a_login_by_onvif_goes_to_no_host_outside_of_the_cameras_networks(
    onvif: SimulatedOnvif, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = OnvifAlarm(onvif.port, [ip_network("10.0.0.0/8")])
    with pytest.raises(IntegrationError, match="CAMERA_NETWORKS"):
        elsewhere.sound(HERE, 30)
    with pytest.raises(IntegrationError, match="is no host"):
        OnvifAlarm(onvif.port).sound(replace(HERE, host="127.0.0.1/latest/x?"), 30)
    assert onvif.requests == []
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    OnvifAlarm(onvif.port).sound(HERE, 30)
    assert onvif.on


def test_an_onvif_answer_that_stalls_half_way_is_a_failure_like_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onvif_alarm, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<x>")
                while connection.recv(65_536):
                    pass  # until the other side gives up

        stalls = Thread(target=answer_half)
        stalls.start()
        with pytest.raises(IntegrationError, match="does not answer by ONVIF"):
            OnvifAlarm(server.getsockname()[1]).sound(HERE, 30)
        stalls.join()
