"""The simulated back end as a test or a demo holds it: started, watched, made to fail, stopped."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Self

from aiohttp import web

from simulators.laravel.api import ModelApi
from simulators.laravel.backend import BackEnd
from simulators.laravel.cameras import SimulatedCamera
from simulators.laravel.control import ControlApi
from simulators.laravel.faults import FaultBook, parse_fault
from simulators.laravel.records import (
    HeartbeatRelease,
    Journal,
    ReceivedAlarm,
    ReceivedAlert,
    ReceivedCrime,
    ReceivedStop,
    RecordedCall,
    Violation,
)
from simulators.laravel.transport import Transport

SHUTDOWN_SECONDS = 1.0
LONGEST_CHECK_SECONDS = 0.5


class LaravelSimulator:
    """Safe to use from any thread; its memory and its port outlive `stop()` for a new `start()`."""

    def __init__(
        self,
        api_key: str,
        cameras: Sequence[SimulatedCamera] = (),
        max_cameras_per_instance: int = 10,
        heartbeat_timeout_seconds: float = 120.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._back_end = BackEnd(cameras, max_cameras_per_instance, heartbeat_timeout_seconds)
        self._journal = Journal()
        self._faults = FaultBook()
        self._api = ModelApi(api_key, self._back_end, self._journal)
        self._control = ControlApi(self._back_end, self._journal, self._faults)
        self._check_seconds = min(LONGEST_CHECK_SECONDS, heartbeat_timeout_seconds / 10)
        self._host = host
        self._port = port
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        """Returns once the port is open; raises OSError where it cannot be."""
        if self._thread is not None:
            raise RuntimeError("the simulator is already running")
        opened: Future[int] = Future()
        self._thread = Thread(target=self._run, args=(opened,), name="laravel-simulator")
        self._thread.daemon = True
        self._thread.start()
        try:
            self._port = opened.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise

    def stop(self) -> None:
        """Ends the answers still being held back, and closes the port."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None or loop is None or stopping is None:
            return
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The `BACKEND_URL`, without a slash at its end; raises RuntimeError before `start()`."""
        if self._port == 0:
            raise RuntimeError("the simulator has no port before it is started")
        return f"http://{self._host}:{self._port}"

    @property
    def calls(self) -> list[RecordedCall]:
        """Every call in the order of the answers, control endpoints apart."""
        return self._journal.calls()

    def calls_to(self, path: str) -> list[RecordedCall]:
        """The calls to exactly `path`: `/alert`, `/cameras/1/claim`, `/api/camera/alarm`."""
        return self._journal.calls_to(path)

    @property
    def violations(self) -> list[Violation]:
        return self._journal.violations()

    @property
    def claims(self) -> dict[int, str]:
        """Camera id → remote address of the instance that holds it."""
        with self._back_end.lock:
            return dict(self._back_end.claims)

    @property
    def active_alerts(self) -> frozenset[int]:
        """The cameras whose alert has not been stopped."""
        with self._back_end.lock:
            return frozenset(self._back_end.active_alerts)

    @property
    def alerts(self) -> list[ReceivedAlert]:
        with self._back_end.lock:
            return list(self._back_end.alerts)

    @property
    def stops(self) -> list[ReceivedStop]:
        with self._back_end.lock:
            return list(self._back_end.stops)

    @property
    def crimes(self) -> list[ReceivedCrime]:
        with self._back_end.lock:
            return list(self._back_end.crimes)

    @property
    def alarms(self) -> list[ReceivedAlarm]:
        with self._back_end.lock:
            return list(self._back_end.alarms)

    @property
    def releases(self) -> list[HeartbeatRelease]:
        """The releases for want of a heartbeat; those that were asked for are calls."""
        with self._back_end.lock:
            return list(self._back_end.releases)

    def fault(
        self,
        kind: str,
        path: str | None = None,
        times: int | None = None,
        *,
        after: bool = False,
        exact: bool = False,
        camera_id: int | None = None,
    ) -> None:
        """Answer wrongly from now on: for `times` calls, or until `clear_faults()`.

        `kind` is one of `status:CODE`, `hang:SECONDS` (then a true answer), `hang` (until the
        simulator stops), `reset`, `not_json`, `missing_field`, `missing_field:NAME`, `html`,
        `echo:CODE` (an error that repeats the caller's headers and body) and `redirect:ADDRESS`.
        `path` also covers what lies below it, unless `exact`: `/alert` includes `/alert/stop`.
        `after` lets the back end do its work first, so that only the answer is lost; `not_json`
        and `missing_field`, being true answers spoilt, always do. With `camera_id` only reports
        about that camera are struck. Raises ValueError.
        """
        self._faults.add(
            parse_fault(kind, path, times, after=after, exact=exact, camera_id=camera_id)
        )

    def clear_faults(self) -> None:
        self._faults.clear()

    def on_alarm(self, reach_camera: Callable[[ReceivedAlarm], None]) -> None:
        """What the camera control API does with an alarm; a ConnectionError is answered with 502.

        Called on the server's thread. Without it every alarm is accepted and none is heard.
        """
        self._back_end.reach_camera = reach_camera

    def take_back(self, camera_id: int) -> None:
        """The back end unclaims a camera; raises KeyError where it is unknown."""
        self._back_end.take_back(camera_id)

    def deactivate(self, camera_id: int) -> None:
        """Lists the camera no more, and a claim on it stands; raises KeyError where unknown."""
        self._back_end.deactivate(camera_id)

    def _run(self, opened: Future[int]) -> None:
        try:
            asyncio.run(self._serve(opened))
        except BaseException as error:
            # To be raised in `start()`, where there is somebody to read it.
            if opened.done():
                raise
            opened.set_exception(error)

    async def _serve(self, opened: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        transport = Transport(self._api, self._control, self._faults, self._journal, self._stopping)
        runner = web.AppRunner(
            transport.application(),
            access_log=None,
            # A caller that hangs up during a `hang` is then known to have given up.
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            opened.set_result(runner.addresses[0][1])
            await self._release_silent_until_stopped(self._stopping)
        finally:
            await runner.cleanup()

    async def _release_silent_until_stopped(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            self._back_end.release_silent(at=time.time(), monotonic=time.monotonic())
            try:
                await asyncio.wait_for(stopping.wait(), self._check_seconds)
            except TimeoutError:
                continue
