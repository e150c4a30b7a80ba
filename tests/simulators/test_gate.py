"""The door between cluster and service does what fault tests rely on."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.gate import Gate


@pytest.fixture
def echo_port() -> Iterator[int]:
    def serve(server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client:
            while piece := client.recv(1024):
                client.sendall(piece)

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(server,), daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def dial(gate: Gate) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gate.port), timeout=2)


def test_an_open_gate_lets_through_and_a_cut_one_breaks_and_refuses(echo_port: int) -> None:
    with Gate(echo_port) as gate:
        with dial(gate) as caller:
            caller.sendall(b"hello")
            assert caller.recv(16) == b"hello"
            gate.cut()
            assert caller.recv(16) == b""
        with pytest.raises(ConnectionRefusedError):
            dial(gate)
        gate.open()
        with dial(gate) as caller:
            caller.sendall(b"again")
            assert caller.recv(16) == b"again"


def test_a_frozen_gate_accepts_and_keeps_connections_but_lets_nothing_through(
    echo_port: int,
) -> None:
    with Gate(echo_port) as gate, dial(gate) as caller:
        caller.sendall(b"one")
        assert caller.recv(16) == b"one"
        gate.freeze()
        with dial(gate) as late:
            for line in (caller, late):
                line.settimeout(0.3)
                line.sendall(b"two")
                with pytest.raises(TimeoutError):
                    line.recv(16)
            gate.open()
            for line in (caller, late):
                line.settimeout(2)
                assert line.recv(16) == b"two"
