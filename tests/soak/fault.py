"""What a fault is, and whom it excuses."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.soak.site import Site

CAMERA = "camera"


class Blinds(StrEnum):
    """Whom a fault keeps from being watched, and so what it excuses. Nothing else excuses."""

    NOBODY = "nobody"
    ITS_CAMERA = "its camera"
    ITS_CAMERA_AT_BOTH_ENDS = "its camera when it begins and when it ends"
    ITS_WATCHER = "the cameras of its watcher"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Fault:
    """`part` is what is struck: a process, `broker`, `database`, `backend`, or any camera."""

    name: str
    part: str
    seconds: tuple[float, float]
    inflict: Callable[[Site, str], None]
    mend: Callable[[Site, str], None]
    blinds: Blinds = Blinds.NOBODY
    closes_control: bool = False
    """The camera cannot be told to be silent meanwhile."""
