"""The tap of a streams worker: it takes rings only while its instance has room for a camera.

An instance that is full must take no ring away from one that has room. Rings for cameras that this
instance alone may take over come by a queue of its own, which is never shut.
"""

import logging
import threading
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from kombu.exceptions import KombuError

from crimeops.celery import instance_queue
from detection.services import claims

logger = logging.getLogger(__name__)

QUEUE = "streams"
# Another process of the instance may have given a camera up.
LOOK_AGAIN_SECONDS = 5.0
REPLY_SECONDS = 1.0
# Rings that nobody takes are not heaped up; they are over after seconds anyway.
MOST_WAITING = 200


@celeryd_after_setup.connect
def _listen_for_own_cameras(instance: Any, **_: Any) -> None:
    queues = instance.app.amqp.queues
    if QUEUE in queues.consume_from:
        queues.select_add(instance_queue(claims.instance_name()))


class Tap:
    """One for each worker process."""

    def __init__(self, app: Celery, hostname: str, stop: threading.Event) -> None:
        self._app = app
        self._hostname = hostname
        self._stop = stop
        self._lock = threading.Lock()
        self._watchman: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        """By what the worker's consumer takes: an answer of it may have been lost."""
        return QUEUE in self._app.amqp.queues.consume_from

    def follow_room(self) -> None:
        """Open it where the instance has room, shut it where it has none."""
        has_room = claims.has_room(
            instance=claims.instance_name(),
            max_cameras=settings.ENVIRONMENT.max_cameras,
            at=claims.database_now(),
        )
        if has_room and not self.is_open:
            self.open()
        elif not has_room and self.is_open:
            self.shut()

    def open(self) -> None:
        """Asked again until the worker has done it: it must not stay deaf."""
        with self._lock:
            self._tell("add_consumer")

    def shut(self) -> None:
        """Returns when the worker has said so; from now on somebody looks whether to open again."""
        with self._lock:
            if self._watchman is None:
                self._watchman = threading.Thread(target=self._look_again, daemon=True)
                self._watchman.start()
            self._tell("cancel_consumer")

    def _look_again(self) -> None:
        while not self._stop.wait(LOOK_AGAIN_SECONDS):
            try:
                self.follow_room()
            except DatabaseFault as error:
                logger.warning("whether there is room cannot be asked yet: %s", error)
            except Exception:
                logger.exception("the tap of %s: whether there is room is unknown", self._hostname)
            finally:
                connection.close()  # of this thread alone

    def _tell(self, command: str) -> None:
        """A broker that is away is asked again: by the watchman, and after the next watch."""
        try:
            self._app.control.broadcast(
                command,
                arguments={"queue": QUEUE},
                destination=[self._hostname],
                reply=True,
                timeout=REPLY_SECONDS,
                limit=1,
            )
        except broker_faults(self._app) as error:
            logger.warning("the tap of %s cannot be turned: %s", self._hostname, error)


def broker_faults(app: Celery) -> tuple[type[BaseException], ...]:
    """What it raises when the broker is away or refuses: its client's own errors come as they are.

    Where a task is sent, kombu translates them; where a queue is declared, it does not.
    """
    broker = app.connection_for_read()
    return (KombuError, *broker.connection_errors, *broker.channel_errors)


def is_flooded(app: Celery, queue: str) -> bool:
    """Whether more rings wait there than anybody will take in time."""
    try:
        with app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            declared = channel.queue_declare(queue, passive=True)
    except broker_faults(app):
        return False  # nothing was ever put there; or the broker is away: a ring fails and says so
    return int(declared.message_count) >= MOST_WAITING
