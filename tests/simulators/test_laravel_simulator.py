"""The simulated Laravel back end keeps to its contract, so that tests against it mean something."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from simulators.laravel import LaravelSimulator, ReceivedAlarm, SimulatedCamera

# The simulator is spoken to over real loopback sockets.
pytestmark = pytest.mark.enable_socket

KEY = "test_key"
PROJECT_ROOT = Path(__file__).parents[2]
ALERT = {"camera_id": 1, "confidence_score": 65.5, "alert_type": "suspicious"}
CRIME = {
    "camera_id": 1,
    "crime_type": "theft",
    "confidence_score": 92.5,
    "start_time": "2026-02-27T14:28:00Z",
    "end_time": "2026-02-27T14:32:00Z",
}
ALARM_STOP = {"ip": "192.168.1.1", "username": "admin", "password": "pass123", "action": "stop"}
ALARM_START = {**ALARM_STOP, "action": "start", "duration": 30, "type": "both", "volume": "high"}
LARAVEL_BODIES: dict[str, dict[str, Any]] = {
    "/alert": ALERT,
    "/crime": CRIME,
    "/alert/stop": {"camera_id": 1},
    "/heartbeat": {"camera_ids": [1]},
}


class SourceAddress(HTTPAdapter):
    """Lets one test machine call as several instances: all of 127.0.0.0/8 is loopback."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


class Client:
    """An instance of the product, as the back end sees it."""

    def __init__(self, simulator: LaravelSimulator, address: str = "127.0.0.1") -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.mount("http://", SourceAddress(address))
        self.session.headers["X-Model-Api-Key"] = KEY

    def call(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        url = self.simulator.url + (path if path.startswith("/api/") else "/api/model" + path)
        more.setdefault("timeout", 5)
        if body is not None:
            more["json"] = body
        return self.session.request(method, url, **more)

    def post(self, path: str, body: object = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def claim(self, *camera_ids: int) -> None:
        for camera_id in camera_ids:
            assert self.post(f"/cameras/{camera_id}/claim").status_code == 200


def a_camera(camera_id: int, **fields: Any) -> SimulatedCamera:
    address = f"192.168.1.{camera_id}"
    return SimulatedCamera(
        id=camera_id,
        name=f"Camera {camera_id}",
        ip_address=address,
        rtsp_url=f"rtsp://admin:pass123@{address}:554/stream2",
        **fields,
    )


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@pytest.fixture
def simulator() -> Iterator[LaravelSimulator]:
    with LaravelSimulator(KEY, cameras=[a_camera(number) for number in range(1, 13)]) as running:
        yield running


@pytest.fixture
def clients(simulator: LaravelSimulator) -> Iterator[Callable[[str], Client]]:
    opened: list[Client] = []

    def open_client(address: str) -> Client:
        opened.append(Client(simulator, address))
        return opened[-1]

    yield open_client
    for client in opened:
        client.session.close()


@pytest.fixture
def client(clients: Callable[[str], Client]) -> Client:
    return clients("127.0.0.1")


@pytest.fixture
def other(clients: Callable[[str], Client]) -> Client:
    return clients("127.0.0.2")


def short_lived(seconds: float) -> LaravelSimulator:
    return LaravelSimulator(KEY, cameras=[a_camera(1)], heartbeat_timeout_seconds=seconds)


# Cameras: list, claim, release


def test_a_listed_camera_has_exactly_the_fields_of_the_contract() -> None:
    camera = SimulatedCamera(
        id=1,
        name="Main Entrance",
        ip_address="192.168.1.6",
        connection_ip="41.35.120.50",
        connection_port=8554,
        rtsp_url="rtsp://mohamed:m0ohamed123456789@41.35.120.50:8554/stream2",
        user_name="mohamed",
        password="m0ohamed123456789",
        lat=30.0444,
        lang=31.2357,
        storage_type="none",
        police_station_id=1,
    )
    with LaravelSimulator(KEY, cameras=[camera]) as simulator:
        response = requests.get(
            f"{simulator.url}/api/model/cameras", headers={"X-Model-Api-Key": KEY}, timeout=5
        )
    assert response.status_code == 200
    assert response.json() == {
        "status": True,
        "data": [
            {
                "id": 1,
                "name": "Main Entrance",
                "ip_address": "192.168.1.6",
                "connection_ip": "41.35.120.50",
                "connection_port": 8554,
                "rtsp_url": "rtsp://mohamed:m0ohamed123456789@41.35.120.50:8554/stream2",
                "user_name": "mohamed",
                "password": "m0ohamed123456789",
                "lat": 30.0444,
                "lang": 31.2357,
                "storage_type": "none",
                "police_station_id": 1,
            }
        ],
    }


def test_the_list_holds_ten_cameras_that_are_active_and_unclaimed(
    simulator: LaravelSimulator, client: Client
) -> None:
    def listed() -> list[int]:
        return [camera["id"] for camera in client.call("GET", "/cameras").json()["data"]]

    assert listed() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    client.claim(2)
    simulator.deactivate(5)
    assert listed() == [1, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    assert simulator.violations == []


def test_a_claim_is_remembered_with_the_address_of_the_instance(
    simulator: LaravelSimulator, client: Client, other: Client
) -> None:
    response = client.post("/cameras/1/claim")
    other.claim(2)
    assert response.status_code == 200
    assert response.json() == {"status": True, "message": "Camera claimed successfully"}
    assert simulator.claims == {1: "127.0.0.1", 2: "127.0.0.2"}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_a_held_camera_cannot_be_claimed_by_its_holder_or_by_another(
    simulator: LaravelSimulator, client: Client, clients: Callable[[str], Client], address: str
) -> None:
    client.claim(1)
    response = clients(address).post("/cameras/1/claim")
    assert response.status_code == 409
    assert response.json() == {
        "status": False,
        "message": "Camera is already claimed by another model instance",
    }
    assert simulator.claims == {1: "127.0.0.1"}
    assert simulator.violations == []


def test_an_eleventh_claim_is_refused_without_being_a_violation(
    simulator: LaravelSimulator, client: Client, other: Client
) -> None:
    client.claim(*range(1, 11))
    response = client.post("/cameras/11/claim")
    assert response.status_code == 422
    assert response.json() == {
        "status": False,
        "message": "Maximum camera limit reached (10). Release cameras before claiming new ones.",
    }
    other.claim(11)
    assert simulator.violations == []


def test_a_camera_switched_off_since_it_was_listed_is_refused_without_a_violation(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.deactivate(1)
    assert client.post("/cameras/1/claim").status_code == 409
    assert simulator.violations == []


def test_a_released_camera_is_free_for_others_and_may_be_released_twice(
    simulator: LaravelSimulator, client: Client, other: Client
) -> None:
    client.claim(1)
    first = client.call("DELETE", "/cameras/1/release")
    again = client.call("DELETE", "/cameras/1/release")
    assert first.status_code == again.status_code == 200
    assert first.json() == {"status": True, "message": "Camera released successfully"}
    other.claim(1)
    assert simulator.claims == {1: "127.0.0.2"}
    assert simulator.violations == []


def test_nobody_releases_the_camera_of_another_instance(
    simulator: LaravelSimulator, client: Client, other: Client
) -> None:
    client.claim(1)
    assert other.call("DELETE", "/cameras/1/release").status_code == 409
    assert simulator.claims == {1: "127.0.0.1"}
    assert [violation.status for violation in simulator.violations] == [409]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cameras/99/claim"),
        ("DELETE", "/cameras/99/release"),
        ("POST", "/cameras/one/claim"),
        ("POST", "/cameras/-1/claim"),
        ("GET", "/camera"),
        ("POST", "/crime/"),
    ],
)
def test_an_unknown_camera_or_route_is_a_404_and_a_violation(
    simulator: LaravelSimulator, client: Client, method: str, path: str
) -> None:
    response = client.call(method, path)
    assert response.status_code == 404
    assert response.json()["status"] is False
    assert [violation.status for violation in simulator.violations] == [404]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/cameras"), ("GET", "/cameras/1/claim"), ("POST", "/cameras/1/release")],
)
def test_a_wrong_method_is_a_405_and_a_violation(
    simulator: LaravelSimulator, client: Client, method: str, path: str
) -> None:
    assert client.call(method, path).status_code == 405
    assert [violation.status for violation in simulator.violations] == [405]


def test_a_claim_with_a_body_or_a_query_is_refused(
    simulator: LaravelSimulator, client: Client
) -> None:
    with_body = client.post("/cameras/1/claim", {"camera_id": 1})
    with_query = client.post("/cameras/1/claim", params={"force": "1"})
    assert with_body.status_code == with_query.status_code == 422
    assert list(with_body.json()["errors"]) == ["body"]
    assert list(with_query.json()["errors"]) == ["force"]
    assert simulator.claims == {}


# The key


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cameras"),
        ("POST", "/cameras/1/claim"),
        ("DELETE", "/cameras/1/release"),
        ("POST", "/heartbeat"),
        ("POST", "/alert"),
        ("POST", "/alert/stop"),
        ("POST", "/crime"),
    ],
)
@pytest.mark.parametrize("key", [None, "wrong", "", "test_key2", b"\xff"])
def test_a_missing_or_wrong_key_is_a_401_on_every_model_endpoint(
    simulator: LaravelSimulator, client: Client, method: str, path: str, key: str | bytes | None
) -> None:
    response = client.call(method, path, headers={"X-Model-Api-Key": key})
    assert response.status_code == 401
    assert response.json() == {"status": False, "message": "Invalid or missing model API key"}
    assert [violation.status for violation in simulator.violations] == [401]


def test_a_simulator_without_a_key_is_not_built() -> None:
    with pytest.raises(ValueError, match="API key"):
        LaravelSimulator("")


def test_the_key_is_in_no_record(simulator: LaravelSimulator, client: Client) -> None:
    client.claim(1)
    client.post("/alert", ALERT)
    assert KEY not in repr(simulator.calls)
    assert KEY not in client.session.get(f"{simulator.url}/_simulator/calls", timeout=5).text


# Heartbeat


def test_a_heartbeat_for_held_cameras_is_received(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1, 2)
    response = client.post("/heartbeat", {"camera_ids": [1, 2]})
    assert response.status_code == 200
    assert response.json() == {"status": True, "message": "Heartbeat received"}
    assert client.post("/heartbeat", {"camera_ids": []}).status_code == 200
    assert simulator.violations == []


def test_a_heartbeat_naming_cameras_not_held_is_let_through_and_remembered(
    simulator: LaravelSimulator, client: Client, other: Client
) -> None:
    client.claim(1)
    other.claim(2)
    assert client.post("/heartbeat", {"camera_ids": [1, 2, 99]}).status_code == 200
    (violation,) = simulator.violations
    assert (violation.status, violation.path) == (200, "/api/model/heartbeat")
    assert violation.message == "Heartbeat names cameras not held: [2, 99]"


def test_a_silent_instance_loses_its_cameras_and_the_event_is_recorded() -> None:
    with short_lived(0.2) as simulator:
        client = Client(simulator)
        client.claim(1)
        claimed_at = time.monotonic()
        wait_until(lambda: simulator.claims == {})
        assert time.monotonic() - claimed_at > 0.15
        (release,) = simulator.releases
        assert (release.instance, release.camera_ids) == ("127.0.0.1", (1,))
        client.claim(1)
        client.session.close()


def test_heartbeats_keep_the_cameras_beyond_the_time_out() -> None:
    with short_lived(0.6) as simulator:
        client = Client(simulator)
        client.claim(1)
        deadline = time.monotonic() + 1.3
        while time.monotonic() < deadline:
            assert client.post("/heartbeat", {"camera_ids": [1]}).status_code == 200
            time.sleep(0.05)
        assert simulator.claims == {1: "127.0.0.1"}
        assert simulator.releases == []
        client.session.close()


# Alert, stop, crime


def test_an_alert_is_received_and_active_until_it_is_stopped(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    alerted = client.post("/alert", ALERT)
    assert alerted.status_code == 200
    assert alerted.json() == {"status": True, "message": "Alert received"}
    assert simulator.active_alerts == {1}
    stopped = client.post("/alert/stop", {"camera_id": 1})
    assert stopped.status_code == 200
    assert stopped.json() == {"status": True, "message": "Alert stopped"}
    assert simulator.active_alerts == frozenset()
    (alert,) = simulator.alerts
    assert (alert.camera_id, alert.confidence_score, alert.instance) == (1, 65.5, "127.0.0.1")
    assert [stop.had_alert for stop in simulator.stops] == [True]


def test_stopping_where_there_is_no_alert_is_accepted(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    assert client.post("/alert/stop", {"camera_id": 1}).status_code == 200
    assert [stop.had_alert for stop in simulator.stops] == [False]
    assert simulator.violations == []


def test_a_crime_is_created_with_its_number_status_and_severity(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    response = client.post("/crime", CRIME)
    assert response.status_code == 201
    assert response.json() == {
        "status": True,
        "message": "Crime reported successfully",
        "data": {"crime_id": 1, "status": "pending", "severity": "critical"},
    }
    (crime,) = simulator.crimes
    assert crime.crime_type == "theft"
    assert crime.start_time == datetime(2026, 2, 27, 14, 28, tzinfo=UTC)
    assert crime.end_time == datetime(2026, 2, 27, 14, 32, tzinfo=UTC)
    assert client.post("/crime", CRIME).json()["data"]["crime_id"] == 2


@pytest.mark.parametrize(
    ("confidence", "severity"),
    [
        (0, "low"),
        (39.99, "low"),
        (40, "medium"),
        (59.99, "medium"),
        (60, "high"),
        (79.99, "high"),
        (80, "critical"),
        (100, "critical"),
    ],
)
def test_severity_follows_the_bounds_of_the_document(
    client: Client, confidence: float, severity: str
) -> None:
    client.claim(1)
    response = client.post("/crime", {**CRIME, "confidence_score": confidence})
    assert response.json()["data"]["severity"] == severity


@pytest.mark.parametrize(
    "crime_type",
    [
        "theft",
        "assault",
        "vandalism",
        "break_in",
        "suspicious_activity",
        "robbery",
        "trespassing",
        "fighting",
    ],
)
def test_each_documented_crime_type_is_accepted(client: Client, crime_type: str) -> None:
    client.claim(1)
    assert client.post("/crime", {**CRIME, "crime_type": crime_type}).status_code == 201


@pytest.mark.parametrize("time_text", ["2026-02-27T14:28:00.123456Z", "2026-02-27T16:28:00+02:00"])
def test_fractions_and_offsets_are_iso_8601(client: Client, time_text: str) -> None:
    client.claim(1)
    assert client.post("/crime", {**CRIME, "start_time": time_text}).status_code == 201


@pytest.mark.parametrize("path", ["/alert", "/alert/stop", "/crime"])
def test_reports_are_accepted_from_any_host_and_without_a_claim_and_it_is_noted_who_held(
    simulator: LaravelSimulator, client: Client, other: Client, path: str
) -> None:
    client.post(path, LARAVEL_BODIES[path])
    other.claim(1)
    client.post(path, LARAVEL_BODIES[path])
    other.post(path, LARAVEL_BODIES[path])
    received = (
        [(alert.instance, alert.held) for alert in simulator.alerts]
        + [(stop.instance, stop.held) for stop in simulator.stops]
        + [(crime.instance, crime.held) for crime in simulator.crimes]
    )
    assert received == [
        ("127.0.0.1", False),
        ("127.0.0.1", False),
        ("127.0.0.2", True),
    ]
    assert {call.status for call in simulator.calls_to(path)} == {201 if path == "/crime" else 200}
    assert simulator.claims == {1: "127.0.0.2"}
    assert simulator.violations == []


@pytest.mark.parametrize("path", ["/alert", "/alert/stop", "/crime"])
def test_reports_on_an_unknown_camera_are_refused(
    simulator: LaravelSimulator, client: Client, path: str
) -> None:
    response = client.post(path, {**LARAVEL_BODIES[path], "camera_id": 99})
    assert response.status_code == 404
    assert [violation.status for violation in simulator.violations] == [404]
    assert (simulator.alerts, simulator.stops, simulator.crimes) == ([], [], [])


def test_a_camera_taken_back_is_no_longer_held(simulator: LaravelSimulator, client: Client) -> None:
    client.claim(1)
    simulator.take_back(1)
    assert simulator.claims == {}
    client.post("/alert", ALERT)
    assert [alert.held for alert in simulator.alerts] == [False]
    with pytest.raises(KeyError):
        simulator.take_back(99)


# Strictness


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/alert", "camera_id", "1"),
        ("/alert", "camera_id", True),
        ("/alert", "camera_id", 1.0),
        ("/alert", "camera_id", None),
        ("/alert", "confidence_score", "65.5"),
        ("/alert", "confidence_score", True),
        ("/alert", "confidence_score", -0.1),
        ("/alert", "confidence_score", 100.1),
        ("/alert", "alert_type", "crime"),
        ("/alert", "alert_type", 1),
        ("/alert", "severity", "high"),
        ("/alert/stop", "camera_id", "1"),
        ("/alert/stop", "reason", "over"),
        ("/crime", "crime_type", "arson"),
        ("/crime", "crime_type", "Theft"),
        ("/crime", "confidence_score", 101),
        ("/crime", "start_time", "2026-02-27T14:28:00"),
        ("/crime", "start_time", "2026-02-27 14:28:00Z"),
        ("/crime", "start_time", "2026-02-30T14:28:00Z"),
        ("/crime", "start_time", 1772202480),
        ("/crime", "end_time", "yesterday"),
        ("/crime", "end_time", "2026-02-27T14:27:59Z"),
        ("/crime", "end_time", "2026-02-27T14:32:00+02:00"),
        ("/crime", "evidence", "clip.mp4"),
        ("/heartbeat", "camera_ids", 1),
        ("/heartbeat", "camera_ids", None),
        ("/heartbeat", "instance", "a"),
    ],
)
def test_a_field_that_is_wrong_or_unknown_is_named_in_a_422(
    simulator: LaravelSimulator, client: Client, path: str, field: str, value: object
) -> None:
    client.claim(1)
    response = client.post(path, {**LARAVEL_BODIES[path], field: value})
    assert response.status_code == 422
    answer = response.json()
    assert answer["status"] is False
    assert list(answer["errors"]) == [field]
    assert answer["message"] == answer["errors"][field][0]
    assert [violation.status for violation in simulator.violations] == [422]
    assert (simulator.alerts, simulator.stops, simulator.crimes) == ([], [], [])


@pytest.mark.parametrize(
    ("path", "field"),
    [(path, field) for path, body in LARAVEL_BODIES.items() for field in body],
)
def test_a_missing_field_is_named_in_a_422(client: Client, path: str, field: str) -> None:
    client.claim(1)
    body = {name: value for name, value in LARAVEL_BODIES[path].items() if name != field}
    response = client.post(path, body)
    assert response.status_code == 422
    words = field.replace("_", " ")
    assert response.json()["errors"] == {field: [f"The {words} field is required."]}


def test_several_errors_are_counted_in_the_message_as_laravel_does(client: Client) -> None:
    answer = client.post("/alert", {"camera_id": "1", "confidence_score": 101}).json()
    assert answer == {
        "status": False,
        "message": "The camera id field must be an integer. (and 2 more errors)",
        "errors": {
            "camera_id": ["The camera id field must be an integer."],
            "confidence_score": ["The confidence score field must be between 0 and 100."],
            "alert_type": ["The alert type field is required."],
        },
    }


def test_a_wrong_item_of_a_heartbeat_is_named_by_its_place(client: Client) -> None:
    answer = client.post("/heartbeat", {"camera_ids": [1, "2"]}).json()
    assert list(answer["errors"]) == ["camera_ids.1"]


@pytest.mark.parametrize("path", list(LARAVEL_BODIES))
@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_must_be_declared(client: Client, path: str, media_type: str | None) -> None:
    client.claim(1)
    body = json.dumps(LARAVEL_BODIES[path]).encode()
    response = client.post(path, data=body, headers={"Content-Type": media_type})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["Content-Type"]


def test_a_declared_charset_is_no_obstacle(client: Client) -> None:
    client.claim(1)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert client.post("/alert", data=json.dumps(ALERT), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"camera_id=1",
        b"[1]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"camera_id": 1, "confidence_score": NaN, "alert_type": "suspicious"}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, payload: bytes) -> None:
    client.claim(1)
    headers = {"Content-Type": "application/json"}
    response = client.post("/alert", data=payload, headers=headers)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["body"]


# The camera control API


def test_the_alarm_is_started_and_stopped_without_a_key_or_a_claim(
    simulator: LaravelSimulator,
) -> None:
    url = f"{simulator.url}/api/camera/alarm"
    started = requests.post(url, json=ALARM_START, timeout=5)
    stopped = requests.post(url, json=ALARM_STOP, timeout=5)
    assert (started.status_code, stopped.status_code) == (200, 200)
    assert started.json()["status"] is True
    assert [alarm.action for alarm in simulator.alarms] == ["start", "stop"]
    assert simulator.alarms[0].duration == 30
    assert simulator.violations == []


def test_an_alarm_reaches_the_camera_where_there_is_a_way_and_is_502_where_it_is_broken(
    simulator: LaravelSimulator, client: Client
) -> None:
    heard: list[str] = []
    simulator.on_alarm(lambda alarm: heard.append(alarm.action))
    assert client.post("/api/camera/alarm", ALARM_START).status_code == 200
    assert heard == ["start"]

    def broken(_: ReceivedAlarm) -> None:
        raise ConnectionRefusedError

    simulator.on_alarm(broken)
    assert client.post("/api/camera/alarm", ALARM_STOP).status_code == 502
    assert [alarm.action for alarm in simulator.alarms] == ["start"]
    assert simulator.violations == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip", "camera.local"),
        ("username", ""),
        ("password", 1),
        ("password", None),
        ("action", "ring"),
        ("duration", 0),
        ("duration", "30"),
        ("duration", True),
        ("type", "siren"),
        ("volume", "11"),
        ("camera_id", 1),
    ],
)
def test_an_alarm_with_a_wrong_field_is_refused(
    client: Client, simulator: LaravelSimulator, field: str, value: object
) -> None:
    response = client.post("/api/camera/alarm", {**ALARM_START, field: value})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert simulator.alarms == []


@pytest.mark.parametrize("field", list(ALARM_START))
def test_an_alarm_with_a_missing_field_is_refused(client: Client, field: str) -> None:
    body = {name: value for name, value in ALARM_START.items() if name != field}
    response = client.post("/api/camera/alarm", body)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]


def test_a_stopped_alarm_takes_no_duration(client: Client) -> None:
    response = client.post("/api/camera/alarm", {**ALARM_STOP, "duration": 30})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["duration"]


def test_the_alarm_goes_to_the_connection_ip_where_there_is_one() -> None:
    with LaravelSimulator(KEY, cameras=[a_camera(1, connection_ip="41.35.120.50")]) as simulator:
        client = Client(simulator)
        to_local = client.post("/api/camera/alarm", ALARM_START)
        to_public = client.post("/api/camera/alarm", {**ALARM_START, "ip": "41.35.120.50"})
        client.session.close()
    assert (to_local.status_code, to_public.status_code) == (404, 200)


def test_an_alarm_with_the_wrong_password_is_refused(client: Client) -> None:
    assert client.post("/api/camera/alarm", {**ALARM_START, "password": "x"}).status_code == 422


# Idempotency


@pytest.mark.parametrize("path", ["/alert", "/alert/stop", "/crime"])
def test_a_repeated_key_brings_the_first_answer_and_creates_nothing(
    simulator: LaravelSimulator, client: Client, path: str
) -> None:
    client.claim(1)
    headers = {"Idempotency-Key": "episode-7"}
    first = client.post(path, LARAVEL_BODIES[path], headers=headers)
    again = client.post(path, LARAVEL_BODIES[path], headers=headers)
    assert again.status_code == first.status_code
    assert again.json() == first.json()
    assert len(simulator.alerts + simulator.stops + simulator.crimes) == 1
    assert [call.replayed for call in simulator.calls_to(path)] == [False, True]
    assert simulator.calls_to(path)[0].headers["Idempotency-Key"] == "episode-7"


def test_different_keys_or_none_create_anew(simulator: LaravelSimulator, client: Client) -> None:
    client.claim(1)
    for headers in ({"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}, {}, {}):
        client.post("/crime", CRIME, headers=headers)
    assert [crime.crime_id for crime in simulator.crimes] == [1, 2, 3, 4]
    assert [crime.idempotency_key for crime in simulator.crimes] == ["a", "b", None, None]


def test_a_key_used_for_another_request_is_refused(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    headers = {"Idempotency-Key": "a"}
    client.post("/crime", CRIME, headers=headers)
    other_body = client.post("/crime", {**CRIME, "confidence_score": 50}, headers=headers)
    other_path = client.post("/alert", ALERT, headers=headers)
    assert (other_body.status_code, other_path.status_code) == (422, 422)
    assert len(simulator.violations) == 2


def test_a_refusal_does_not_use_up_its_key(simulator: LaravelSimulator, client: Client) -> None:
    headers = {"Idempotency-Key": "a"}
    unknown = {**ALERT, "camera_id": 99}
    assert client.post("/alert", unknown, headers=headers).status_code == 404
    assert client.post("/alert", ALERT, headers=headers).status_code == 200
    assert len(simulator.alerts) == 1


def test_a_lost_answer_is_found_again_by_its_key(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    headers = {"Idempotency-Key": "a"}
    simulator.fault("reset", path="/crime", times=1, after=True)
    with pytest.raises(requests.ConnectionError):
        client.post("/crime", CRIME, headers=headers)
    assert client.post("/crime", CRIME, headers=headers).json()["data"]["crime_id"] == 1
    assert len(simulator.crimes) == 1
    assert [call.status for call in simulator.calls_to("/crime")] == [0, 201]


# Records


def test_a_call_is_recorded_as_it_came(simulator: LaravelSimulator, client: Client) -> None:
    before = time.time()
    client.claim(1)
    client.post("/alert", ALERT, headers={"User-Agent": "crimeops"})
    claim, alert = simulator.calls
    assert (claim.method, claim.path) == ("POST", "/api/model/cameras/1/claim")
    assert (claim.status, claim.body, claim.instance) == (200, None, "127.0.0.1")
    assert alert.body == ALERT
    assert alert.headers == {"User-Agent": "crimeops", "Content-Type": "application/json"}
    assert before <= claim.at <= alert.at <= time.time()
    assert claim.monotonic < alert.monotonic <= time.monotonic()
    assert simulator.calls_to("/alert") == [alert]
    assert simulator.calls_to("/alert/stop") == []


# Faults


def test_an_injected_status_does_no_work_and_is_no_violation(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.fault("status:503", path="/cameras", times=2)
    assert client.post("/cameras/1/claim").status_code == 503
    assert client.call("GET", "/cameras").status_code == 503
    assert simulator.claims == {}
    assert client.post("/cameras/1/claim").status_code == 200
    assert [call.fault for call in simulator.calls] == ["status:503", "status:503", None]
    assert simulator.violations == []


def test_a_fault_lasts_until_it_is_cleared(simulator: LaravelSimulator, client: Client) -> None:
    simulator.fault("status:500")
    answers = [client.call("GET", "/cameras").status_code for _ in range(3)]
    simulator.clear_faults()
    assert answers == [500, 500, 500]
    assert client.call("GET", "/cameras").status_code == 200


def test_a_fault_covers_what_lies_below_its_path_unless_it_is_exact(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    simulator.fault("status:500", path="/alert", exact=True)
    assert client.post("/alert", ALERT).status_code == 500
    assert client.post("/alert/stop", {"camera_id": 1}).status_code == 200
    simulator.fault("status:502", path="/alert")
    assert client.post("/alert/stop", {"camera_id": 1}).status_code == 502
    assert client.call("GET", "/cameras").status_code == 200


def test_a_fault_may_strike_the_reports_of_one_camera_only(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    simulator.fault("status:403", camera_id=2)
    assert client.post("/alert", ALERT).status_code == 200
    assert client.post("/alert", {**ALERT, "camera_id": 2}).status_code == 403
    assert client.call("GET", "/cameras").status_code == 200


def test_a_reset_cuts_the_line_without_an_answer(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.fault("reset", times=1)
    with pytest.raises(requests.ConnectionError):
        client.post("/cameras/1/claim")
    assert simulator.claims == {}
    assert [(call.status, call.fault) for call in simulator.calls] == [(0, "reset")]


def test_a_caller_that_gives_up_on_a_hang_is_recorded_and_nothing_is_done(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.fault("hang:30", times=1)
    with pytest.raises(requests.Timeout):
        client.post("/cameras/1/claim", timeout=0.1)
    wait_until(lambda: len(simulator.calls) == 1)
    assert (simulator.calls[0].status, simulator.calls[0].fault) == (0, "hang:30")
    assert simulator.claims == {}


def test_a_short_hang_ends_in_the_true_answer(simulator: LaravelSimulator, client: Client) -> None:
    simulator.fault("hang:0.2", times=1)
    before = time.monotonic()
    client.claim(1)
    assert time.monotonic() - before >= 0.2
    assert simulator.claims == {1: "127.0.0.1"}


@pytest.mark.parametrize("kind", ["not_json", "html"])
def test_a_success_that_is_no_json(simulator: LaravelSimulator, client: Client, kind: str) -> None:
    simulator.fault(kind, times=1)
    response = client.call("GET", "/cameras")
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    expected = {"not_json": "application/json", "html": "text/html"}[kind]
    assert response.headers["Content-Type"].startswith(expected)


def test_an_echo_repeats_key_and_body_and_does_nothing(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.fault("echo:422", path="/alert", times=1)
    answer = client.post("/alert", ALERT)
    assert answer.status_code == 422
    assert KEY in answer.json()["message"] and '"camera_id"' in answer.json()["message"]
    assert simulator.alerts == []


def test_a_redirect_names_the_address_it_was_given(
    simulator: LaravelSimulator, client: Client
) -> None:
    simulator.fault("redirect:http://u:p@127.0.0.2:1/x", times=1)
    answer = client.call("GET", "/cameras", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://u:p@127.0.0.2:1/x")


def test_a_missing_field_is_the_one_needed_most_or_the_one_named(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    simulator.fault("missing_field", times=2)
    assert client.call("GET", "/cameras").json() == {"status": True}
    assert client.post("/alert", ALERT).json() == {"message": "Alert received"}
    simulator.fault("missing_field:crime_id", times=1)
    answer = client.post("/crime", CRIME)
    assert answer.json()["data"] == {"status": "pending", "severity": "critical"}
    assert len(simulator.crimes) == 1


@pytest.mark.parametrize(
    "kind",
    [
        *("explode", "status", "status:abc", "status:99", "hang:soon", "hang:-1", "reset:1", ""),
        *("echo:99", "echo:ok", "redirect", "redirect:"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(simulator: LaravelSimulator, kind: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        simulator.fault(kind)


# Its life


def test_a_simulator_started_again_has_the_same_port_and_memory() -> None:
    simulator = LaravelSimulator(KEY, cameras=[a_camera(1)])
    with pytest.raises(RuntimeError):
        _ = simulator.url
    with simulator:
        url = simulator.url
        client = Client(simulator)
        client.claim(1)
    with pytest.raises(requests.ConnectionError):
        client.call("GET", "/cameras")
    simulator.stop()
    with simulator:
        assert simulator.url == url
        assert client.call("GET", "/cameras").json()["data"] == []
    client.session.close()
    assert simulator.claims == {1: "127.0.0.1"}


def test_a_hanging_call_does_not_hold_up_the_stop() -> None:
    simulator = LaravelSimulator(KEY, cameras=[a_camera(1)])
    with simulator:
        simulator.fault("hang")
        host, port = simulator.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"GET /api/model/cameras HTTP/1.1\r\nHost: x\r\n\r\n")
            line.settimeout(0.1)
            with pytest.raises(TimeoutError):
                line.recv(1)
            before = time.monotonic()
            simulator.stop()
            assert time.monotonic() - before < 3
    assert [call.status for call in simulator.calls] == [0]


def test_a_port_in_use_is_reported_by_start(simulator: LaravelSimulator) -> None:
    port = int(simulator.url.rsplit(":", 1)[1])
    second = LaravelSimulator(KEY, port=port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    second.stop()


def test_two_cameras_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="share an id"):
        LaravelSimulator(KEY, cameras=[a_camera(1), a_camera(1)])


# Control endpoints and the command line


def test_the_state_shows_claims_counts_and_violations_but_no_password(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    client.post("/alert", ALERT)
    client.post("/crime", {**CRIME, "camera_id": 99})
    response = requests.get(f"{simulator.url}/_simulator/state", timeout=5)
    state = response.json()
    assert state["claims"] == {"1": "127.0.0.1"}
    assert state["cameras"][0] == {
        "id": 1,
        "name": "Camera 1",
        "is_active": True,
        "claimed_by": "127.0.0.1",
        "has_active_alert": True,
    }
    assert state["counts"] == {
        "calls": 3,
        "alerts": 1,
        "crimes": 0,
        "stops": 0,
        "alarms": 0,
        "releases": 0,
        "violations": 1,
    }
    assert state["violations"][0]["status"] == 404
    assert "pass123" not in response.text


def test_the_calls_are_listed_from_an_index_on_without_passwords(
    simulator: LaravelSimulator, client: Client
) -> None:
    client.claim(1)
    client.post("/api/camera/alarm", ALARM_START)
    url = f"{simulator.url}/_simulator/calls"
    response = requests.get(url, params={"since": 1}, timeout=5)
    assert response.json()["next"] == 2
    (call,) = response.json()["calls"]
    assert (call["index"], call["path"]) == (1, "/api/camera/alarm")
    assert call["body"]["password"] == "***"
    assert simulator.calls[1].body["password"] == "pass123"
    assert requests.get(url, params={"since": "x"}, timeout=5).status_code == 422


def test_faults_are_set_and_cleared_from_outside(
    simulator: LaravelSimulator, client: Client
) -> None:
    url = f"{simulator.url}/_simulator/fault"
    wanted = {"kind": "status:500", "path": "/cameras", "times": 5}
    assert requests.post(url, json=wanted, timeout=5).status_code == 200
    assert client.call("GET", "/cameras").status_code == 500
    assert requests.delete(url, timeout=5).status_code == 200
    assert client.call("GET", "/cameras").status_code == 200
    for nonsense in ({"kind": "explode"}, {"kind": "reset", "colour": "red"}, {}, [1]):
        assert requests.post(url, json=nonsense, timeout=5).status_code == 422
    assert requests.get(f"{simulator.url}/_simulator/nothing", timeout=5).status_code == 404


@pytest.fixture
def cameras_file(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.json"
    camera = {"id": 7, "name": "Gate", "ip_address": "10.0.0.7", "rtsp_url": "rtsp://10.0.0.7/1"}
    path.write_text(json.dumps([camera]))
    return path


def command_line(cameras_file: Path, key: str | None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "BACK_END_KEY"}
    if key is not None:
        environment["BACK_END_KEY"] = key
    arguments = ["--port", "0", "--api-key-env", "BACK_END_KEY", "--cameras", str(cameras_file)]
    return subprocess.Popen(
        [sys.executable, "-m", "simulators.laravel", *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line_serves_until_it_is_told_to_stop(
    cameras_file: Path, number: signal.Signals
) -> None:
    with command_line(cameras_file, KEY) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip().removeprefix("listening on ")
            response = requests.get(
                f"{url}/api/model/cameras", headers={"X-Model-Api-Key": KEY}, timeout=5
            )
            assert [camera["id"] for camera in response.json()["data"]] == [7]
            process.send_signal(number)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


def test_the_command_line_wants_its_key_in_the_environment(cameras_file: Path) -> None:
    with command_line(cameras_file, None) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == "Set BACK_END_KEY to the API key first.\n"


def test_the_command_line_refuses_cameras_with_unknown_fields(cameras_file: Path) -> None:
    cameras_file.write_text('[{"id": 1, "colour": "red"}]')
    with command_line(cameras_file, KEY) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "colour" in errors
