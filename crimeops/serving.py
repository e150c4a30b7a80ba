"""How long a web process waits for a browser, and whether it was told to end, for long answers.

State of the process, named as such: `gunicorn.conf.py` says here how its worker can be asked.
"""

import socket
import struct
from collections.abc import Callable

_is_alive: list[Callable[[], bool]] = []


def serve_while(is_alive: Callable[[], bool]) -> None:
    """Long answers end as soon as this is false."""
    _is_alive[:] = [is_alive]


def is_ending() -> bool:
    return not all(is_alive() for is_alive in _is_alive)


def wait_at_most(connection: socket.socket, seconds: float) -> None:
    """Give up on a browser that takes nothing, or sends nothing that it began, for so long.

    Gunicorn's threads wait for ever: a laptop that was closed over a live picture would keep one
    until TCP gives it up, and requests that are never finished all of them. Of a socket that
    listens, the connections inherit it. https://man7.org/linux/man-pages/man7/socket.7.html
    """
    patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    for way in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, way, patience)
