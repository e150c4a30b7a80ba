"""What a simulated camera is told to be: its account, its firmware's habits, its faults.

Plain values, read at every request, so that a test changes one with an assignment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Event = dict[str, Any]
EventSink = Callable[[Event], None]


@dataclass(kw_only=True, eq=False)
class CameraBehaviour:
    user: str
    password: str = field(repr=False)
    latency_seconds: float = 0.0
    """How long the control port waits before it answers, after it has acted."""
    siren_seconds: float | None = None
    """After how long the siren falls silent by itself; newer firmware: about 3 s, older: 30 s."""
    manual_alarm_supported: bool = True
    siren_status_supported: bool = True
    session_seconds: float = 3600.0
    password_hash: Literal["sha256", "md5"] = "sha256"
    lock_out_after: int = 10
    """Login-phase requests without a success that suspend the logins."""
    lock_out_seconds: float = 1800.0
    max_clients: int = 2
    """RTSP sessions per stream; a Tapo grants two."""
    packet_loss: float = 0.0
    """The share, 0 to 1, of RTP packets that get lost on UDP."""
    video_unavailable: bool = False
    """RTSP answers 404, as with SD recording and Tapo Care both on; control goes on working."""
    key_frames_suppressed: bool = False
    """Clients that begin to play while this is set never get a key frame."""
    pictures_damaged: bool = False
    """Each picture's data arrives with wrong bits in it, over TCP too, as from a dying encoder."""
