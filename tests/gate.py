"""A door between the cluster and a service, which a test cuts, freezes and opens again."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit

PIECE = 65536


class Gate:
    """Forwards TCP from a port of its own to a service, until told otherwise.

    `cut()` breaks every connection and refuses new ones, as a host that is down; `freeze()` keeps
    them and accepts new ones but lets nothing through, as a cable that was pulled; `open()` mends.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", listen_host: str = "127.0.0.1") -> None:
        self._service = (host, port)
        self.service_port = port
        self._flow = threading.Event()
        self._flow.set()
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._host, self.port = listen_host, 0
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._flow.set()
        self.cut()

    def open(self) -> None:
        """Let everything through: again, or for the first time."""
        self._flow.set()
        if self._listener is None:
            self._listener = socket.create_server((self._host, self.port), backlog=128)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def freeze(self) -> None:
        """Let nothing through, and tell nobody."""
        self._flow.clear()

    def cut(self) -> None:
        """Refuse new connections and break those that stand."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept() would keep the port open behind our back.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _break(*pair)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._flow.wait()
        try:
            service = self._reach()
        except OSError:
            client.close()
            return
        pair = (client, service)
        with self._lock:
            self._pairs.add(pair)
        if self._listener is None:  # cut in the meantime
            _break(*pair)
            return
        for source, target in (pair, (service, client)):
            threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _reach(self) -> socket.socket:
        return socket.create_connection(self._service)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                self._flow.wait()
                target.sendall(piece)
        _break(source, target)
        with self._lock:
            self._pairs -= {(source, target), (target, source)}


class PostgresGate(Gate):
    """A gate before a PostgreSQL, also one that listens on a Unix socket only."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._folder = "".join(parse_qs(self._parts.query).get("host", []))
        super().__init__(self._parts.port or 5432, self._parts.hostname or "127.0.0.1")

    @property
    def url(self) -> str:
        """The database's address through the gate."""
        parts = self._parts
        user = f"{parts.username}:{parts.password or ''}"
        return f"postgres://{user}@127.0.0.1:{self.port}{parts.path}"

    def _reach(self) -> socket.socket:
        if not self._folder:
            return super()._reach()
        service = socket.socket(socket.AF_UNIX)
        service.connect(f"{self._folder}/.s.PGSQL.{self._service[1]}")
        return service


def _break(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
