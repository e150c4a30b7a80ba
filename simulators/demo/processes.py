"""Starts the processes of the demo and ends them all, in order, whatever happens."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ProcessDied(RuntimeError):
    """A process of the demo ended by itself; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and where it writes."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """Children in the order they were started; `stop_all` ends them in the opposite one."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        log = self._logs / f"{name}.log"
        # An interrupt in between would leave a process that nobody knows of.
        with log.open("wb") as output, _uninterrupted():
            process = subprocess.Popen(
                list(command),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, who ends us
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
            child = Child(name, process, log)
            self._children.append(child)
        return child

    def check(self) -> None:
        """Raise ProcessDied where one has ended by itself."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ProcessDied(f"{child.name} ended with status {code}:\n{child.tail()}")

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Wait for a condition, watching that nobody dies meanwhile. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} is not ready after {seconds:.0f} s")
            time.sleep(0.05)

    def children(self) -> list[Child]:
        """Those that were started and not ended by us."""
        return list(self._children)

    def forget(self, name: str) -> None:
        """No longer expect a child to run that has ended as it should."""
        self._children = [child for child in self._children if child.name != name]

    def named(self, name: str) -> Child:
        """The child of that name. Raises KeyError."""
        for child in self._children:
            if child.name == name:
                return child
        raise KeyError(name)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a child: SIGSTOP and SIGCONT pause it and let it go on."""
        self.named(name).process.send_signal(number)

    def kill(self, name: str) -> None:
        """End a child as a power cut would: at once, with whatever it started."""
        child = self.named(name)
        child.process.kill()
        child.process.wait()
        self.stop(name)

    def stop(self, name: str, seconds: float = 10.0) -> None:
        """End one child and wait for it; it is killed if it does not go."""
        for child in [child for child in self._children if child.name == name]:
            _end(child, seconds)
            # Only now: where the waiting is cut short, `stop_all` must still know of it.
            self._children.remove(child)

    def stop_all(self) -> None:
        while self._children:
            self.stop(self._children[-1].name)

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time of each child and its own children so far (Linux; else zeros)."""
        used = _cpu_seconds_by_session()
        return {child.name: used.get(child.process.pid, 0.0) for child in self._children}


def _end(child: Child, seconds: float) -> None:
    process = child.process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # Its own session: only what it left behind is in it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back what the handlers of Ctrl-C and SIGTERM do until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    came: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for missed in came[:1]:
        signal.raise_signal(missed)


def _cpu_seconds_by_session() -> dict[int, float]:
    """Each child leads a session of its own, so a session's sum is the child's."""
    used: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        session, ticks = int(fields[3]), int(fields[11]) + int(fields[12])
        used[session] = used.get(session, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
    return used


def _die_with_parent() -> None:
    """A supervisor that is killed must not leave workers behind that hold cameras."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """The preferred port if it is free, else any."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port on {host}")


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0
