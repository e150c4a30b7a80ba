"""What may go wrong with a camera: its stream, its picture, its control port, its claim."""

from collections.abc import Callable

from tests.soak.fault import CAMERA, Blinds, Fault
from tests.soak.site import FilmedCamera, Site


def _nothing(site: Site, part: str) -> None:
    """It was over as soon as it had begun."""


def _of_camera(act: Callable[[FilmedCamera], None]) -> Callable[[Site, str], None]:
    def done(site: Site, part: str) -> None:
        act(site.camera_named(part))

    return done


def _refuse(camera: FilmedCamera) -> None:
    camera.tapo.refuse_rtsp()
    camera.tapo.drop_clients()


def _change_password(camera: FilmedCamera) -> None:
    camera.tapo.change_password(f"another-{camera.password}")
    camera.tapo.drop_clients()


def _send_no_key_frames(camera: FilmedCamera) -> None:
    camera.tapo.suppress_key_frames()
    camera.tapo.drop_clients()


def _send_key_frames(camera: FilmedCamera) -> None:
    camera.tapo.suppress_key_frames(False)
    camera.tapo.drop_clients()


def _lose_packets(camera: FilmedCamera) -> None:
    camera.tapo.packet_loss = 0.5


def _lose_none(camera: FilmedCamera) -> None:
    camera.tapo.packet_loss = 0.0


def _answer_slowly(camera: FilmedCamera) -> None:
    camera.tapo.latency_seconds = 5.0


def _answer_at_once(camera: FilmedCamera) -> None:
    camera.tapo.latency_seconds = 0.0


def _show(story: str) -> Callable[[Site, str], None]:
    def inflict(site: Site, part: str) -> None:
        site.camera_named(part).play(getattr(site.repertoire, story))

    return inflict


def _take_back(site: Site, part: str) -> None:
    site.backend.take_back(site.camera_named(part).number)


def _camera_fault(
    name: str,
    seconds: tuple[float, float],
    inflict: Callable[[FilmedCamera], None],
    mend: Callable[[FilmedCamera], None] = lambda camera: None,
    blinds: Blinds = Blinds.ITS_CAMERA,
    *,
    closes_control: bool = False,
) -> Fault:
    return Fault(
        f"camera {name}",
        CAMERA,
        seconds,
        _of_camera(inflict),
        _of_camera(mend),
        blinds,
        closes_control,
    )


def camera_faults() -> list[Fault]:
    show_own = _of_camera(lambda camera: camera.play(camera.story))
    both_ends, nobody = Blinds.ITS_CAMERA_AT_BOTH_ENDS, Blinds.NOBODY
    of, once = _camera_fault, (0.0, 0.0)
    return [
        of("freezes", (5, 20), lambda c: c.tapo.freeze(), lambda c: c.tapo.unfreeze()),
        of("refuses", (5, 20), _refuse, lambda c: c.tapo.accept_rtsp()),
        of("drops its clients", once, lambda c: c.tapo.drop_clients()),
        of(
            "has another password",
            (8, 15),
            _change_password,
            lambda c: c.tapo.change_password(c.password),
            closes_control=True,
        ),
        of("sends no key frames", (8, 20), _send_no_key_frames, _send_key_frames),
        of("loses half its packets", (5, 20), _lose_packets, _lose_none),
        Fault("camera shows black", CAMERA, (10, 20), _show("black"), show_own, Blinds.ITS_CAMERA),
        Fault(
            "camera sends a smaller picture", CAMERA, (50, 60), _show("small"), show_own, both_ends
        ),
        of(
            "refuses control",
            (5, 20),
            lambda c: c.tapo.refuse_control(),
            lambda c: c.tapo.accept_control(),
            nobody,
            closes_control=True,
        ),
        of(
            "hangs at control",
            (5, 20),
            _answer_slowly,
            _answer_at_once,
            nobody,
            closes_control=True,
        ),
        of("forgets its sessions", once, lambda c: c.tapo.expire_sessions(), blinds=nobody),
        of("fails three requests", once, lambda c: c.tapo.fail_next(3), blinds=nobody),
        of(
            "locks logins",
            (10, 10),
            lambda c: c.tapo.lock_out(10.0),
            blinds=nobody,
            closes_control=True,
        ),
        Fault("back end takes camera back", CAMERA, once, _take_back, _nothing),
    ]
