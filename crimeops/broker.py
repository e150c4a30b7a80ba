"""How workers and beat come back to a broker that was away: soon, however long it was.

Celery waits two seconds longer after each failure, up to thirty, and offers no setting for it.
"""

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection

PAUSES: dict[str, float] = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2.0}


class PromptConnection(Connection):
    """A connection that is tried again every two seconds at least."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        return super().ensure_connection(*args, **(PAUSES | kwargs))


class PromptAmqp(AMQP):
    """See `PromptConnection`."""

    Connection = PromptConnection
