"""The processes of the soaked cluster, each under a name that outlives its restarts."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.cluster import CELERY, Cluster


@dataclass
class Part:
    """One process of the cluster: started, killed, paused and started again."""

    name: str
    queues: str
    """What its worker takes; empty: it is beat."""
    cluster: Cluster
    settings: Mapping[str, str] = field(default_factory=dict)
    incarnation: int = 0
    wanted: bool = False
    paused: bool = False

    @property
    def child_name(self) -> str:
        return f"{self.name}.{self.incarnation}"

    @property
    def log(self) -> Path:
        return self.cluster.processes.named(self.child_name).log

    @property
    def pid(self) -> int:
        return self.cluster.processes.named(self.child_name).process.pid

    @property
    def is_ready(self) -> bool:
        """Whether its worker takes tasks, by its own word."""
        word = b" ready." if self.queues else b"is starting."
        return self.wanted and word in self.log.read_bytes()

    def start(self) -> None:
        self.incarnation += 1
        if self.queues:
            self.cluster.start_worker(self.child_name, self.queues, **self.settings)
        else:
            schedule = str(self.cluster.folder / "beat.schedule")
            command = [*CELERY, "beat", "--schedule", schedule]
            self.cluster.processes.start(self.child_name, command, self.cluster.environment)
        self.wanted = True

    def kill(self) -> None:
        self.wanted = self.paused = False
        self.cluster.processes.kill(self.child_name)

    def terminate(self) -> None:
        """Ask it to end, and wait for nothing."""
        self.wanted = False
        self.cluster.processes.signal(self.child_name, signal.SIGTERM)

    def start_again(self) -> None:
        """After `kill` or `terminate`; one that has not gone by now is killed."""
        self.cluster.processes.stop(self.child_name, seconds=20.0)
        self.start()

    def pause(self) -> None:
        self.cluster.processes.signal(self.child_name, signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        self.cluster.processes.signal(self.child_name, signal.SIGCONT)
        self.paused = False

    def exit_status(self) -> int | None:
        """The status it ended with although nobody asked it to; None while it runs."""
        if not self.wanted:
            return None
        return self.cluster.processes.named(self.child_name).process.poll()

    def rss_kilobytes(self) -> int | None:
        """Resident memory; None where there is no process."""
        if not self.wanted:
            return None
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except (OSError, KeyError):  # it is being ended
            return None
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return None

    def local_ports(self, towards: int) -> set[int]:
        """Its own ends of the TCP connections to a port of whoever."""
        inodes = set()
        try:
            for entry in os.scandir(f"/proc/{self.pid}/fd"):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
            table = Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]
        except (OSError, KeyError):
            return set()  # it has just ended
        ports = set()
        for line in table:
            columns = line.split()
            if columns[9] in inodes and int(columns[2].partition(":")[2], 16) == towards:
                ports.add(int(columns[1].partition(":")[2], 16))
        return ports


@dataclass(frozen=True, slots=True)
class RssReading:
    """The memory of one incarnation of a part at a moment."""

    at: float
    process: str
    kilobytes: int


def read_rss(parts: Mapping[str, Part]) -> list[RssReading]:
    """One reading of each process that lives."""
    now = time.time()
    readings = ((part.child_name, part.rss_kilobytes()) for part in parts.values())
    return [RssReading(now, name, kilobytes) for name, kilobytes in readings if kilobytes]
