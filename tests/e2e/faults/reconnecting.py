"""Reads cameras that hang up again and again, and tells what that costs this process.

Started by the test as a process of its own, so that nothing else is measured. Takes stream
addresses, one a line, until an empty line; then prints a JSON line at each further line it reads.
"""

import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from detection.ports import Picture, SourceOptions
from detection.reader import RetryPolicy, StreamReader
from detection.sources.pyav import PyAvSource


def main() -> None:
    readers = []
    for number, line in enumerate(iter(sys.stdin.readline, "\n")):
        source: Callable[[], PyAvSource] = partial(
            PyAvSource, SourceOptions(line.strip(), frame_skip=1)
        )
        policy = RetryPolicy(
            max_failures=10**9, first_pause_seconds=0.02, longest_pause_seconds=0.02
        )
        readers.append(StreamReader(source, look, policy, f"camera-{number}"))
        readers[-1].start()
    while sys.stdin.readline():
        print(json.dumps(figures(readers)), flush=True)
    for reader in readers:
        reader.stop(5)


def look(picture: Picture) -> None:
    """As little as the watch task does with a picture: touch its pixels."""
    if picture.pixels is not None:
        np.mean(picture.pixels[::8, ::8])


def figures(readers: list[StreamReader]) -> dict[str, Any]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "connections": sum(reader.status.connections for reader in readers),
        "decoded": [reader.status.decoded for reader in readers],
        "resident": pages * os.sysconf("SC_PAGE_SIZE"),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


if __name__ == "__main__":
    main()
