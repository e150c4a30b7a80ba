"""The Reporter port: one suite for the back end's adapter and for the fake of it."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from integrations.laravel.client import LaravelOptions
from integrations.laravel.registry import LaravelRegistry
from integrations.laravel.reporter import LaravelReporter
from integrations.ports import (
    AlertReport,
    CrimeReport,
    IntegrationError,
    Report,
    Reporter,
    StopReport,
)
from simulators.demo.processes import free_port
from simulators.laravel import LaravelSimulator, SimulatedCamera

KEY = "the-key-of-this-test"
BEGAN = datetime(2026, 2, 27, 14, 28, 0, 123_999, tzinfo=UTC)
ALERT = AlertReport(1, 65.5)
CRIME = CrimeReport(1, "theft", 92.5, BEGAN, BEGAN + timedelta(minutes=4))
STOP = StopReport(1)
PATHS = {ALERT: "/alert", CRIME: "/crime", STOP: "/alert/stop"}
EACH_KIND = pytest.mark.parametrize("report", [ALERT, CRIME, STOP], ids=["alert", "crime", "stop"])


class FakeReporter:
    """A back end in memory, told of each key once; `trouble` is raised instead of hearing."""

    def __init__(self) -> None:
        self.told: dict[str, Report] = {}
        self.trouble: IntegrationError | None = None

    def send(self, report: Report, idempotency_key: str) -> dict[str, Any]:
        if self.trouble is not None:
            raise self.trouble
        self.told.setdefault(idempotency_key, report)
        return {"status": True, "message": ""}


@dataclass(frozen=True)
class World:
    """A reporter, how much its back end has heard, and a switch that makes it deaf."""

    reporter: Reporter
    heard: Callable[[], int]
    go_down: Callable[[], None]


def a_reporter(simulator: LaravelSimulator, key: str = KEY, **options: float) -> LaravelReporter:
    given = {"timeout_seconds": 2.0, "backoff_factor": 0.01, **options}
    return LaravelReporter(LaravelOptions(base_url=simulator.url, api_key=key, **given))  # type: ignore[arg-type] # numbers


def a_back_end() -> LaravelSimulator:
    camera = SimulatedCamera(id=1, name="Gate", ip_address="192.0.2.1", rtsp_url="rtsp://192.0.2.1")
    return LaravelSimulator(KEY, [camera])


@pytest.fixture
def simulator() -> Iterator[LaravelSimulator]:
    """A back end where camera 1 is claimed by this host."""
    with a_back_end() as simulator:
        LaravelRegistry(LaravelOptions(base_url=simulator.url, api_key=KEY)).claim(1)
        yield simulator


@contextmanager
def laravel_world() -> Iterator[World]:
    with a_back_end() as simulator:
        LaravelRegistry(LaravelOptions(base_url=simulator.url, api_key=KEY)).claim(1)
        yield World(
            a_reporter(simulator),
            lambda: len(simulator.alerts) + len(simulator.crimes) + len(simulator.stops),
            lambda: simulator.fault("reset"),
        )
        assert simulator.violations == []


@contextmanager
def fake_world() -> Iterator[World]:
    fake = FakeReporter()

    def go_down() -> None:
        fake.trouble = IntegrationError("it is down", permanent=False)

    yield World(fake, lambda: len(fake.told), go_down)


@pytest.fixture(params=[laravel_world, fake_world], ids=["laravel", "fake"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param() as world:
        yield world


# --- what every reporter does --------------------------------------------------------------------


@EACH_KIND
def test_a_good_report_is_heard_and_answered(world: World, report: Report) -> None:
    assert world.reporter.send(report, "key-1")["status"] is True
    assert world.heard() == 1


@EACH_KIND
def test_a_report_sent_again_under_its_key_is_heard_once(world: World, report: Report) -> None:
    first = world.reporter.send(report, "key-1")
    assert world.reporter.send(report, "key-1") == first
    assert world.heard() == 1
    world.reporter.send(report, "key-2")
    assert world.heard() == 2


@EACH_KIND
def test_a_back_end_that_is_down_is_transient(world: World, report: Report) -> None:
    world.go_down()
    with pytest.raises(IntegrationError) as trouble:
        world.reporter.send(report, "key-1")
    assert not trouble.value.permanent
    assert world.heard() == 0


# --- Laravel's own words -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "body"),
    [
        (
            AlertReport(1, 65.54),
            {"camera_id": 1, "confidence_score": 65.5, "alert_type": "suspicious"},
        ),
        (
            CRIME,
            {
                "camera_id": 1,
                "crime_type": "theft",
                "confidence_score": 92.5,
                "start_time": "2026-02-27T14:28:00.123Z",
                "end_time": "2026-02-27T14:32:00.123Z",
            },
        ),
        (STOP, {"camera_id": 1}),
    ],
    ids=["alert", "crime", "stop"],
)
def test_the_body_is_exactly_the_documents(
    simulator: LaravelSimulator, report: Report, body: dict[str, Any]
) -> None:
    a_reporter(simulator).send(report, "the-key-of-a-delivery")
    call = simulator.calls[-1]
    assert (call.method, call.body) == ("POST", body)
    assert call.headers["Idempotency-Key"] == "the-key-of-a-delivery"
    assert call.headers["Content-Type"] == "application/json"
    assert simulator.violations == []


def test_times_of_any_zone_are_told_in_utc(simulator: LaravelSimulator) -> None:
    cairo = BEGAN.astimezone(timezone(timedelta(hours=3)))
    a_reporter(simulator).send(CrimeReport(1, "robbery", 88, cairo, cairo), "key-1")
    body = simulator.calls_to("/crime")[0].body
    assert body["start_time"] == body["end_time"] == "2026-02-27T14:28:00.123Z"


def test_every_crime_that_we_know_is_one_that_the_back_end_knows(
    simulator: LaravelSimulator,
) -> None:
    known = "theft assault vandalism break_in suspicious_activity robbery trespassing fighting"
    reporter = a_reporter(simulator)
    for crime in known.split():
        reporter.send(CrimeReport(1, crime, 81, BEGAN, BEGAN), f"key-of-{crime}")
    assert [crime.crime_type for crime in simulator.crimes] == known.split()
    assert simulator.violations == []


def test_the_answer_to_a_crime_says_what_became_of_it(simulator: LaravelSimulator) -> None:
    answer = a_reporter(simulator).send(CRIME, "key-1")
    assert answer["data"] == {"crime_id": 1, "status": "pending", "severity": "critical"}


@EACH_KIND
def test_a_lost_answer_is_transient_and_under_the_same_key_the_report_counts_once(
    simulator: LaravelSimulator, report: Report
) -> None:
    simulator.fault("reset", PATHS[report], times=1, after=True)
    reporter = a_reporter(simulator)
    with pytest.raises(IntegrationError, match="connection broken") as trouble:
        reporter.send(report, "key-1")
    assert not trouble.value.permanent
    assert len(simulator.calls_to(PATHS[report])) == 1, "nothing is posted again blindly"
    reporter.send(report, "key-1")
    calls = simulator.calls_to(PATHS[report])
    assert [(call.status, call.replayed) for call in calls] == [
        (0, False),
        (201 if report is CRIME else 200, True),
    ]
    assert len(simulator.alerts) + len(simulator.crimes) + len(simulator.stops) == 1


def test_a_refused_report_is_permanent_and_keeps_the_back_ends_reason(
    simulator: LaravelSimulator,
) -> None:
    with pytest.raises(IntegrationError) as refusal:
        a_reporter(simulator).send(AlertReport(1, 120.0), "key-1")
    assert refusal.value.permanent
    assert "/api/model/alert answered 422" in str(refusal.value)
    assert "must be between 0 and 100" in str(refusal.value)
    assert len(simulator.calls_to("/alert")) == 1, "a refusal is not tried again at once"


def test_a_wrong_key_is_transient_because_an_operator_mends_it(
    simulator: LaravelSimulator,
) -> None:
    with pytest.raises(IntegrationError, match="check MODEL_API_KEY") as refusal:
        a_reporter(simulator, key=KEY[::-1]).send(ALERT, "key-1")
    assert not refusal.value.permanent
    assert KEY[::-1] not in "".join(traceback.format_exception(refusal.value))


def test_an_unknown_camera_is_transient(simulator: LaravelSimulator) -> None:
    with pytest.raises(IntegrationError, match="404: Camera not found") as refusal:
        a_reporter(simulator).send(StopReport(99), "key-1")
    assert not refusal.value.permanent


@EACH_KIND
def test_a_conflict_is_transient_and_keeps_what_was_said(
    simulator: LaravelSimulator, report: Report
) -> None:
    simulator.fault("status:409", PATHS[report], times=1)
    reporter = a_reporter(simulator)
    with pytest.raises(IntegrationError, match=f"{PATHS[report]} answered 409") as refusal:
        reporter.send(report, "key-1")
    assert not refusal.value.permanent
    reporter.send(report, "key-1")


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 425, 429, 504])
def test_a_state_that_passes_is_transient(simulator: LaravelSimulator, status: int) -> None:
    simulator.fault(f"status:{status}")
    with pytest.raises(IntegrationError) as trouble:
        a_reporter(simulator).send(CRIME, "key-1")
    assert not trouble.value.permanent
    assert len(simulator.calls_to("/crime")) == 1


@pytest.mark.parametrize("status", [400, 405, 410, 413, 422])
def test_what_asking_again_cannot_change_is_permanent(
    simulator: LaravelSimulator, status: int
) -> None:
    simulator.fault(f"status:{status}")
    with pytest.raises(IntegrationError, match=str(status)) as refusal:
        a_reporter(simulator).send(CRIME, "key-1")
    assert refusal.value.permanent


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_are_tried_four_times_and_then_transient(
    simulator: LaravelSimulator, status: int
) -> None:
    simulator.fault(f"status:{status}")
    with pytest.raises(IntegrationError, match=str(status)) as trouble:
        a_reporter(simulator).send(CRIME, "key-1")
    assert not trouble.value.permanent
    calls = simulator.calls_to("/crime")
    assert [call.status for call in calls] == [status] * 4
    assert {call.headers["Idempotency-Key"] for call in calls} == {"key-1"}


@pytest.mark.parametrize("fault", ["not_json", "html", "missing_field:crime_id"])
def test_an_answer_off_the_contract_is_transient_so_that_the_report_is_not_lost(
    simulator: LaravelSimulator, fault: str
) -> None:
    simulator.fault(fault, "/crime", times=1)
    reporter = a_reporter(simulator)
    with pytest.raises(IntegrationError, match="not as the contract says") as trouble:
        reporter.send(CRIME, "key-1")
    assert not trouble.value.permanent
    reporter.send(CRIME, "key-1")
    assert len(simulator.crimes) == 1


def test_a_back_end_that_hangs_is_given_up(simulator: LaravelSimulator) -> None:
    simulator.fault("hang")
    with pytest.raises(IntegrationError, match="no answer in time") as trouble:
        a_reporter(simulator, timeout_seconds=0.1, retries=1).send(ALERT, "key-1")
    assert not trouble.value.permanent
    assert simulator.alerts == []


def test_a_closed_port_is_transient_and_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    options = LaravelOptions(base_url=url, api_key=KEY, backoff_factor=0.01)
    with pytest.raises(IntegrationError, match=f"{url}: connection refused") as trouble:
        LaravelReporter(options).send(ALERT, "key-1")
    assert not trouble.value.permanent
    assert KEY not in "".join(traceback.format_exception(trouble.value))
