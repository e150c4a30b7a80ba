"""Celery takes misspelt options in silence; here every name is held against what it knows."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import celery
import pytest
from celery import Celery
from celery.app.defaults import NAMESPACES, flatten

from crimeops.celery import ROUTES, app, beat_schedule, configuration
from tests.conftest import REPOSITORY

_options: Any = flatten(NAMESPACES)  # pairs, whatever its types say
CELERY_OPTIONS: dict[str, Any] = dict(_options)
WORKER_COMMAND_LINES = ["-Q streams,gpu", "-Q alarms,reports,default"]
# What `app.task` takes beside the attributes of a task. Source: Celery._task_from_fun and
# https://docs.celeryq.dev/en/stable/userguide/tasks.html#list-of-options
DECORATOR_OPTIONS = {
    "name",
    "bind",
    "base",
    "autoretry_for",
    "dont_autoretry_for",
    "retry_kwargs",
    "retry_backoff",
    "retry_backoff_max",
    "retry_jitter",
}
# What `apply_async` takes beside its named parameters. Source: its docstring.
RING_OPTIONS = {"queue", "exchange", "routing_key", "priority", "retry", "retry_policy"}
PLAIN_ARGUMENTS = {"camera_id", "episode_id", "siren_id", "delivery_id", "instance"}


def our_tasks() -> dict[str, Any]:
    app.loader.import_default_modules()
    app.finalize()
    return {
        name: task
        for name, task in app.tasks.items()
        if name.startswith(("detection.", "integrations."))
    }


def product_files() -> Iterator[Path]:
    for package in ("crimeops", "detection", "integrations"):
        yield from sorted((REPOSITORY / package).rglob("*.py"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Each call in a file with the last part of the name of what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            yield getattr(called, "attr", getattr(called, "id", "")), node


def keywords_of(*names: str) -> dict[str, set[str]]:
    """The keywords with which these functions are called anywhere, by the file."""
    return {
        str(path.relative_to(REPOSITORY)): found
        for path in product_files()
        if (
            found := {
                keyword.arg
                for name, call in calls(path)
                if name in names
                for keyword in call.keywords
                if keyword.arg
            }
        )
    }


# --- names that Celery knows -----------------------------------------------------------------


def test_every_configuration_key_is_a_name_that_celery_knows() -> None:
    assert "task_ignore_result" in CELERY_OPTIONS
    assert set(configuration()) <= set(CELERY_OPTIONS)


def test_no_configuration_key_is_one_that_celery_has_renamed() -> None:
    assert [key for key in configuration() if CELERY_OPTIONS[key].deprecate_by] == []


def test_every_task_option_is_a_name_that_celery_knows() -> None:
    attributes = {
        name
        for name in dir(celery.Task)
        if not name.startswith("_") and not callable(inspect.getattr_static(celery.Task, name))
    }
    assert {"ignore_result", "expires", "acks_late"} <= attributes
    used = keywords_of("shared_task", "task")
    assert {"detection/tasks.py", "integrations/tasks.py"} <= set(used)
    for file, options in used.items():
        assert options <= attributes | DECORATOR_OPTIONS, file


def test_every_option_of_a_ring_is_a_name_that_celery_knows() -> None:
    known = {*inspect.signature(Celery.send_task).parameters}
    known |= {*inspect.signature(celery.Task.apply_async).parameters}
    for file, options in keywords_of("apply_async", "send_task").items():
        assert options <= known | RING_OPTIONS, file


def test_no_task_is_rung_with_delay_which_takes_no_expiry() -> None:
    rung = [
        str(path.relative_to(REPOSITORY))
        for path in product_files()
        for name, _ in calls(path)
        if name == "delay"
    ]
    assert rung == []


# --- queues ----------------------------------------------------------------------------------


def test_every_task_has_a_route_and_every_route_a_task() -> None:
    assert set(our_tasks()) == set(ROUTES)


def test_every_task_module_names_its_tasks_after_its_half() -> None:
    for name, task in our_tasks().items():
        assert task.run.__module__ == f"{name.partition('.')[0]}.tasks"


def test_every_queue_is_consumed_by_exactly_one_of_the_documented_workers() -> None:
    consumed = [
        queue for line in WORKER_COMMAND_LINES for queue in line.removeprefix("-Q ").split(",")
    ]
    assert sorted(consumed) == sorted(set(ROUTES.values()))
    assert sorted(consumed) == sorted(queue.name for queue in configuration()["task_queues"])


@pytest.mark.parametrize("task", sorted(ROUTES))
def test_a_ring_lands_in_the_queue_of_its_route_and_in_no_other(task: str) -> None:
    probe = Celery("probe", set_as_current=False)
    probe.conf.update(
        configuration()
        | {"broker_url": "memory://", "broker_transport_options": {}, "task_send_sent_event": False}
    )
    with probe.connection_for_write() as connection:
        queues = {name: queue(connection.channel()) for name, queue in probe.amqp.queues.items()}
        for queue in queues.values():
            queue.declare()
            queue.purge()
        probe.send_task(task, connection=connection)
        landed = [name for name, queue in queues.items() if queue.get(no_ack=True) is not None]
    assert landed == [ROUTES[task]]


def test_a_task_without_a_route_goes_to_a_queue_that_is_consumed() -> None:
    assert configuration()["task_default_queue"] in set(ROUTES.values())


def test_no_watch_can_take_the_last_slot() -> None:
    settings = configuration()
    assert settings["worker_pool"] == "threads"
    assert settings["worker_concurrency"] >= 10 + 4  # MAX_CAMERAS' default, and room to breathe
    assert settings["worker_prefetch_multiplier"] == 1


# --- beat ------------------------------------------------------------------------------------


class OddPeriods:
    """An environment whose periods are the operator's own."""

    camera_refresh_interval = 7.5
    heartbeat_interval = 12.0


@pytest.mark.parametrize("schedule", [configuration()["beat_schedule"], beat_schedule(OddPeriods)])
def test_every_beat_entry_is_a_task_that_expires_but_not_for_a_clock_that_is_a_little_off(
    schedule: dict[str, Any],
) -> None:
    tasks = our_tasks()
    for entry in schedule.values():
        assert entry["task"] in tasks
        assert 5 <= entry["options"]["expires"] < max(entry["schedule"], 5.1)
        assert set(entry) <= {"task", "schedule", "args", "kwargs", "options", "relative"}
        assert inspect.signature(tasks[entry["task"]].run).parameters == {}


def test_operators_periods_are_the_schedules() -> None:
    schedule = beat_schedule(OddPeriods)
    assert schedule["detection.refresh_cameras"]["schedule"] == 7.5
    assert schedule["detection.fan_out_heartbeat"]["schedule"] == 2.0, "six looks an interval"


# --- what a message may hold -----------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_task_takes_ids_and_never_a_credential(name: str) -> None:
    run = our_tasks()[name].run
    hints = get_type_hints(run)
    parameters = [p for p in inspect.signature(run).parameters if p != "self"]
    assert set(parameters) <= PLAIN_ARGUMENTS
    for parameter in parameters:
        assert hints[parameter] in (int, str)


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_task_answers_nothing_and_keeps_no_result(name: str) -> None:
    task = our_tasks()[name]
    assert get_type_hints(task.run)["return"] is type(None)
    assert task.ignore_result


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_task_is_acknowledged_early_and_never_redelivered(name: str) -> None:
    assert not our_tasks()[name].acks_late
