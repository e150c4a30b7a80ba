"""How `gunicorn crimeops.wsgi` serves the admin; its command line goes before all of it."""

from typing import Any

from crimeops.environment import read_environment_or_exit
from crimeops.serving import serve_while, wait_at_most

bind = "127.0.0.1:8080"  # not 8000: there the Laravel back end usually listens
# A live picture keeps its thread for minutes: when all of them are watched, pages have eight left.
threads = 8 + read_environment_or_exit().live_viewers
QUIET_SECONDS = 20.0  # of a browser that takes or sends nothing, after which its thread is free
control_socket_disable = True  # it would leave a socket in the user's home


def when_ready(server: Any) -> None:
    """No thread waits for a browser that fell silent."""
    for listener in server.LISTENERS:
        wait_at_most(listener.sock, QUIET_SECONDS)


def post_worker_init(worker: Any) -> None:
    """A worker that is told to end waits for no live picture."""
    serve_while(lambda: bool(worker.alive))
