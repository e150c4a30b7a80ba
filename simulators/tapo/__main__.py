"""`python -m simulators.tapo --config cameras.json`: the cameras of the demo in one process.

Each event is one JSON line on stdout. They are printed by the main thread, so that a reader who
stops reading holds up the output and not the cameras.
"""

import argparse
import json
import os
import queue
import signal
import sys
from pathlib import Path

from simulators.tapo.behaviour import Event
from simulators.tapo.fleet import FleetError, read_fleet
from simulators.tapo.serve import serve
from simulators.tapo.status import StatusPort


def main() -> int:
    options = _options()
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: events.put(None))
    try:
        cameras = read_fleet(options.config, events.put)
    except (FleetError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    status = StatusPort(cameras)
    with serve(*cameras) as thread:
        if options.status_port is not None:
            port = thread.run(status.open(options.status_host, options.status_port))
            events.put({"event": "status", "host": options.status_host, "port": port})
        try:
            while (event := events.get()) is not None:
                print(json.dumps(event), flush=True)
        except BrokenPipeError:
            # Whoever read us is gone; Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        thread.run(status.close())
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.tapo", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON list of cameras")
    parser.add_argument("--status-port", type=int, help="serve GET /state here; 0 picks a port")
    parser.add_argument("--status-host", default="127.0.0.1")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
