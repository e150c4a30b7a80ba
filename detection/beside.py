"""What the GPU worker adds to answers besides the detector's rows, in the time that this leaves."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detection.close_looking import CloseLooking
from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.pace import SideWork
from detection.frame_judging import FrameJudging


@dataclass(frozen=True, slots=True)
class Extras:
    """What is to be added to the answers of a batch, by camera."""

    judged: Mapping[int, Frame] = field(default_factory=dict)
    looked_at: Mapping[int, CloseUp] = field(default_factory=dict)

    @property
    def cameras(self) -> set[int]:
        return {*self.judged, *self.looked_at}


@dataclass(frozen=True, slots=True)
class Beside:
    """Who looks closely and who judges frames, where there is one; both live on the same time."""

    close: CloseLooking | None = None
    judging: FrameJudging | None = None

    def spend(self, began: float, ended: float) -> None:
        """The detector was busy."""
        for work in self._works():
            work.spare.spend(began, ended)

    def extras(self, frames: Sequence[Frame], answers: Sequence[tuple[int, Answer]]) -> Extras:
        """As many of what is due as keep no answer back for long."""
        judged = self.judging.due(frames, answers) if self.judging else {}
        close_ups = {frame.camera_id: frame.close_up for frame in frames if frame.close_up}
        most = self.close.most_now() if self.close and close_ups else 0
        wanted = [camera for camera, a in answers if camera in close_ups and not a.refusal]
        return Extras(judged, {camera: close_ups[camera] for camera in wanted[:most]})

    def add(self, extras: Extras, camera: int, answer: Answer) -> Answer:
        """The answer with what is found; as it is where that fails."""
        if self.judging and camera in extras.judged:
            began = time.monotonic()
            answer = self.judging.judge(extras.judged[camera], answer)
            if self.close:
                self.close.work.spare.spend(began, time.monotonic())
        if self.close and camera in extras.looked_at:
            began = time.monotonic()
            answer = self.close.look(answer, extras.looked_at[camera])
            if self.judging:
                self.judging.work.spare.spend(began, time.monotonic())
        return answer

    def _works(self) -> list[SideWork]:
        return [one.work for one in (self.close, self.judging) if one]
