"""The CameraRegistry port: one suite for the back end's adapter and for the fake of it."""

import json
import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from detection.ports import (
    CameraRegistry,
    CameraTaken,
    InstanceFull,
    ListedCamera,
    RegistryError,
)
from detection.registries import LocalRegistry
from integrations.laravel import client, registry
from integrations.laravel.client import LaravelOptions
from integrations.laravel.registry import LaravelRegistry
from simulators.demo.processes import free_port
from simulators.laravel import LaravelSimulator, SimulatedCamera
from tests.services import wait_until

KEY = "the-key-of-this-test"
PASSWORD = "p@ss/of:camera"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


def a_camera(number: int, **fields: str) -> SimulatedCamera:
    given = {
        "name": f"Camera {number}",
        "ip_address": f"192.0.2.{number}",
        "rtsp_url": f"rtsp://admin:{PASSWORD}@192.0.2.{number}:554/stream2",
        "password": PASSWORD,
    }
    return SimulatedCamera(id=number, **{**given, **fields})  # type: ignore[arg-type] # text fields


def a_registry(url: str, address: str = HERE, **options: float) -> LaravelRegistry:
    """Quick to lose patience, so that a test of trouble is short."""
    given = {"timeout_seconds": 2.0, "retries": 3, "backoff_factor": 0.01, **options}
    return LaravelRegistry(
        LaravelOptions(base_url=url, api_key=KEY, source_address=address, **given)  # type: ignore[arg-type] # numbers
    )


class FakeRegistry:
    """A registry in memory; its instances share `claims`."""

    def __init__(self, me: str, cameras: Sequence[int], claims: dict[int, str], limit: int) -> None:
        self._me, self._cameras, self._claims, self._limit = me, cameras, claims, limit

    def list_cameras(self) -> list[ListedCamera]:
        free = [number for number in self._cameras if number not in self._claims]
        return [ListedCamera(n, f"Camera {n}", f"rtsp://x:{PASSWORD}@h/{n}") for n in free[:10]]

    def claim(self, external_id: int) -> None:
        self._must_know(external_id)
        if external_id in self._claims:
            raise CameraTaken("it is claimed already")
        if list(self._claims.values()).count(self._me) >= self._limit:
            raise InstanceFull("release a camera first")
        self._claims[external_id] = self._me

    def release(self, external_id: int) -> None:
        self._must_know(external_id)
        if self._claims.get(external_id, self._me) != self._me:
            raise CameraTaken("it is not yours")
        self._claims.pop(external_id, None)

    def heartbeat(self, external_ids: Sequence[int]) -> None:
        pass

    def _must_know(self, external_id: int) -> None:
        if external_id not in self._cameras:
            raise RegistryError("there is no such camera", permanent=False)


@dataclass(frozen=True)
class World:
    """A registry with twelve cameras as two instances see it, each of which may hold two."""

    here: CameraRegistry
    elsewhere: CameraRegistry
    claims: Callable[[], dict[int, str]]


@contextmanager
def laravel_world() -> Iterator[World]:
    cameras = [a_camera(number) for number in range(1, 13)]
    with LaravelSimulator(KEY, cameras, max_cameras_per_instance=2) as simulator:
        yield World(
            a_registry(simulator.url),
            a_registry(simulator.url, ELSEWHERE),
            lambda: simulator.claims,
        )
        assert [v for v in simulator.violations if v.status not in (404, 409)] == []


@contextmanager
def fake_world() -> Iterator[World]:
    claims: dict[int, str] = {}
    numbers = range(1, 13)
    yield World(
        FakeRegistry(HERE, numbers, claims, 2),
        FakeRegistry(ELSEWHERE, numbers, claims, 2),
        lambda: claims,
    )


@pytest.fixture(params=[laravel_world, fake_world], ids=["laravel", "fake"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param() as world:
        yield world


def ids(cameras: Sequence[ListedCamera]) -> list[int]:
    return [camera.external_id for camera in cameras]


# --- what every registry does --------------------------------------------------------------------


def test_at_most_ten_cameras_are_listed_and_only_free_ones(world: World) -> None:
    assert ids(world.here.list_cameras()) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    world.elsewhere.claim(3)
    world.here.claim(4)
    assert ids(world.here.list_cameras()) == [1, 2, 5, 6, 7, 8, 9, 10, 11, 12]


def test_a_claimed_camera_belongs_to_the_instance_that_claimed_it(world: World) -> None:
    world.here.claim(1)
    world.elsewhere.claim(2)
    assert world.claims() == {1: HERE, 2: ELSEWHERE}


def test_a_camera_of_somebody_else_is_taken_and_may_be_free_later(world: World) -> None:
    world.elsewhere.claim(1)
    with pytest.raises(CameraTaken) as refusal:
        world.here.claim(1)
    assert not refusal.value.permanent
    world.elsewhere.release(1)
    world.here.claim(1)


def test_a_camera_is_not_claimed_twice_by_the_same_instance(world: World) -> None:
    world.here.claim(1)
    with pytest.raises(CameraTaken):
        world.here.claim(1)


def test_an_instance_that_is_full_is_told_so_and_has_room_after_a_release(world: World) -> None:
    world.here.claim(1)
    world.here.claim(2)
    with pytest.raises(InstanceFull) as refusal:
        world.here.claim(3)
    assert not refusal.value.permanent
    world.elsewhere.claim(3)
    world.here.release(1)
    world.here.claim(4)


def test_a_released_camera_is_listed_again_and_may_be_released_twice(world: World) -> None:
    world.here.claim(1)
    world.here.release(1)
    world.here.release(1)
    assert 1 in ids(world.here.list_cameras())


def test_the_camera_of_another_instance_is_not_released(world: World) -> None:
    world.elsewhere.claim(1)
    with pytest.raises(CameraTaken):
        world.here.release(1)
    assert world.claims() == {1: ELSEWHERE}


@pytest.mark.parametrize("verb", ["claim", "release"])
def test_a_camera_that_nobody_knows_is_refused_but_not_as_taken(world: World, verb: str) -> None:
    with pytest.raises(RegistryError) as refusal:
        getattr(world.here, verb)(99)
    assert not isinstance(refusal.value, CameraTaken | InstanceFull)


def test_a_heartbeat_for_held_cameras_is_accepted_also_for_none(world: World) -> None:
    world.here.claim(1)
    world.here.heartbeat([1])
    world.here.heartbeat([])


def test_a_listed_camera_shows_no_password_when_printed(world: World) -> None:
    camera = world.here.list_cameras()[0]
    assert PASSWORD in camera.stream_url
    assert PASSWORD not in repr(camera)


def test_cameras_of_our_own_are_always_granted_and_never_listed() -> None:
    here: CameraRegistry = LocalRegistry()
    here.claim(1)
    here.claim(1)
    here.heartbeat([1])
    here.release(1)
    here.release(1)
    assert here.list_cameras() == []


# --- Laravel's own words -------------------------------------------------------------------------


@pytest.fixture
def simulator() -> Iterator[LaravelSimulator]:
    with LaravelSimulator(KEY, [a_camera(1), a_camera(2)]) as simulator:
        yield simulator


def test_a_listed_camera_is_translated_field_by_field() -> None:
    listed = SimulatedCamera(
        id=7,
        name="Main Entrance",
        ip_address="192.168.1.6",
        rtsp_url="rtsp://mohamed:s3cret@41.35.120.50:8554/stream2",
        connection_ip="41.35.120.50",
        connection_port=8554,
        user_name="mohamed",
        password="s3cret",
        lat=30.0444,
        lang=31.2357,
        storage_type="sd_card",
        police_station_id=4,
    )
    with LaravelSimulator(KEY, [listed]) as simulator:
        assert a_registry(simulator.url).list_cameras() == [
            ListedCamera(
                external_id=7,
                name="Main Entrance",
                stream_url="rtsp://mohamed:s3cret@41.35.120.50:8554/stream2",
                address="192.168.1.6",
                public_address="41.35.120.50",
                username="mohamed",
                password="s3cret",
                latitude=30.0444,
                longitude=31.2357,
                station_id=4,
                storage_type="sd_card",
            )
        ]


def test_the_calls_are_exactly_the_documents(simulator: LaravelSimulator) -> None:
    registry = a_registry(simulator.url)
    registry.list_cameras()
    registry.claim(1)
    registry.claim(2)
    registry.heartbeat([1, 2])
    registry.release(1)
    assert [(call.method, call.path, call.body) for call in simulator.calls] == [
        ("GET", "/api/model/cameras", None),
        ("POST", "/api/model/cameras/1/claim", None),
        ("POST", "/api/model/cameras/2/claim", None),
        ("POST", "/api/model/heartbeat", {"camera_ids": [1, 2]}),
        ("DELETE", "/api/model/cameras/1/release", None),
    ]
    assert simulator.violations == []


def verbs(registry: CameraRegistry) -> dict[str, Callable[[], object]]:
    return {
        "list": registry.list_cameras,
        "claim": lambda: registry.claim(1),
        "release": lambda: registry.release(1),
        "heartbeat": lambda: registry.heartbeat([1]),
    }


@pytest.mark.parametrize("verb", ["list", "claim", "release", "heartbeat"])
def test_a_wrong_key_says_which_setting_to_check_and_is_not_shown(verb: str) -> None:
    with LaravelSimulator("quite another key", [a_camera(1)]) as simulator:
        with pytest.raises(RegistryError, match="check MODEL_API_KEY") as refusal:
            verbs(a_registry(simulator.url))[verb]()
        assert not refusal.value.permanent, "an operator may mend it"
        assert KEY not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("verb", ["list", "claim", "release", "heartbeat"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("not_json", "not as the contract says"),
        ("missing_field", "not as the contract says"),
        ("html", "not as the contract says"),
        ("reset", "connection broken; check BACKEND_URL and that it is up"),
        ("hang", "no answer in time"),
    ],
)
def test_nonsense_and_silence_are_transient_and_say_what_is_wrong(
    simulator: LaravelSimulator, verb: str, fault: str, said: str
) -> None:
    registry = a_registry(simulator.url, timeout_seconds=0.2, retries=0)
    simulator.fault(fault)
    with pytest.raises(RegistryError, match=said) as trouble:
        verbs(registry)[verb]()
    assert not trouble.value.permanent
    assert not isinstance(trouble.value, CameraTaken | InstanceFull)


@pytest.mark.parametrize("verb", ["list", "claim", "heartbeat"])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_three_server_errors_are_tried_again_and_the_fourth_answer_counts(
    simulator: LaravelSimulator, verb: str, status: int
) -> None:
    simulator.fault(f"status:{status}", times=3)
    verbs(a_registry(simulator.url))[verb]()
    assert [call.status for call in simulator.calls] == [status, status, status, 200]


def test_a_fourth_server_error_is_reported_as_transient(simulator: LaravelSimulator) -> None:
    simulator.fault("status:500")
    with pytest.raises(RegistryError, match="answered 500") as trouble:
        a_registry(simulator.url).list_cameras()
    assert not trouble.value.permanent
    assert len(simulator.calls) == 4


def test_a_call_that_hangs_is_given_up_and_not_repeated_at_once(
    simulator: LaravelSimulator,
) -> None:
    simulator.fault("hang", times=1)
    registry = a_registry(simulator.url, timeout_seconds=0.2)
    began = time.monotonic()
    with pytest.raises(RegistryError, match="no answer in time"):
        registry.claim(1)
    assert 0.2 <= time.monotonic() - began < 1.0
    wait_until(lambda: simulator.calls, "the back end notes that nobody waits", 5)
    assert [call.status for call in simulator.calls] == [0]
    registry.claim(1)


@pytest.fixture
def dark_url() -> Iterator[str]:
    """Where connections are neither accepted nor refused: whoever listens has a full queue."""
    with socket.create_server((HERE, 0), backlog=0) as listener:
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        yield f"http://{HERE}:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.mark.parametrize("verb", ["claim", "release"])
def test_a_claim_or_release_gives_a_dark_back_end_up_well_before_a_lease_has_run_out(
    dark_url: str, verb: str
) -> None:
    registry = LaravelRegistry(LaravelOptions(base_url=dark_url, api_key=KEY))
    began = time.monotonic()
    with pytest.raises(RegistryError, match="no answer in time") as trouble:
        verbs(registry)[verb]()
    assert trouble.value.unanswered
    assert time.monotonic() - began < 6


def test_a_claim_whose_errors_come_slowly_is_repeated_only_while_there_is_time(
    simulator: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PROMPT_SECONDS", 1.0)
    monkeypatch.setattr(client, "PROMPT_ATTEMPT_SECONDS", 0.5)
    simulator.fault("status:503")
    registry = a_registry(simulator.url, backoff_factor=1.0)
    with pytest.raises(RegistryError, match="answered 503") as trouble:
        registry.claim(1)
    assert trouble.value.unanswered
    assert len(simulator.calls) == 2, "at once, and not again after 2 s"


def test_a_back_end_that_is_down_is_named_with_its_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = f"cannot reach the back end at {url}: connection refused"
    with pytest.raises(RegistryError, match=said) as trouble:
        a_registry(url).list_cameras()
    assert not trouble.value.permanent


def test_a_proxy_of_the_host_never_sees_the_key(
    simulator: LaravelSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert ids(a_registry(simulator.url).list_cameras()) == [1, 2]


def test_the_options_show_no_key_when_printed() -> None:
    assert KEY not in repr(LaravelOptions(base_url="http://localhost", api_key=KEY))


# --- answers that the simulator would never give -------------------------------------------------


@dataclass(frozen=True)
class OneAnswer:
    """A server with one answer for everything; `seen` holds the API keys that reached it."""

    url: str
    seen: list[str | None]


@contextmanager
def server(status: int, body: object, location: str = "") -> Iterator[OneAnswer]:
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("X-Model-Api-Key"))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_GET  # noqa: N815 — http.server's own names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield OneAnswer(f"http://127.0.0.1:{listener.server_port}", seen)
        finally:
            listener.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", ["list", "claim"])
def test_a_redirect_is_refused_and_the_key_not_sent_on(status: int, verb: str) -> None:
    listed = {"status": True, "message": "", "data": []}
    with server(200, listed) as other, server(status, {}, f"{other.url}/api") as first:
        with pytest.raises(RegistryError, match=r"is redirected .*check BACKEND_URL") as refusal:
            verbs(a_registry(first.url))[verb]()
        assert not refusal.value.permanent, "an operator may mend it"
        assert first.seen == [KEY]
        assert other.seen == []


def test_a_camera_that_is_malformed_leaves_out_only_itself_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    with LaravelSimulator(KEY, [a_camera(1), a_camera(2, rtsp_url=""), a_camera(3)]) as simulator:
        assert ids(a_registry(simulator.url).list_cameras()) == [1, 3]
    assert "camera (id 2, position 1) that cannot be used: rtsp_url" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("nonsense", [None, "a camera", 7, [], {}], ids=repr)
def test_an_entry_that_is_no_camera_at_all_leaves_out_only_itself(
    nonsense: object, caplog: pytest.LogCaptureFixture
) -> None:
    data = [a_camera(1).as_listed(), nonsense, a_camera(3).as_listed()]
    caplog.set_level(logging.ERROR)
    with server(200, {"status": True, "data": data}) as answering:
        assert ids(a_registry(answering.url).list_cameras()) == [1, 3]
    assert "position 1" in caplog.text


def test_fields_that_we_do_not_know_are_left_alone() -> None:
    data = [{**a_camera(1).as_listed(), "installed_at": "2026-01-01", "tapo_password": None}]
    with server(200, {"status": True, "data": data, "links": {}}) as answering:
        assert ids(a_registry(answering.url).list_cameras()) == [1]


@pytest.mark.parametrize("verb", ["list", "claim", "release", "heartbeat"])
def test_a_success_that_says_it_is_none_is_an_error(verb: str) -> None:
    body = {"status": False, "message": "the maintenance goes on", "data": []}
    with server(200, body) as answering:
        said = "answered 200, but with status false: the maintenance goes on"
        with pytest.raises(RegistryError, match=said) as refusal:
            verbs(a_registry(answering.url))[verb]()
        assert not refusal.value.permanent
        assert not isinstance(refusal.value, CameraTaken | InstanceFull)


def test_an_answer_longer_than_the_limit_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"status": True, "data": [], "message": "x" * 1_000}
    with server(200, body) as answering:
        monkeypatch.setattr(client, "LONGEST_ANSWER_BYTES", 2_000)
        assert a_registry(answering.url).list_cameras() == []
        monkeypatch.setattr(client, "LONGEST_ANSWER_BYTES", 999)
        with pytest.raises(RegistryError, match="longer than 999 bytes and was cut off") as refusal:
            a_registry(answering.url).list_cameras()
        assert not refusal.value.permanent


def test_an_answer_nested_without_end_is_malformed_and_harms_nobody() -> None:
    depth = 200_000
    for nested in ("[" * depth, '{"data":' * depth, '{"status":true,"data":' + "[" * depth):
        with server(200, nested.encode()) as answering:
            with pytest.raises(RegistryError, match="not as the contract says") as refusal:
                a_registry(answering.url).list_cameras()
            assert not refusal.value.permanent
        with server(500, nested.encode()) as answering, pytest.raises(RegistryError):
            a_registry(answering.url).claim(1)


def test_of_more_cameras_than_any_site_has_the_first_are_taken_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "MOST_CAMERAS", 2)
    with LaravelSimulator(KEY, [a_camera(number) for number in (1, 2, 3)]) as simulator:
        assert ids(a_registry(simulator.url).list_cameras()) == [1, 2]
    assert "lists 3 cameras; those after the first 2 are left out" in caplog.text


DRIPPING = {
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a known length": (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
}


@contextmanager
def dripping(what: str) -> Iterator[str]:
    """A server whose answer never ends, though its next packet is never long in coming."""
    start, drop = DRIPPING[what]

    def serve() -> None:
        # It ends with the test, or as soon as the client has had enough.
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65_536)
            connection.sendall(start)
            while not over.wait(0.05):
                connection.sendall(drop)

    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join(5)


@pytest.mark.parametrize("what", DRIPPING)
def test_an_answer_that_drips_for_ever_is_cut_off(what: str) -> None:
    with dripping(what) as url:
        began = time.monotonic()
        with pytest.raises(RegistryError, match="no answer in time") as refusal:
            a_registry(url, timeout_seconds=0.2).list_cameras()
        assert 0.4 <= time.monotonic() - began < 1.5
        assert not refusal.value.permanent


@pytest.mark.parametrize(
    "monster",
    [
        {"id": -1},
        {"id": 2**63},
        {"id": "2"},
        {"police_station_id": 2**63},
        {"police_station_id": -1},
        {"name": "x" * 201},
        {"name": "Ga\0te"},
        {"ip_address": "1" * 256},
        {"rtsp_url": "rtsp://h/" + "x" * 2_000},
        {"rtsp_url": "rtsp://h/\0"},
        {"connection_ip": "1" * 256},
        {"storage_type": "x" * 33},
        {"password": "p\0w"},
        {"user_name": "u\0n"},
        {"tapo_password": "t\0p"},
    ],
    ids=lambda fields: "-".join(f"{k}-{str(v)[:12]!r}" for k, v in fields.items()),
)
def test_a_camera_that_no_database_holds_leaves_out_only_itself(
    monster: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    data = [a_camera(1).as_listed(), {**a_camera(2).as_listed(), **monster}]
    caplog.set_level(logging.ERROR)
    with server(200, {"status": True, "data": [*data, a_camera(3).as_listed()]}) as answering:
        assert ids(a_registry(answering.url).list_cameras()) == [1, 3]
    (field,) = monster
    assert f"position 1) that cannot be used: {field}" in caplog.text
    assert PASSWORD not in caplog.text


def test_the_largest_camera_that_a_database_holds_is_listed() -> None:
    fields = {"id": 2**63 - 1, "police_station_id": 0, "name": "x" * 200, "storage_type": "y" * 32}
    data = [{**a_camera(1).as_listed(), **fields}]
    with server(200, {"status": True, "data": data}) as answering:
        assert ids(a_registry(answering.url).list_cameras()) == [2**63 - 1]
