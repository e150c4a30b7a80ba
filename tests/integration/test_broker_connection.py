"""However long the broker was away: workers and beat are back two seconds after it, not thirty."""

import pytest

from crimeops.celery import app
from simulators.demo.processes import free_port


def test_a_connection_is_tried_again_every_two_seconds_at_least() -> None:
    pauses: list[float] = []

    class Enough(Exception):
        pass

    def note(error: Exception, pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 5:
            raise Enough

    # As the consumer of a worker and beat's publisher do it.
    with (
        app.connection_for_read(f"redis://127.0.0.1:{free_port()}/0") as connection,
        pytest.raises(Enough),
    ):
        connection.ensure_connection(note)
    assert pauses == [0.5, 1.0, 1.5, 2.0, 2.0]
