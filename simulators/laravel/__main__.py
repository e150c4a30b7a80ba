"""Runs the simulated back end as a process of its own, for the demo."""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Event

from simulators.laravel.cameras import load_cameras
from simulators.laravel.server import LaravelSimulator


def main() -> int:
    arguments = _arguments()
    # From the environment alone: whoever lists processes reads their arguments.
    api_key = os.environ.get(arguments.api_key_env, "")
    if not api_key:
        print(f"Set {arguments.api_key_env} to the API key first.", file=sys.stderr)
        return 2
    try:
        simulator = LaravelSimulator(
            api_key,
            load_cameras(arguments.cameras),
            max_cameras_per_instance=arguments.max_cameras,
            heartbeat_timeout_seconds=arguments.heartbeat_timeout_seconds,
            host=arguments.host,
            port=arguments.port,
        )
    except (OSError, ValueError) as error:
        print(f"Cannot use the cameras of {arguments.cameras}: {error}", file=sys.stderr)
        return 2
    try:
        _serve_until_told_to_stop(simulator)
    except OSError as error:
        print(f"Cannot listen on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        return 1
    return 0


def _serve_until_told_to_stop(simulator: LaravelSimulator) -> None:
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with simulator:
        print(f"listening on {simulator.url}", flush=True)
        told.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.laravel", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--api-key-env", default="MODEL_API_KEY", metavar="NAME")
    parser.add_argument("--cameras", type=Path, required=True, help="a JSON list of cameras")
    parser.add_argument("--max-cameras", type=int, default=10)
    parser.add_argument("--heartbeat-timeout-seconds", type=float, default=120.0)
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(main())
