"""The packets of one episode, taken from its camera's ring into a folder until the post-roll ends.

A part ends where masks or the stream's format change. What lies under a
privacy mask is painted over before anything of it is written.
"""

import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from detection.domain.packets import CodedPacket, Coding, PacketRing
from detection.evidence.parameter_sets import plays_in_browsers
from detection.evidence.spool import SpoolWriter
from detection.evidence.spool_folder import ClipOrder, FolderLock, Masks, corners_of, part_path
from detection.evidence.transcoding import Transcoder

# After the post-roll should be over by this host's clock: a camera that fell silent sends no end.
GRACE_SECONDS = 10.0
# A packet this much later than wanted is the first after the wanted moment, and nothing is missing.
_TOLERANCE_SECONDS = 0.25


class SpooledClip:
    """`end`, `mask`, `note_peak` and `close` are the watch's; `pull` is called by one other thread.

    Nothing that the watch calls waits for a disk.
    """

    def __init__(
        self, folder: Path, order: ClipOrder, ring: PacketRing, masks: Masks, max_seconds: float
    ) -> None:
        self.folder = folder
        self._order = order
        self._ring = ring
        self._masks = masks
        self._max_seconds = max_seconds
        self._ends_at: float | None = None
        self._over_at: float | None = None  # monotonic
        self._closed = False
        self._lock: FolderLock | None = None
        self._number = self._segment = 0  # of the packet taken last
        self._at = 0.0
        self._began: float | None = None
        self._coding: Coding | None = None
        self._burnt: Masks = ()
        self._transcoder: Transcoder | None = None
        self._writer: SpoolWriter | None = None
        self._said: dict[str, Any] | None = None
        self.pulling = Lock()  # held by the thread that pulls

    # --- the watch's side ------------------------------------------------------------------------

    @property
    def is_recoded(self) -> bool:
        """Whether taking packets costs the time of decoding and coding them."""
        if self._masks or self._transcoder is not None:
            return True
        newest = self._ring.newest
        return newest is not None and not plays_in_browsers(newest.coding)

    def note_peak(self, at: float) -> None:
        self._order.peak_at = at

    def mask(self, masks: Masks) -> None:
        """Paint these over as well, on the whole of the clip."""
        self._masks = (*self._masks, *(mask for mask in masks if mask not in self._masks))

    def end(self, at: float) -> None:
        """Nothing later than this is wanted."""
        self._ends_at = at
        self._over_at = time.monotonic() + max(0.0, at - time.time()) + GRACE_SECONDS

    def close(self) -> None:
        """No more packets will come."""
        self._closed = True

    # --- whoever pulls ---------------------------------------------------------------------------

    def pull(self) -> bool:
        """Take what is new; whether that was the last. Raises OSError."""
        closed, is_first = self._closed, self._lock is None
        if is_first:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.folder, is_new=True)
        masks = self._masks
        packets = self._packets(masks, is_first=is_first)
        is_last = closed or self._is_overdue()
        for packet in packets:
            if self._is_beyond(packet):
                is_last = True
                break
            self._take(packet, masks)
        if self._writer is not None:
            self._writer.flush()
        self._write_order(masks)
        return is_last

    def finish(self) -> None:
        """Write what is still inside and leave the folder to whoever makes the clip of it."""
        try:
            self._end_part()
            self._write_order(self._masks)
        finally:
            if self._lock is not None:
                self._lock.free()

    def give_up(self) -> None:
        """The disk takes no more: what was written is what there is."""
        self._order.is_cut = True
        with suppress(OSError):
            if self._writer is not None:
                self._writer.close()
            self._order.write(self.folder)
        if self._lock is not None:
            self._lock.free()

    def _packets(self, masks: Masks, *, is_first: bool) -> list[CodedPacket]:
        """What is new; where masks have changed, the group of pictures before once more.

        A part is decoded by itself, and whoever makes the clip leaves out what an earlier one has.
        """
        if is_first:
            return self._ring.since(self._order.begins_at)
        if self._writer is None or masks == self._burnt:
            return self._ring.after(self._number)
        again = self._ring.since(self._at)
        if not again or again[0].number > self._number:
            self._order.is_cut = True  # until the next key frame
            return self._ring.after(self._number)
        self._number = again[0].number - 1
        return again

    def _is_overdue(self) -> bool:
        return self._over_at is not None and time.monotonic() > self._over_at

    def _is_beyond(self, packet: CodedPacket) -> bool:
        if self._began is not None and packet.at - self._began > self._max_seconds:
            self._order.is_cut = True
            return True
        return self._ends_at is not None and packet.at > self._ends_at

    def _take(self, packet: CodedPacket, masks: Masks) -> None:
        if self._began is None:
            if not packet.is_key:
                return
            self._began = packet.at
            late = packet.at - self._order.begins_at
            self._order.is_cut = self._order.is_cut or late > _TOLERANCE_SECONDS
        elif (packet.number, packet.segment) != (self._number + 1, self._segment):
            self._order.is_cut = True
        self._number, self._segment, self._at = packet.number, packet.segment, packet.at
        if self._writer is None or packet.coding != self._coding or masks != self._burnt:
            self._begin_part(packet.coding, masks)
        assert self._writer is not None
        self._writer.write(
            [packet] if self._transcoder is None else self._transcoder.take([packet])
        )

    def _begin_part(self, coding: Coding, masks: Masks) -> None:
        self._end_part()
        self._coding, self._burnt = coding, masks
        copied = plays_in_browsers(coding) and not masks
        self._transcoder = None if copied else Transcoder(masks)
        self._order.parts.append(
            {"masks": corners_of(masks), "re_encoded": self._transcoder is not None}
        )
        self._write_order(masks)
        self._writer = SpoolWriter(part_path(self.folder, len(self._order.parts)))

    def _end_part(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            if self._transcoder is not None:
                writer.write(self._transcoder.finish())
            self._order.is_cut = self._order.is_cut or writer.has_gap
        finally:
            writer.close()

    def _write_order(self, masks: Masks) -> None:
        self._order.masks = corners_of(masks)
        said = asdict(self._order)
        if said != self._said:
            self._order.write(self.folder)
            self._said = said
