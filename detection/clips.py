"""The clips of one camera's episodes, as its watch orders them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from detection.clip_desk import ClipDesk, ClipOptions
from detection.domain.packets import POST_ROLL_SECONDS, PRE_ROLL_SECONDS, PacketRing
from detection.domain.zones import Zone
from detection.evidence.privacy import masks_of
from detection.evidence.spool_folder import ClipOrder
from detection.evidence.spooled_clip import SpooledClip
from detection.evidence.storage import DjangoEvidenceStore
from detection.services.clips import finish_clip


def site_desk() -> ClipDesk | None:
    """By the site's settings; None where no clips are wanted."""
    environment = settings.ENVIRONMENT
    if not environment.clips:
        return None
    options = ClipOptions(
        folder=settings.BASE_DIR / environment.spool_dir,
        max_seconds=environment.clip_max_seconds,
        most_spooled_bytes=environment.spool_max_gb * 1e9,
    )
    return ClipDesk(options, lambda folder: finish_clip(folder, DjangoEvidenceStore()))


class CameraClips:
    """The clips of one camera's episodes. Used by its watch; nothing here waits."""

    def __init__(self, desk: ClipDesk, camera_id: int, ring: PacketRing) -> None:
        self._desk = desk
        self._camera_id = camera_id
        self._ring = ring
        self._clip: SpooledClip | None = None  # of the open episode
        self._ending: list[SpooledClip] = []  # their post-roll may still run

    def begin(self, episode_id: UUID, *, started_at: datetime, zones: Sequence[Zone]) -> None:
        """An episode was opened whose first suspicious picture was captured then."""
        at = started_at.timestamp()
        order = ClipOrder(str(episode_id), self._camera_id, at - PRE_ROLL_SECONDS, peak_at=at)
        self._clip = self._desk.open(order, self._ring, zones)

    def note_peak(self, at: datetime) -> None:
        """The episode was never as sure as at this moment."""
        if self._clip is not None:
            self._clip.note_peak(at.timestamp())

    def mask(self, zones: Sequence[Zone]) -> None:
        """These zones are in force now: whoever is filmed is hidden by them from the beginning."""
        for clip in (self._clip, *self._ending):
            if clip is not None:
                clip.mask(masks_of(zones))

    def end(self, at: datetime) -> None:
        """The episode is over; its post-roll begins."""
        clip, self._clip = self._clip, None
        if clip is not None:
            clip.end(at.timestamp() + POST_ROLL_SECONDS)
            self._ending = [*self._ending[-3:], clip]

    def close(self) -> None:
        """The watch is over: no packets will come."""
        for clip in (self._clip, *self._ending):
            if clip is not None:
                clip.close()
