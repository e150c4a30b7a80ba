"""Runs the cluster through its faults, mends them all, and waits until the dust has settled."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.soak.fault import Blinds, Fault
from tests.soak.faults import BY_NAME
from tests.soak.sampler import Sampler
from tests.soak.schedule import Planned
from tests.soak.site import Site

logger = logging.getLogger("soak")

TICK_SECONDS = 0.2
START_UP_SECONDS = 120.0
# Between two cameras' stories, so that they do not all see the person at once.
MOST_STAGGER_SECONDS = 4.0
# A report whose sender was killed is free again after 60 s, a claim at the back end after 30 s.
LONGEST_CALM_SECONDS = 150.0


@dataclass
class Inflicted:
    """A fault as it really was; `recovered_at` is when what it struck could work again."""

    fault: Fault
    part: str
    begun_at: float
    mended_at: float | None = None
    recovered_at: float | None = None
    analysed_before: int = 0


@dataclass(frozen=True, slots=True)
class Death:
    """A process that ended although nobody asked it to; it was started again, as a host would."""

    process: str
    status: int
    at: float


class Conductor:
    """`run` once; what happened is in the attributes, also where it was interrupted."""

    def __init__(
        self, site: Site, planned: Sequence[Planned], progress: Callable[[str], None]
    ) -> None:
        self.site = site
        self.sampler = Sampler(site)
        self.inflicted: list[Inflicted] = []
        self.deaths: list[Death] = []
        self.began_at = self.calm_at = self.ended_at = 0.0
        self.settled = False
        self._interrupts = 0
        self._progress = progress
        self._planned = list(planned)
        self._due: list[tuple[float, Inflicted]] = []
        self._unfilmed: list[tuple[float, int]] = []

    def run(self, seconds: float, calm_seconds: float) -> None:
        """Raises KeyboardInterrupt where it was interrupted before every camera was watched."""
        self._start_up()
        self.sampler.start()
        try:
            self._tell_the_story(seconds)
            self._mend_everything()
            self._wait_for_calm(calm_seconds)
        finally:
            self.ended_at = time.time()
            self.sampler.stop()

    @property
    def interrupted(self) -> bool:
        return self._interrupts > 0

    def interrupt(self) -> None:
        """End the story now; asked a second time, do not wait for the calm. For signal handlers."""
        self._interrupts += 1

    # --- phases ------------------------------------------------------------------------------

    def _start_up(self) -> None:
        self._progress("starting the cluster")
        self.site.start()
        deadline = time.monotonic() + START_UP_SECONDS
        while not self.site.all_running():
            self.site.cluster.processes.check()
            if self.interrupted:
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise TimeoutError(f"not every camera is running: {self.site.camera_states()}")
            time.sleep(TICK_SECONDS)

    def _tell_the_story(self, seconds: float) -> None:
        self.began_at = time.time()
        cameras = self.site.cameras
        stagger = min(MOST_STAGGER_SECONDS, self.site.repertoire.busy.seconds / len(cameras))
        self._unfilmed = [(at * stagger, number) for at, number in enumerate(cameras)]
        while (now := time.time() - self.began_at) < seconds and not self.interrupted:
            while self._unfilmed and self._unfilmed[0][0] <= now:
                camera = cameras[self._unfilmed.pop(0)[1]]
                camera.play(camera.story)
            while self._planned and self._planned[0].begins <= now:
                self._inflict(self._planned.pop(0))
            self._mend_due(now)
            self._tick(f"{now / 60:.1f} of {seconds / 60:.1f} min")

    def _mend_everything(self) -> None:
        self._mend_due(float("inf"))
        self.calm_at = time.time()
        for camera in self.site.cameras.values():
            camera.play(self.site.repertoire.empty)

    def _wait_for_calm(self, calm_seconds: float) -> None:
        while (calm := time.time() - self.calm_at) < LONGEST_CALM_SECONDS:
            # In this order: a state that a dead worker left behind may still say RUNNING.
            self.settled = self.sampler.sees_all and self.site.is_settled()
            if (self.settled and calm >= calm_seconds) or self._interrupts > 1:
                return
            self._tick(f"calm for {calm:.0f} s{'' if self.settled else ', not all is told yet'}")

    # --- faults ------------------------------------------------------------------------------

    def _tick(self, where: str) -> None:
        self._note_recoveries()
        self._revive_the_dead()
        under_way = [f"{i.fault.name} ({i.part})" for _, i in self._due]
        self._progress(f"{where} · {self.site.told()} · {', '.join(under_way) or 'no fault'}")
        time.sleep(TICK_SECONDS)

    def _inflict(self, planned: Planned) -> None:
        fault = BY_NAME[planned.fault]
        logger.info("%s: %s, for %.1f s", planned.part, fault.name, planned.ends - planned.begins)
        inflicted = Inflicted(fault, planned.part, time.time())
        self.inflicted.append(inflicted)
        self._due.append((planned.ends, inflicted))
        self._say_who_is_blind()
        fault.inflict(self.site, planned.part)

    def _mend_due(self, now: float) -> None:
        for ends, inflicted in list(self._due):
            if ends > now:
                continue
            inflicted.analysed_before = self.site.frames_analysed()
            inflicted.fault.mend(self.site, inflicted.part)
            inflicted.mended_at = time.time()
            logger.info("%s: mended: %s", inflicted.part, inflicted.fault.name)
            self._due.remove((ends, inflicted))

    def _recovering(self) -> list[Inflicted]:
        return [inflicted for inflicted in self.inflicted if inflicted.recovered_at is None]

    def _note_recoveries(self) -> None:
        """What was mended works again: a worker once it is ready, the model once it answers."""
        for inflicted in self._recovering():
            if inflicted.mended_at is None:
                continue
            part = self.site.parts.get(inflicted.part)
            if part is not None and not part.is_ready:
                continue
            if inflicted.fault.blinds is Blinds.EVERYBODY and (
                self.site.frames_analysed() <= inflicted.analysed_before
            ):
                continue
            inflicted.recovered_at = time.time()
        self._say_who_is_blind()

    def _say_who_is_blind(self) -> None:
        self.sampler.blind = {
            inflicted.part: inflicted.fault.blinds
            for inflicted in self._recovering()
            if inflicted.fault.blinds in (Blinds.EVERYBODY, Blinds.ITS_CAMERA)
        }

    def _revive_the_dead(self) -> None:
        for part in self.site.parts.values():
            status = part.exit_status()
            if status is not None:
                logger.warning("%s ended by itself with status %d", part.child_name, status)
                self.deaths.append(Death(part.child_name, status, time.time()))
                part.start_again()
