"""Beat is told to end in the middle of a turn, which it finishes first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crimeops.celery import end_beat_between_two_turns


class Service:
    """What Celery calls beat's service, as far as it is told to end."""

    def __init__(self) -> None:
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1


@contextmanager
def handled_by_celery() -> Iterator[None]:
    def leave(*_: object) -> None:
        raise SystemExit

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_turn_end_and_the_next_one_breaks_it(number: signal.Signals) -> None:
    service = Service()
    with handled_by_celery():
        end_beat_between_two_turns(sender=service)
        signal.raise_signal(number)
        assert service.stops == 1
        with pytest.raises(SystemExit):
            signal.raise_signal(number)
