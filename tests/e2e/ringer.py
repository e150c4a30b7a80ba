"""A process that asks for sirens exactly as a watch task does, at the word of a test.

Reads lines from stdin: `learn CAMERA`, `wanted CAMERA EPISODE`, `unwanted CAMERA EPISODE`; answers
each with the moment before it acted (`time.monotonic()`).
"""

import sys
import time
from uuid import UUID

import django


def main() -> None:
    django.setup()

    from django.db import close_old_connections

    from detection import signals
    from detection.models import Camera

    for line in sys.stdin:
        word, camera, *episode = line.split()
        close_old_connections()  # as a watch task does with each renewal
        at = time.monotonic()
        if word == "learn":
            signals.camera_watched.send(sender=Camera, camera=Camera.objects.get(pk=camera))
            signals.watch_renewed.send(sender=Camera, camera_id=int(camera))
        else:
            signal = signals.siren_wanted if word == "wanted" else signals.siren_unwanted
            signal.send(sender=Camera, camera_id=int(camera), episode_id=UUID(episode[0]))
        print(at, time.monotonic() - at, flush=True)


if __name__ == "__main__":
    main()
