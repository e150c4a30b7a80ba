"""One thread with one event loop for any number of simulators.

Tests and the demo are synchronous programs; forty cameras must not cost them forty threads.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # camera.py imports this module
    from simulators.tapo.camera import SimulatedTapo

T = TypeVar("T")

CALL_SECONDS = 10.0


class LoopThread:
    """An event loop that runs in a daemon thread and takes work from other threads."""

    def __init__(self, name: str = "simulators") -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        if self._loop is not None:
            return
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self.run(_cancel_remaining_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()
        self._loop = self._thread = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it; never call this from the loop itself."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the simulator is not running: call start() first")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a plain function on the loop's thread and wait for its result."""

        async def work() -> T:
            return function(*arguments)

        return self.run(work())


async def _cancel_remaining_tasks() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def serve(*cameras: "SimulatedTapo") -> Iterator[LoopThread]:
    """Start all cameras on one shared thread; stop them and the thread at the end."""
    thread = LoopThread()
    thread.start()
    with ExitStack() as stack:
        stack.callback(thread.stop)
        for camera in cameras:
            camera.start(thread)
            stack.callback(camera.stop)
        yield thread
