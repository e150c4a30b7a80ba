"""What may go wrong: whom each fault strikes, how it is inflicted and mended, for how long."""

import threading
from collections.abc import Callable

from tests.soak.camera_faults import camera_faults
from tests.soak.fault import Blinds, Fault
from tests.soak.parts import Part
from tests.soak.site import STREAM_PARTS, Site

# --- processes -----------------------------------------------------------------------------------


def _of_part(act: Callable[[Part], None]) -> Callable[[Site, str], None]:
    return lambda site, part: act(site.parts[part])


_kill, _terminate = _of_part(Part.kill), _of_part(Part.terminate)
_start_again = _of_part(Part.start_again)
_pause, _resume = _of_part(Part.pause), _of_part(Part.resume)

BLINDED_BY = {
    **dict.fromkeys(STREAM_PARTS, Blinds.ITS_WATCHER),
    "gpu": Blinds.EVERYBODY,
}


def _process_faults() -> list[Fault]:
    found = []
    for part in (*STREAM_PARTS, "gpu", "alarms", "reports", "beat"):
        blinds = BLINDED_BY.get(part, Blinds.NOBODY)
        shortly = (3.0, 6.0) if part == "gpu" else (3.0, 10.0)
        found.append(Fault(f"kill -9 {part}", part, shortly, _kill, _start_again, blinds))
        found.append(Fault(f"pause {part}", part, (5.0, 20.0), _pause, _resume, blinds))
        if part in STREAM_PARTS:
            asked = Fault(f"terminate {part}", part, (6.0, 10.0), _terminate, _start_again, blinds)
            found.append(asked)
    return found


# --- broker, database, back end ------------------------------------------------------------------


def _kill_broker(site: Site, _: str) -> None:
    site.broker_up = False
    site.broker.kill()


def _start_broker(site: Site, _: str) -> None:
    site.broker.start()
    site.broker_up = True


def _freeze_broker(site: Site, _: str) -> None:
    site.broker_up = False
    site.broker_gate.freeze()


def _thaw_broker(site: Site, _: str) -> None:
    site.broker_gate.open()
    site.broker_up = True


def _cut_database(site: Site, _: str) -> None:
    site.database_gate.cut()


def _freeze_database(site: Site, _: str) -> None:
    site.database_gate.freeze()


def _open_database(site: Site, _: str) -> None:
    site.siren_awaited.set()
    if site.siren_watch is not None:
        site.siren_watch.join()  # it must not cut what is opened here
    site.database_gate.open()


def _cut_database_when_a_siren_sounds(site: Site, _: str) -> None:
    """Breaks every connection at that moment; new ones are let through again at the mending."""
    site.siren_awaited.clear()

    def watch() -> None:
        while not site.siren_awaited.wait(0.05):
            if any(camera.tapo.siren_on for camera in site.cameras.values()):
                site.database_gate.cut()
                return

    site.siren_watch = threading.Thread(target=watch, daemon=True)
    site.siren_watch.start()


def _answers(
    kind: str, path: str | None = None, *, after: bool = False
) -> Callable[[Site, str], None]:
    def inflict(site: Site, _: str) -> None:
        site.backend.fault(kind, path, after=after)

    return inflict


def _answers_one_camera(kind: str) -> Callable[[Site, str], None]:
    def inflict(site: Site, _: str) -> None:
        site.backend.fault(kind, camera_id=min(site.cameras))

    return inflict


def _answer_truly(site: Site, _: str) -> None:
    site.backend.clear_faults()


def _stop_backend(site: Site, _: str) -> None:
    site.backend.stop()


def _start_backend(site: Site, _: str) -> None:
    site.backend.start()


TABLE: list[Fault] = [
    *_process_faults(),
    Fault("kill broker", "broker", (0.5, 5), _kill_broker, _start_broker),
    Fault("freeze broker", "broker", (2, 5), _freeze_broker, _thaw_broker),
    Fault("cut database", "database", (5, 30), _cut_database, _open_database),
    Fault("freeze database", "database", (5, 30), _freeze_database, _open_database),
    Fault(
        "cut database when a siren sounds",
        "database",
        (10, 20),
        _cut_database_when_a_siren_sounds,
        _open_database,
    ),
    Fault("back end is down", "backend", (5, 30), _stop_backend, _start_backend),
    Fault("back end answers 500", "backend", (5, 30), _answers("status:500"), _answer_truly),
    Fault("back end hangs", "backend", (5, 20), _answers("hang:30"), _answer_truly),
    Fault("back end resets", "backend", (5, 20), _answers("reset"), _answer_truly),
    Fault(
        "back end loses its answers",
        "backend",
        (5, 20),
        _answers("reset", after=True),
        _answer_truly,
    ),
    Fault("back end says no JSON", "backend", (5, 20), _answers("not_json"), _answer_truly),
    Fault(
        "back end hangs at one camera's reports",
        "backend",
        (5, 30),
        _answers_one_camera("hang:30"),
        _answer_truly,
    ),
    Fault(
        "back end answers 403 to one camera's reports",
        "backend",
        (5, 30),
        _answers_one_camera("status:403"),
        _answer_truly,
    ),
    *camera_faults(),
]
BY_NAME = {fault.name: fault for fault in TABLE}
