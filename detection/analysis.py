"""What is known of one camera's scene: tracks, rules and the open episode, fed answer by answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.domain.episodes import EpisodeEvent, EpisodeMachine, EpisodePolicy
from detection.domain.frames import Answer
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.outbound import SampledPicture
from detection.rules.rule import Rule, RuleOptions
from detection.trackers.bytetrack import ByteTracker

TIMELINE_STEP_SECONDS = 0.5
# Capture times may step back this far without meaning anything.
CLOCK_JITTER_SECONDS = 1.0
MOST_SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """The scene at one frame."""

    at: datetime
    tracks: list[Track]
    suspicions: list[Suspicion]
    events: list[EpisodeEvent]


class SceneAnalysis:
    """Pure but for the tracker: no clock, no network, no database."""

    def __init__(
        self,
        tracker: ByteTracker,
        rules: Sequence[type[Rule]],
        rule_options: RuleOptions,
        policy: EpisodePolicy,
        zones: Sequence[Zone],
    ) -> None:
        self._tracker = tracker
        self._rule_types = rules
        self._rule_options = rule_options
        self.machine = EpisodeMachine(policy)
        self.timeline: list[tuple[float, float]] = []
        self._timeline_start: datetime | None = None
        self._timeline_step = TIMELINE_STEP_SECONDS
        self._last_at: datetime | None = None
        self._was_open = False
        self.use_zones(zones)

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Judge by these zones from now on; what the rules remembered is forgotten."""
        self.zones = tuple(zones)
        self._rules = [rule(self.zones, self._rule_options) for rule in self._rule_types]

    def judge(self, answer: Answer, sampled: SampledPicture) -> Judgement:
        """Follow, suspect and decide on one analysed frame. The answer must hold rows."""
        assert answer.rows is not None
        at = sampled.frame.captured_at
        seconds = (at - self._last_at).total_seconds() if self._last_at else 0.0
        lost = self._follow_clock(at)
        detections = sampled.letterbox.undo(answer.rows)
        tracks = self._tracker.update(detections, answer.names, seconds)
        suspicions = [s for rule in self._rules for s in rule.observe(tracks, at)]
        self._sample(max((s.confidence for s in suspicions), default=0.0), at)
        events = self.machine.observe(suspicions, at)
        return Judgement(at, tracks, suspicions, [*lost, *events])

    def _follow_clock(self, at: datetime) -> list[EpisodeEvent]:
        """A clock that was set back must not leave the camera deaf until it has caught up."""
        before, self._last_at = self._last_at, at
        if before is None or (before - at).total_seconds() <= CLOCK_JITTER_SECONDS:
            return []
        self.use_zones(self.zones)
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
