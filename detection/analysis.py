"""What is known of one camera's scene: tracks, rules and the open episode, fed answer by answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from detection.behaviour.lookout import Lookout
from detection.behaviour.sights import Sight
from detection.domain.close_ups import CloseUp
from detection.domain.episodes import EpisodeEvent, EpisodeMachine, EpisodePolicy
from detection.domain.frames import Answer
from detection.domain.fusion import fuse
from detection.domain.geometry import Point
from detection.domain.moments import Moment
from detection.domain.poses import keypoints_by_track
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import PERSON, Track
from detection.outbound import SampledPicture
from detection.rules.rule import Rule
from detection.rules.rule_set import RuleSet
from detection.rules.setup import CameraSetup
from detection.trackers.bytetrack import ByteTracker

TIMELINE_STEP_SECONDS = 0.5
# Capture times may step back this far without meaning anything.
CLOCK_JITTER_SECONDS = 1.0
MOST_SAMPLES = 2_000
LOOKOUT = "lookout for fights"  # as it is named where it fails


@dataclass(frozen=True, slots=True)
class Judgement:
    """The scene at one frame: what rules suspect, by their names, and what that comes to."""

    moment: Moment
    by_rule: list[tuple[str, Suspicion]]
    suspicions: list[Suspicion]
    events: list[EpisodeEvent]

    @property
    def at(self) -> datetime:
        return self.moment.at

    @property
    def tracks(self) -> Sequence[Track]:
        return self.moment.tracks


class SceneAnalysis:
    """Pure but for the tracker: no clock, no network, no database.

    Used by one thread, but for `next_close_up`. Without a tracker it can only `weigh`.
    """

    def __init__(
        self,
        tracker: ByteTracker | None,
        rules: Sequence[type[Rule[Any]]],
        setup: CameraSetup,
        policy: EpisodePolicy,
        lookout: Lookout | None = None,
    ) -> None:
        self._tracker = tracker
        self._lookout = lookout
        self.rules = RuleSet(rules)
        self._policy = policy
        self.machine = EpisodeMachine(policy)
        self.timeline: list[tuple[float, float]] = []
        self._timeline_start: datetime | None = None
        self._timeline_step = TIMELINE_STEP_SECONDS
        self._last_at: datetime | None = None
        self._newest_at: datetime | None = None
        self._was_open = False
        self.use_setup(setup)

    def use_setup(self, setup: CameraSetup) -> None:
        """Judge by this from now on; an open episode goes on, and so do rules it changes not."""
        self.setup = setup
        self._masks = [zone.area for zone in setup.zones if zone.is_overlooked]
        self.rules.follow(setup.zones, setup.settings)
        self.machine.policy = replace(self._policy, thresholds=setup.settings.thresholds())

    def judge(self, answer: Answer, sampled: SampledPicture) -> Judgement:
        """Follow, suspect and decide on one analysed frame. The answer must hold rows."""
        assert answer.rows is not None and self._tracker is not None
        at = sampled.frame.captured_at
        seconds = max(0.0, (at - self._last_at).total_seconds()) if self._last_at else 0.0
        self._tell_the_lookout(answer, sampled)
        detections = sampled.letterbox.undo(answer.rows)
        tracks = self._tracker.update(detections, answer.names, seconds)
        seen = [track for track in tracks if not self._is_masked(track)]
        letterbox = sampled.letterbox
        width, height = letterbox.source_size
        moment = Moment(
            at=at,
            tracks=seen,
            bodies=keypoints_by_track(seen, [letterbox.undo_pose(p) for p in answer.bodies]),
            opinions=[letterbox.undo_opinion(opinion) for opinion in answer.opinions],
            picture=sampled.grey,
            profile=self.setup.profile_at(at),
            aspect=width / height,
            zone_profiles=self.setup.zone_profiles_at(at),
        )
        return self.weigh(moment)

    def next_close_up(self, at: float) -> CloseUp | None:
        """What to look at closely with the frame of this time in seconds. Safe from any thread."""
        try:
            return self._lookout.next_close_up(at) if self._lookout else None
        except Exception as error:  # noqa: BLE001 — fights may go unseen, but not all else
            self.rules.note_failure(LOOKOUT, error)
            return None

    def _tell_the_lookout(self, answer: Answer, sampled: SampledPicture) -> None:
        try:
            if self._lookout:
                self._lookout.see(self._sight(answer, sampled))
        except Exception as error:  # noqa: BLE001 — fights may go unseen, but not all else
            self.rules.note_failure(LOOKOUT, error)

    def wants_more(self) -> bool:
        """Whether more pictures a second than usual are worth their price. Safe from any thread."""
        return self._lookout.is_wanted() if self._lookout else False

    def last_close_ups(self) -> Sequence[CloseUp]:
        """What to look at where nothing will follow."""
        return self._lookout.last_close_ups() if self._lookout else ()

    def _sight(self, answer: Answer, sampled: SampledPicture) -> Sight:
        """The people who may be looked at, in the pixels of the detector's input."""
        assert answer.rows is not None
        people = [row for row in answer.rows if answer.names.get(int(row[5])) == PERSON]
        if self._masks:
            feet = [sampled.letterbox.undo_pixels(row[:4]).feet for row in people]
            people = [
                row for row, place in zip(people, feet, strict=True) if not self._hides(place)
            ]
        rows = np.array(people, np.float32).reshape(-1, answer.rows.shape[1])
        return Sight.of(sampled.frame.captured_at.timestamp(), sampled.frame.pixels, rows)

    def weigh(self, moment: Moment) -> Judgement:
        """Suspect and decide on a moment whose tracks are known, as a replay has them."""
        lost = self._follow_clock(moment.at)
        by_rule = self.rules.observe(moment)
        suspicions = fuse(by_rule)
        self._sample(max((s.confidence for s in suspicions), default=0.0), moment.at)
        events = self.machine.observe(suspicions, moment.at)
        return Judgement(moment, by_rule, suspicions, [*lost, *events])

    def _is_masked(self, track: Track) -> bool:
        return self._hides(track.box.feet if track.is_person else track.box.centre)

    def _hides(self, place: Point) -> bool:
        return any(mask.contains(place) for mask in self._masks)

    def _follow_clock(self, at: datetime) -> list[EpisodeEvent]:
        """A clock that was set back must not leave the camera deaf until it has caught up."""
        newest, self._last_at = self._newest_at, at
        if newest is None or (newest - at).total_seconds() <= CLOCK_JITTER_SECONDS:
            self._newest_at = at if newest is None else max(newest, at)
            return []
        self._newest_at = at
        self.rules.begin_anew()
        self._forget_timeline()
        return self.machine.abandon()

    def _sample(self, confidence: float, at: datetime) -> None:
        """Keep confidence over time from shortly before an episode opens until it ends."""
        ended = self._was_open and not self.machine.is_open
        self._was_open = self.machine.is_open
        if ended or (not self.machine.is_open and confidence < 1.0):
            self._forget_timeline()
        if not self.machine.is_open and confidence < 1.0:
            return
        self._timeline_start = self._timeline_start or at
        offset = (at - self._timeline_start).total_seconds()
        if not self.timeline or offset - self.timeline[-1][0] >= self._timeline_step:
            self.timeline.append((round(offset, 2), round(confidence, 1)))
        if len(self.timeline) > MOST_SAMPLES:  # a long episode is kept whole, but more coarsely
            del self.timeline[1::2]
            self._timeline_step *= 2

    def _forget_timeline(self) -> None:
        self.timeline = []  # a new one: the old may be with the recorder
        self._timeline_start, self._timeline_step = None, TIMELINE_STEP_SECONDS
