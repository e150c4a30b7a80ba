"""A running cluster for a test: workers and beat as processes, simulators in this one."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

from simulators.demo.processes import Processes
from simulators.laravel import LaravelSimulator, SimulatedCamera
from simulators.tapo import SimulatedTapo, serve
from tests.conftest import REPOSITORY
from tests.e2e.databases import CREDENTIALS_KEY, SECRET_KEY, migrated_sqlite
from tests.e2e.secrets import assert_nothing_leaked
from tests.e2e.unforeseen import assert_nothing_unforeseen
from tests.services import wait_until

CELERY = [str(Path(sys.executable).parent / "celery"), "-A", "crimeops"]
API_KEY = "the-api-key-of-this-test"


@dataclass
class Cluster:
    """Use as a context manager; every process is ended, whatever the test does."""

    folder: Path
    broker_url: str
    database_url: str
    model_dir: Path
    cameras: Sequence[SimulatedTapo] = ()
    settings: dict[str, str] = field(default_factory=dict)
    api_key: str = API_KEY
    max_cameras_per_instance: int = 10
    heartbeat_timeout_seconds: float = 120.0
    foreseen: Sequence[str] = ()  # how errors begin that this test provokes in its processes

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        if self.cameras:
            self._stack.enter_context(serve(*self.cameras))
        self.listed = self._listed()
        self.backend = LaravelSimulator(
            API_KEY,
            cameras=self.listed,
            max_cameras_per_instance=self.max_cameras_per_instance,
            heartbeat_timeout_seconds=self.heartbeat_timeout_seconds,
        )
        self._stack.enter_context(self.backend)
        self.processes = Processes(self.folder / "logs")
        self._stack.callback(self.processes.stop_all)
        self._migrate()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:  # the test's own failure comes first
                assert_nothing_leaked(self)
                assert_nothing_unforeseen(self.folder / "logs", self.foreseen)
        finally:
            self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
        return inherited | {
            "CRIMEOPS_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "crimeops.settings",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": SECRET_KEY,
            "CREDENTIALS_KEY": CREDENTIALS_KEY,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.broker_url,
            "BACKEND_URL": self.backend.url,
            "MODEL_API_KEY": self.api_key,
            "MODEL_DIR": str(self.model_dir),
            "EVIDENCE_DIR": str(self.folder / "evidence"),
            "SPOOL_DIR": str(self.folder / "spool"),
            "CAMERA_REFRESH_INTERVAL": "2",
            "HEARTBEAT_INTERVAL": "2",
            **self.settings,
        }

    def _migrate(self) -> None:
        """Unless the database is a copy of one that was."""
        if self.database_url.startswith("sqlite"):
            file = Path(self.database_url.removeprefix("sqlite:///"))
            if not file.exists():
                file.write_bytes(migrated_sqlite())
        elif not self.rows("SELECT 1 FROM pg_tables WHERE tablename = 'django_migrations'"):
            self.manage("migrate", "--verbosity=0")

    def start(self) -> None:
        """The two workers and beat, exactly as the documentation types them."""
        self.start_worker("streams-gpu", "streams,gpu")
        self.start_worker("alarms-reports", "alarms,reports,default")
        self.start_beat()

    def start_beat(self, name: str = "beat") -> None:
        schedule = str(self.folder / f"{name}.schedule")
        command = [*CELERY, "beat", "--schedule", schedule]
        self.processes.start(name, command, self.environment)

    def start_worker(self, name: str, queues: str, **settings: str) -> None:
        """A worker with settings of its own: INSTANCE_ADDRESS="127.0.0.2" makes it another host."""
        command = [*CELERY, "worker", "-Q", queues]
        self.processes.start(name, command, self.environment | settings)

    def manage(self, *arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Look into the cluster's database from outside. `%s` marks values."""
        if self.database_url.startswith("sqlite"):
            with sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=20) as base:
                base.row_factory = sqlite3.Row
                rows = base.execute(query.replace("%s", "?"), values).fetchall()
            return [dict(row) for row in rows]
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def list_cameras(self, zones: Mapping[int, Sequence[Sequence[float]]] | None = None) -> None:
        """Fetch the cameras once, before any worker runs, and mark restricted zones on these."""
        code = (
            "from django.utils import timezone; from detection.models import Camera, Zone; "
            "from detection.services import cameras; "
            "cameras.refresh_cameras(at=timezone.now()); "
            "[Zone.objects.create(name='yard', polygon=polygon, "
            "camera=Camera.objects.get(external_id=number)) "
            f"for number, polygon in {json.loads(json.dumps(list((zones or {}).items())))!r}]"
        )
        self.manage("shell", "--no-imports", "-c", code)

    def state_of(self, external_id: int) -> tuple[str, str]:
        rows = self.rows(
            "SELECT state, reason FROM detection_camera WHERE external_id = %s", external_id
        )
        return (rows[0]["state"], rows[0]["reason"]) if rows else ("", "")

    def wait_for_state(
        self, external_id: int, state: str, reason: str = "", seconds: float = 30.0
    ) -> None:
        def reached() -> bool:
            self.processes.check()
            now = self.state_of(external_id)
            return now[0] == state and now[1].startswith(reason)

        try:
            wait_until(reached, f"camera {external_id} is {state} {reason}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.state_of(external_id)}") from None

    def everything_written(self) -> str:
        """All that the cluster's processes wrote to their logs."""
        logs = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(log.read_text(errors="replace") for log in logs)

    def _listed(self) -> list[SimulatedCamera]:
        return [
            SimulatedCamera(
                id=number,
                name=f"Camera {number}",
                ip_address=camera.host,
                rtsp_url=camera.rtsp_url,
                user_name=camera.user,
                password=camera.password,
            )
            for number, camera in enumerate(self.cameras, start=1)
        ]


def epoch(value: Any) -> float:
    """POSIX seconds of a database's timestamp (SQLite gives text in UTC)."""
    from datetime import UTC, datetime

    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
