"""Films a watched scene: each judged picture with what was made of it."""

from detection.analysis import SceneAnalysis
from detection.domain.episodes import (
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeOpened,
    Thresholds,
)
from detection.evidence.confidence_strip import ConfidenceStrip
from detection.evidence.drawing import AMBER, GREY, RED
from detection.evidence.film import Film
from detection.evidence.scene_picture import scene_picture
from detection.foreground import Seen
from detection.management.telling import Clock

_MARKS = {EpisodeOpened: AMBER, CrimeConfirmed: RED, EpisodeEnded: GREY}


class SceneFilm:
    """Draws with the zones and thresholds that are in force."""

    def __init__(self, film: Film, scene: SceneAnalysis, clock: Clock) -> None:
        self._film = film
        self._scene = scene
        self._clock = clock
        self._strip = ConfidenceStrip()

    def add(self, seen: Seen) -> None:
        """Raises FilmError."""
        judgement = seen.judgement
        by_rule: dict[str, float] = {}
        for rule, suspicion in judgement.by_rule:
            by_rule[rule] = max(suspicion.confidence, by_rule.get(rule, 0.0))
        fused = max((suspicion.confidence for suspicion in judgement.suspicions), default=0.0)
        self._strip.note(judgement.at, by_rule, fused)
        for event in judgement.events:
            if colour := _MARKS.get(type(event)):
                self._strip.mark(event.at, colour)
        picture = scene_picture(
            seen.sampled.original,
            tracks=judgement.tracks,
            suspicions=judgement.suspicions,
            zones=self._scene.setup.zones,
            state=self._scene.machine.state,
            strip=self._strip,
            thresholds=self._thresholds(seen),
            clock=self._clock.spell(judgement.at),
        )
        self._film.add(picture, judgement.at)

    def _thresholds(self, seen: Seen) -> Thresholds:
        """Those of the surest suspicion's type; without one, what holds for most."""
        policy, suspicions = self._scene.machine.policy, seen.judgement.suspicions
        if not suspicions:
            return Thresholds(policy.alert_threshold, policy.crime_threshold)
        return policy.of(max(suspicions, key=lambda one: one.confidence).crime_type)
