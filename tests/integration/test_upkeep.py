"""A watch goes on judging whatever its database does: only the upkeep waits."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from detection import signals
from detection.analysis import Judgement
from detection.domain.crimes import CrimeType
from detection.domain.episodes import EpisodeEnded, EpisodeEvent, EpisodeOpened, EpisodeState
from detection.domain.frames import Answer, Frame
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, Claim, Episode, EvidenceFile, Trouble
from detection.models import EpisodeEvent as EventRow
from detection.pipeline import CameraWatch, WatchOptions
from detection.ports import Picture
from detection.rules.setup import CameraSetup
from detection.services import claims
from detection.services.holding import Holding, Mark
from detection.showing import Showing
from detection.transport.live import LivePictures
from simulators.demo.processes import free_port
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (640, 384)
FRAME_SECONDS = 0.05


class Mailbox:
    """Answers each frame at once: nobody is there."""

    def __init__(self) -> None:
        self._answers: queue.Queue[Answer] = queue.Queue()

    def post(self, frame: Frame, *, replace: bool) -> bool:
        if not replace:
            self._answers.put(Answer(frame.sequence, np.zeros((0, 6), np.float32), {}))
        return not replace

    def collect(self, camera_id: int, timeout_seconds: float) -> Answer | None:
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None


class Source:
    """A camera that sends a picture every 50 ms."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def close(self) -> None:
        self._closed.set()

    def pictures(self) -> Generator[Picture]:
        while not self._closed.wait(FRAME_SECONDS):
            yield Picture(datetime.now(UTC), np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 0.0)


class Scene:
    """Counts what it judges; `opens` has it raise an alert with its next frame."""

    def __init__(self) -> None:
        self.judged = 0
        self.opens = False
        self.setup = CameraSetup()
        self.timeline: list[tuple[float, float]] = []
        self.machine = self
        self.is_open = False

    def use_setup(self, setup: CameraSetup) -> None:
        self.setup = setup

    def next_close_up(self, at: float) -> None:
        return None

    def lose_sight(self, at: datetime) -> list[EpisodeEnded]:
        return []

    def judge(self, answer: Answer, sampled: Any) -> Judgement:
        self.judged += 1
        now = datetime.now(UTC)
        events: list[EpisodeEvent] = []
        if self.opens:
            self.opens, self.is_open = False, True
            events = [EpisodeOpened(now, CrimeType.TRESPASSING, 55.0, now, "somebody")]
        seen = [Suspicion(CrimeType.TRESPASSING, 55.0, (), "somebody")] if events else []
        return Judgement(Moment(now), [], seen, events)


class SlowHolding(Holding):
    """Its renewals hang, as those that wait for a lock that somebody keeps."""

    hangs = threading.Event()

    def renew(self, **facts: Any) -> None:
        if self.hangs.is_set():
            time.sleep(3.0)
            raise OperationalError("canceling statement due to statement timeout")
        super().renew(**facts)


@pytest.fixture
def holding() -> Iterator[SlowHolding]:
    camera = Camera.objects.create(registry="local", name="Yard", external_id=1)
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=1, at=claims.database_now()
    )
    assert lease is not None
    yield SlowHolding(lease, Mark.now())
    SlowHolding.hangs.clear()
    # One that was left behind in a hanging renewal must not speak in the next test.
    wait_until(lambda: not upkeeps(), "every upkeep has ended")


def upkeeps() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("upkeep-")]


def a_watch(
    holding: Holding,
    scene: Scene,
    stop: threading.Event,
    load_setup: Callable[[], CameraSetup] = CameraSetup,
    **parts: Any,
) -> CameraWatch:
    nobody_looks = LivePictures.connect(f"redis://127.0.0.1:{free_port()}/0")
    return CameraWatch(
        holding=holding,
        open_source=Source,
        mailbox=Mailbox(),
        scene=scene,  # type: ignore[arg-type]  # a scene without detections
        load_setup=load_setup,
        reclaim=lambda: None,
        evidence=DjangoEvidenceStore(),
        showing=parts.pop("showing", None) or Showing(1, nobody_looks, lambda: ()),
        options=WatchOptions(input_size=SIZE),
        stop=stop,
        **parts,
    )


def test_a_database_that_hangs_blinds_no_camera_and_holds_no_siren_up(
    holding: SlowHolding,
) -> None:
    scene, stop, rung = Scene(), threading.Event(), []

    def listen(**_: object) -> None:
        rung.append(time.monotonic())

    signals.siren_wanted.connect(listen)
    watching = threading.Thread(target=a_watch(holding, scene, stop).run)
    try:
        watching.start()
        wait_until(lambda: scene.judged > 20, "frames are judged")
        holding.hangs.set()
        wait_until(lambda: scene.judged > 60, "frames are judged while the renewals hang", 10)
        began, before = time.monotonic(), scene.judged
        scene.opens = True
        wait_until(lambda: rung, "the siren is rung", 5, 0.005)
        print(f"siren {1000 * (rung[0] - began):.0f} ms after the frame, beside a hanging renewal")
        assert rung[0] - began < 1.0
        wait_until(lambda: scene.judged > before + 40, "and more are judged after it", 10)
        holding.hangs.clear()
        wait_until(Episode.objects.exists, "the step is written when the database answers", 10)
    finally:
        stop.set()
        watching.join(10)
        signals.siren_wanted.disconnect(listen)
    wait_until(lambda: not upkeeps(), "the upkeep has ended")
    assert [event.kind for event in EventRow.objects.order_by("step")] == ["opened", "lost"]
    assert Episode.objects.get().status == EpisodeState.LOST.value
    assert EvidenceFile.objects.filter(kind="recording").exists(), (
        "what was seen until the end is kept"
    )


def test_a_watch_that_was_overtaken_ends_and_writes_nothing_more(holding: SlowHolding) -> None:
    scene, stop = Scene(), threading.Event()
    ended: list[type[BaseException]] = []

    def watch() -> None:
        try:
            a_watch(holding, scene, stop).run()
        except claims.Overtaken as error:
            ended.append(type(error))

    watching = threading.Thread(target=watch)
    watching.start()
    wait_until(lambda: scene.judged > 5, "frames are judged")
    Claim.objects.update(token=holding.lease.token + 1)
    try:
        wait_until(lambda: ended, "it learns that it was overtaken", 10)
    finally:
        stop.set()
        watching.join(10)
    assert not Episode.objects.exists()


def test_a_camera_that_is_disabled_still_has_its_last_words_written(holding: SlowHolding) -> None:
    scene, stop = Scene(), threading.Event()
    ended: list[type[BaseException]] = []

    def watch() -> None:
        try:
            a_watch(holding, scene, stop).run()
        except claims.NotWanted as error:
            ended.append(type(error))

    watching = threading.Thread(target=watch)
    watching.start()
    scene.opens = True
    wait_until(Episode.objects.exists, "an episode is open")
    Camera.objects.update(enabled=False)
    try:
        wait_until(lambda: ended, "it learns that nobody wants it", 10)
    finally:
        stop.set()
        watching.join(10)
    wait_until(lambda: not upkeeps(), "the upkeep has ended")
    assert Episode.objects.get().status == EpisodeState.LOST.value


class Broken:
    """A part beside the judging, of which nothing works."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"{name} is broken")

        return fail


@pytest.mark.parametrize(
    ("part", "named"),
    [("showing", "live picture"), ("track_log", "log of tracks"), ("clips", "clip")],
)
def test_what_fails_beside_the_judging_costs_no_siren_no_step_and_no_lease(
    holding: SlowHolding, part: str, named: str
) -> None:
    scene, stop, rung = Scene(), threading.Event(), []

    def listen(**_: object) -> None:
        rung.append(time.monotonic())

    signals.siren_wanted.connect(listen)
    parts: dict[str, Any] = {part: Broken()}
    watching = threading.Thread(target=a_watch(holding, scene, stop, **parts).run)
    watching.start()
    try:
        wait_until(lambda: scene.judged > 5, "frames are judged")
        scene.opens = True
        wait_until(lambda: rung, "the siren is rung")
        before = scene.judged
        wait_until(lambda: scene.judged > before + 5, "and frames are judged after it")
        wait_until(Trouble.objects.exists, "it is named")
        assert f"no {named} (" in Trouble.objects.get().text
    finally:
        stop.set()
        watching.join(10)
        signals.siren_wanted.disconnect(listen)
    wait_until(lambda: not upkeeps(), "nobody goes on to renew the lease")
    assert [event.kind for event in EventRow.objects.order_by("step")] == ["opened", "lost"]


def test_a_process_without_a_thread_to_spare_shows_nothing_and_watches(
    holding: SlowHolding, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith(("showing-", "evidence-")):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    scene, stop = Scene(), threading.Event()
    watching = threading.Thread(target=a_watch(holding, scene, stop).run)
    watching.start()
    try:
        scene.opens = True
        wait_until(Episode.objects.exists, "an episode is written")
        wait_until(lambda: scene.judged > 20, "frames are judged")
    finally:
        stop.set()
        watching.join(10)
    wait_until(lambda: not upkeeps(), "the upkeep has ended")
    assert Episode.objects.get().status == EpisodeState.LOST.value
