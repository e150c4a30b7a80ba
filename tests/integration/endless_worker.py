"""A worker whose watch tasks do nothing but wait for their end; all the rest is the product's.

They let go when they are told to and the file LET_GO is there.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    import django

    django.setup()
    import detection.watching
    from detection.tap import Tap

    def watch(stop: Any, **_: Any) -> bool:
        print("a camera is watched", flush=True)
        stop.wait()
        while not Path(os.environ["LET_GO"]).exists():
            time.sleep(0.05)
        print("a camera is released", flush=True)
        return True

    detection.watching.watch_camera = watch
    Tap.follow_room = lambda self: None  # type: ignore[method-assign]  # no room is asked for
    from celery.bin.celery import main as celery

    sys.argv = ["celery", "-A", "crimeops", *sys.argv[1:]]
    celery()


if __name__ == "__main__":
    main()
