"""What is done beside the judging: where it fails, the camera is watched on without it.

Evidence, live pictures and the log of tracks must not blind a camera, keep a siren from sounding or
a lease from ending.
"""

import logging
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import ParamSpec

from detection.services import troubles

logger = logging.getLogger(__name__)

P = ParamSpec("P")

SAID_AGAIN = 1_000  # what goes on failing is named again in the log every few minutes


class Contained:
    """`failures` counts, by name, what was left undone. Used by each thread of a watch."""

    def __init__(self, camera_id: int) -> None:
        self._camera_id = camera_id
        self._lock = Lock()
        self.failures: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._is_told = False

    def attempt(
        self, what: str, step: Callable[P, object], *arguments: P.args, **named: P.kwargs
    ) -> None:
        """Take the step; whatever it raises is counted, and said in the log."""
        try:
            step(*arguments, **named)
        except Exception as error:
            with self._lock:
                self.failures[what] += 1
                number = self.failures[what]
            if number % SAID_AGAIN == 1:
                logger.exception(
                    "camera %s: no %s, it is watched on without (failure %d): %s",
                    self._camera_id,
                    what,
                    number,
                    error,
                )

    def tell(self) -> None:
        """Name in the admin what has failed since this was last asked; waits for the database."""
        with self._lock:
            failures = self.failures.copy()
        failed, self._told = failures - self._told, failures
        if failed:
            text = "; ".join(f"no {what} ({failures[what]} times)" for what in sorted(failed))
            troubles.name_trouble(subject=self._subject, text=text)
        elif self._is_told:
            troubles.end_trouble(subject=self._subject)
        self._is_told = bool(failed)

    @property
    def _subject(self) -> str:
        return f"Camera {self._camera_id}: what is kept and shown of it"
