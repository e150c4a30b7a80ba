"""Close looks in the GPU worker: with the time that detecting leaves, and never in its way."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Final

from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer
from detection.domain.pace import REST_SECONDS, SideWork
from detection.ports import CloseLooker, DetectorError

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 300.0  # a network that cannot be loaded may come within reach
COMPLAINT_SECONDS: Final = 300.0
FIRST_LOOK_SECONDS: Final = 0.1  # until it is measured


class CloseLooking:
    """Who looks, loaded aside when first wanted: neither its loading nor its failing stops frames.

    Used by one thread at a time.
    """

    def __init__(self, load: Callable[[], CloseLooker]) -> None:
        self._load = load
        self._looker: CloseLooker | None = None
        self._loading: Thread | None = None
        self._retry_at = self._complain_at = float("-inf")
        self.work = SideWork(FIRST_LOOK_SECONDS)

    def most_now(self) -> int:
        """How many close-ups may be looked at before the next frames; 0 while nobody can look."""
        return self.work.most_now(time.monotonic()) if self._is_at_hand() else 0

    def look(self, answer: Answer, close_up: CloseUp) -> Answer:
        """The answer with what a close look found; as it is where that fails."""
        assert self._looker is not None
        began = time.monotonic()
        try:
            found = self._looker.look(close_up)
        except Exception as error:  # noqa: BLE001 — whatever a runtime raises must not cost the rows
            self._complain(error)
            return answer
        finally:
            ended = time.monotonic()
            self.work.done(began, ended)
            if self.work.rests(ended):
                told = "a close look took %.1f s and held up every camera; none for %.0f s"
                logger.warning(told, ended - began, REST_SECONDS)
        return replace(answer, opinions=(*answer.opinions, *found.opinions), bodies=found.bodies)

    def _is_at_hand(self) -> bool:
        if self._looker is None and not self._is_loading() and time.monotonic() >= self._retry_at:
            self._loading = Thread(target=self._try_to_load, name="close-looks", daemon=True)
            self._loading.start()
        return self._looker is not None

    def _is_loading(self) -> bool:
        return self._loading is not None and self._loading.is_alive()

    def _try_to_load(self) -> None:
        try:
            self._looker = self._load()
        except Exception as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            told = "fights are not seen, all else is; tried again in %.0f minutes: %s"
            is_ours = isinstance(error, DetectorError)
            logger.error(told, RETRY_SECONDS / 60, error, exc_info=None if is_ours else error)

    def _complain(self, error: Exception) -> None:
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAINT_SECONDS
            told = "a close look failed, so no fight was seen there; frames are analysed: %s"
            logger.error(told, error, exc_info=error)
