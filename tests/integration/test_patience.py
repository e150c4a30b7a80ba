"""Nobody waits long for a database that hangs, and nobody gathers behind who does."""

import threading
import time

import pytest
from django.db import OperationalError

from crimeops.patience import MOST_OPEN_QUESTIONS, one_at_a_time, within
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_in_time_is_given_and_a_late_one_is_not_waited_for() -> None:
    assert within(5, lambda: "answer", "none") == "answer"
    assert within(5, lambda: None, "none") is None
    hanging = threading.Event()
    began = time.monotonic()
    assert within(0.1, lambda: hanging.wait(20), "none") == "none"
    assert time.monotonic() - began < 1
    hanging.set()


@pytest.mark.parametrize("error", [OperationalError("gone"), ValueError("not a database's")])
def test_a_question_that_fails_is_answered_at_once(error: Exception) -> None:
    def fail() -> str:
        raise error

    began = time.monotonic()
    assert within(10, fail, "none") == "none"
    assert time.monotonic() - began < 5


def test_no_more_threads_wait_than_may() -> None:
    before, hanging = threading.active_count(), threading.Event()
    for _ in range(2 * MOST_OPEN_QUESTIONS):
        within(0.01, lambda: hanging.wait(20), None)
    assert threading.active_count() - before <= MOST_OPEN_QUESTIONS
    hanging.set()
    wait_until(lambda: threading.active_count() <= before, "they have ended")
    assert within(5, lambda: "answer", "none") == "answer"


def test_a_sweep_is_skipped_while_the_one_before_is_under_way() -> None:
    begun, finish = threading.Event(), threading.Event()
    sweeps: list[int] = []

    @one_at_a_time
    def sweep(number: int) -> None:
        sweeps.append(number)
        begun.set()
        finish.wait(10)

    first = threading.Thread(target=sweep, args=(1,))
    first.start()
    assert begun.wait(5)
    sweep(2)
    finish.set()
    first.join(5)
    sweep(3)
    assert sweeps == [1, 3]
