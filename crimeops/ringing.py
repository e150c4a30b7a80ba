"""Rings a task by its name: who rings need not import who answers.

A ring is worth sending only now: it is not retried here, and whoever depends on it has a sweep.
"""

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from crimeops.celery import ROUTES

logger = logging.getLogger(__name__)


def ring(task: str, *arguments: Any, expires: float | None = None, queue: Any = None) -> bool:
    """Send a task with these ids; returns whether the broker took it.

    Raises LookupError for a name that no queue is known for.
    """
    if task not in ROUTES:
        raise LookupError(f"no task is called {task}; crimeops.celery.ROUTES has them all")
    where = {} if queue is None else {"queue": queue}
    try:
        current_app.send_task(task, arguments, expires=expires, retry=False, **where)
    except OperationalError as error:
        logger.warning("the broker is out of reach, %s is not rung: %s", task, error)
        return False
    return True
