"""Questions that nobody may wait long for: a database that hangs must not hold a siren up."""

import logging
import threading
from collections.abc import Callable
from functools import wraps
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

from django.db import Error as DatabaseFault
from django.db import connection

logger = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")

# State of the process, named as such: questions without an answer that may wait at once.
MOST_OPEN_QUESTIONS = 16
_open_questions = threading.BoundedSemaphore(MOST_OPEN_QUESTIONS)


def within(seconds: float, question: Callable[[], T], otherwise: U) -> T | U:
    """The answer of the database, or `otherwise` where it gives none in this time.

    Asked from a thread and on a connection of its own, which is left behind with its question.
    """
    if not _open_questions.acquire(blocking=False):
        return otherwise
    answers: SimpleQueue[tuple[T] | tuple[()]] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put((question(),))
        except DatabaseFault as error:
            logger.warning("the database gives no answer: %s", type(error).__name__)
            answers.put(())
        except Exception:
            logger.exception("a question to the database failed")
            answers.put(())
        finally:
            connection.close()
            _open_questions.release()

    try:
        threading.Thread(target=ask, name="question", daemon=True).start()
    except RuntimeError:  # the process ends, or has no thread left
        _open_questions.release()
        return otherwise
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        return otherwise
    return answer[0] if answer else otherwise


def one_at_a_time(act: Callable[P, None]) -> Callable[P, None]:
    """Skip a call while the one before is still under way in this process.

    A sweep that waits for a database that hangs must not gather threads until none is left.
    """
    under_way = threading.Lock()

    @wraps(act)
    def unless_under_way(*arguments: P.args, **options: P.kwargs) -> None:
        if not under_way.acquire(blocking=False):
            logger.warning("%s is still under way and is skipped", act.__name__)
            return
        try:
            act(*arguments, **options)
        finally:
            under_way.release()

    return unless_under_way
