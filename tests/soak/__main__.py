"""`python -m tests.soak`: the cluster under random faults; ends non-zero where a promise broke."""

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.status import Status

from tests.conftest import REPOSITORY
from tests.soak.conductor import Conductor
from tests.soak.report import print_report, write_json
from tests.soak.schedule import plan
from tests.soak.site import Site
from tests.soak.story import Repertoire
from tests.soak.verdict import judge

LINE_SECONDS = 60.0


def main() -> int:
    options = _options()
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = options.folder or REPOSITORY / "var" / "soak" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    _log_to(folder / "soak.log")
    seconds = options.minutes * 60
    planned = plan(seed=options.seed, seconds=seconds, cameras=options.cameras)
    console.print(
        f"{len(planned)} faults in {options.minutes:g} min on {options.cameras} cameras, "
        f"seed {options.seed}; then calm",
        highlight=False,
    )
    repertoire = Repertoire.prepare(REPOSITORY / "var" / "test")
    try:
        with Site(folder, repertoire, options.models, options.cameras) as site:
            with _progress(console) as progress:
                run = Conductor(site, planned, progress)
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, lambda *_: run.interrupt())
                run.run(seconds, options.calm)
            verdict = judge(site, run)
            said = {"seed": options.seed, "minutes": options.minutes, "cameras": options.cameras}
            write_json(folder / "report.json", verdict, run, said)
            print_report(console, verdict, run, folder)
    except KeyboardInterrupt:
        console.print("interrupted before the cluster was up: there is nothing to report")
        return 130
    return 0 if verdict.kept else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of faults (default 30)")
    parser.add_argument("--cameras", type=int, default=10, help="simulated (default 10)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the schedule")
    parser.add_argument("--calm", type=float, default=45.0, help="seconds of calm at least, after")
    parser.add_argument("--folder", type=Path, help="of report and logs (default var/soak/<time>)")
    parser.add_argument(
        "--models",
        type=Path,
        default=os.environ.get("CRIMEOPS_MODEL_DIR", REPOSITORY / "var" / "models"),
        help="folder of the weights",
    )
    options = parser.parse_args()
    options.models = Path(options.models)
    if options.minutes <= 0 or not 1 <= options.cameras <= 100:
        parser.error("give minutes above 0 and 1 to 100 cameras")
    return options


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)  # what the simulators say belongs there too
    logging.getLogger("soak").setLevel(logging.INFO)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """A line that lives on a terminal; elsewhere one line each minute."""
    if console.is_terminal:
        with Status("", console=console) as status:
            yield status.update
        return
    next_line = time.monotonic()

    def line(text: str) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            next_line = time.monotonic() + LINE_SECONDS
            console.print(text, highlight=False, soft_wrap=True)

    yield line


if __name__ == "__main__":
    sys.exit(main())
