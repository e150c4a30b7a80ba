"""One stream from its first picture to its last, in this process: no broker, no back end, no rows.

What `manage.py watch` shows and `manage.py evaluate` measures is judged here as in a watch task.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from detection.analysis import Judgement, SceneAnalysis
from detection.domain.episodes import EpisodeEvent
from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.frame_judging import FrameJudging
from detection.outbound import SampledPicture
from detection.ports import CloseLook, CloseLooker, Detector, FrameSource, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A sampled picture and what was made of it."""

    sampled: SampledPicture
    judgement: Judgement


@dataclass(frozen=True, slots=True, eq=False)
class _Analysed:
    sampled: SampledPicture
    answer: Answer

    @property
    def at(self) -> datetime:
        return self.sampled.frame.captured_at


class Foreground:
    """Judges every sampled picture of a source, as fast as it comes.

    Without a `looker` nobody looks closely at people near each other, and no fight is seen;
    `judging` adds what a classifier of the operator's own holds of frames.
    """

    def __init__(
        self,
        source: FrameSource,
        detector: Detector,
        scene: SceneAnalysis,
        looker: CloseLooker | None = None,
        judging: FrameJudging | None = None,
    ) -> None:
        self._source = source
        self._looker = looker
        self._judging = judging
        self._detector = detector
        self._scene = scene
        self._letterbox: Letterbox | None = None
        self._sequence = 0

    def run(self) -> Generator[Seen]:
        """Judge until the stream ends or is closed. Raises SourceError, DetectorError.

        Closing the generator hangs up.
        """
        last: _Analysed | None = None
        with closing(self._source.pictures()) as pictures:
            for picture in pictures:
                if picture.pixels is not None:
                    sampled = self._sample(picture)
                    answer = self._analyse(sampled.frame)
                    before, last = last, _Analysed(sampled, answer)
                    apart = last.at - before.at if before else timedelta(0)
                    yield Seen(sampled, self._scene.judge(answer, sampled))
        if last is not None and apart > timedelta(0):
            yield from self._look_back(last, apart)

    def close(self) -> None:
        """Let `run` end with the next picture. Safe to call twice, and from a signal's handler."""
        self._source.close()

    def finish(self) -> list[EpisodeEvent]:
        """Say that nothing more will come: an episode that is still open ends as lost."""
        return self._scene.machine.abandon()

    def _look_back(self, last: "_Analysed", apart: timedelta) -> Iterator[Seen]:
        """In a stream the next picture would bring what the last seconds deserve: so here."""
        if self._looker is None:
            return
        looks = [self._looker.look(close_up) for close_up in self._scene.last_close_ups()]
        if not looks:
            return
        answer = replace(
            last.answer,
            opinions=tuple(opinion for look in looks for opinion in look.opinions),
            bodies=tuple(body for look in looks for body in look.bodies),
        )
        frame = replace(last.sampled.frame, captured_at=last.at + apart)
        sampled = replace(last.sampled, frame=frame)
        yield Seen(sampled, self._scene.judge(answer, sampled))

    def _sample(self, picture: Picture) -> SampledPicture:
        assert picture.pixels is not None
        height, width = picture.pixels.shape[:2]
        if self._letterbox is None or self._letterbox.source_size != (width, height):
            self._letterbox = Letterbox((width, height), self._detector.input_size)
        self._sequence += 1
        at: datetime = picture.captured_at
        pixels = self._letterbox.apply(picture.pixels)
        frame = Frame(0, self._sequence, at, at.timestamp(), pixels)
        return SampledPicture(frame, picture.pixels, self._letterbox)

    def _analyse(self, frame: Frame) -> Answer:
        rows = self._detector.detect(np.stack([frame.pixels]))[0]
        close_up = self._scene.next_close_up(frame.captured_at.timestamp())
        found = self._looker.look(close_up) if self._looker and close_up else CloseLook()
        answer = Answer(
            frame.sequence,
            rows,
            dict(self._detector.class_names),
            opinions=found.opinions,
            bodies=found.bodies,
        )
        if self._judging and self._judging.wants(frame, answer):
            answer = self._judging.judge(frame, answer)
        return answer
