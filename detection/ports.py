"""The doors of seeing: what adapters must offer, and the errors they may raise."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.moments import Opinion
from detection.domain.packets import PacketRing
from detection.domain.poses import Pose


class DetectorError(Exception):
    """The model cannot be had or run; the message says what to do."""


class Detector(Protocol):
    """A network that finds objects in a batch of letterboxed pictures."""

    class_names: Mapping[int, str]
    input_size: tuple[int, int]  # width, height of the pixels it takes

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Find objects in (n, height, width, 3) BGR pixels.

        Returns for each frame rows (k, 6) float32: x1 y1 x2 y2 confidence class, in input pixels.

        Raises:
            DetectorError: the model could not be run on this batch.
        """
        ...


@dataclass(frozen=True, slots=True)
class CloseLook:
    """What a close look found; places are shares of the detector's input, as in an Answer."""

    opinions: tuple[Opinion, ...] = ()
    bodies: tuple[Pose, ...] = ()


class CloseLooker(Protocol):
    """Looks at what people near each other do."""

    def look(self, close_up: CloseUp) -> CloseLook:
        """Look at one place. Raises DetectorError."""
        ...


class FrameClassifier(Protocol):
    """A network of the operator's own that names what a whole frame shows."""

    class_names: Mapping[int, str]

    def classify(self, pixels: NDArray[np.uint8]) -> list[Opinion]:
        """How likely each wanted class is in (h, w, 3) BGR pixels. Raises DetectorError."""
        ...


def never() -> bool:
    return False


class SourceError(Exception):
    """A stream could not be opened or read. `reason` is one of the reasons of a camera's state."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to open a stream. The address holds a password and is kept out of `repr`.

    Every `frame_skip`-th frame is sampled, at least five a second while `hurry` says so, or as many
    a second as `rate` says. A file plays at its
    own speed, as a camera does; with `begins_at` as fast as it can be read, its first frame dated
    then and the others by the file's time stamps.
    """

    url: str = field(repr=False)
    transport: str = "tcp"
    frame_skip: int = 5
    rate: float | None = None
    hurry: Callable[[], bool] = never
    begins_at: datetime | None = None
    open_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 5.0
    packets: PacketRing | None = field(default=None, repr=False)  # where they are kept as they come


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame: pixels (height, width, 3) BGR where it was sampled, else None.

    `damage` tells which part of the last seconds' frames was damaged or never came, 0 to 1; None
    where it was not looked at.
    """

    captured_at: datetime
    pixels: NDArray[np.uint8] | None
    damage: float | None = None


class FrameSource(Protocol):
    """An open stream."""

    def pictures(self) -> Generator[Picture]:
        """Decode until the stream ends; closing the generator says goodbye to the camera.

        Raises:
            SourceError: the stream could not be opened, or broke.
        """
        ...

    def close(self) -> None:
        """Ask `pictures` to end with the next packet. Safe to call twice and from any thread."""
        ...


class TransportError(Exception):
    """The mailbox is out of reach; transient."""


class FrameMailbox(Protocol):
    """The stream side of the frame transport: one slot and one frame in flight per camera."""

    def post(self, frame: Frame, *, replace: bool) -> bool:
        """Offer a frame; with `replace`, only in place of one that still waits.

        Returns whether the frame now waits. Raises TransportError.
        """
        ...

    def collect(self, camera_id: int, timeout_seconds: float) -> Answer | None:
        """Wait for the camera's answer. Raises TransportError."""
        ...


class FrameQueue(Protocol):
    """The GPU side of the frame transport."""

    def take(self, limit: int) -> list[Frame]:
        """The frames that have waited longest, at most one of a camera. Raises TransportError."""
        ...

    def answer(self, answers: Sequence[tuple[int, Answer]]) -> None:
        """Send (camera id, answer) pairs back. Raises TransportError."""
        ...

    def share_pace(self, change: Callable[[float], float]) -> float:
        """The site's pace, changed by whoever asks first in a second. Raises TransportError."""
        ...


class RegistryError(Exception):
    """The camera registry refused or could not be asked.

    `permanent` where asking again is vain, `unanswered` where it may have done what it was asked.
    """

    def __init__(self, message: str, *, permanent: bool, unanswered: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unanswered = unanswered


class CameraTaken(RegistryError):
    """Another instance watches this camera."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class InstanceFull(RegistryError):
    """This instance holds as many cameras as the registry allows."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


@dataclass(frozen=True, slots=True)
class ListedCamera:
    """A camera as its registry lists it. Credentials are kept out of `repr`."""

    external_id: int
    name: str
    stream_url: str = field(repr=False)
    address: str = ""
    public_address: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    control_password: str = field(default="", repr=False)
    latitude: float | None = None
    longitude: float | None = None
    station_id: int | None = None
    storage_type: str = ""


class CameraRegistry(Protocol):
    """Whoever knows the cameras and says which may be watched from here."""

    def list_cameras(self) -> list[ListedCamera]:
        """The cameras that nobody has claimed. Raises RegistryError."""
        ...

    def claim(self, external_id: int) -> None:
        """Take a camera for this instance. Raises CameraTaken, InstanceFull, RegistryError."""
        ...

    def release(self, external_id: int) -> None:
        """Give a camera back. Raises CameraTaken, RegistryError."""
        ...

    def heartbeat(self, external_ids: Sequence[int]) -> None:
        """Say which cameras this instance is really watching.

        Raises:
            CameraTaken: one of them is not this instance's.
            RegistryError: refused for another reason, or not answered.
        """
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made to be kept, and what its reader must know of it.

    A `Path` names a file made for this alone: who keeps it removes it, kept or not.
    """

    content: bytes | Path
    facts: dict[str, Any] = field(default_factory=dict)


class EvidenceStore(Protocol):
    """Where the files of an episode are kept, out of public reach."""

    def save(self, name: str, content: bytes | Path) -> str:
        """Keep the bytes under this name, replacing an older file; returns the name to open.

        Raises:
            OSError: it is not kept, and nothing half of it.
        """
        ...
