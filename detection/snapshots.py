"""The pictures of an episode: of its opening, its confirmation and the moment of its peak."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from detection.analysis import Judgement
from detection.domain.episodes import CrimeConfirmed, EpisodeOpened
from detection.domain.zones import Zone
from detection.evidence.privacy import hide, masks_of
from detection.evidence.snapshot import annotated_jpeg, clean_jpeg
from detection.models import EvidenceKind
from detection.outbound import SampledPicture
from detection.ports import Made

# A peak that rises step by step is pictured so often at most, and so much surer each time.
RENEW_SECONDS = 3.0
HIGHER_BY = 1.0  # percentage points


class Hold(Protocol):
    """As EvidenceKeeper.hold."""

    def __call__(
        self, episode_id: UUID, kind: EvidenceKind, make: Callable[[], Made], /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sight:
    judgement: Judgement
    sampled: SampledPicture
    zones: Sequence[Zone]

    @property
    def confidence(self) -> float:
        return max((s.confidence for s in self.judgement.suspicions), default=0.0)


class PeakPictures:
    """Holds at most one picture back: the surest that is not kept yet."""

    def __init__(self, hold: Hold, peaked: Callable[[datetime], None]) -> None:
        """`peaked` is told of each new peak; pictures are made by whoever saves what is held."""
        self._hold = hold
        self._peaked = peaked
        self._episode_id: UUID | None = None
        self._kept = self._peak = 0.0
        self._kept_at: datetime | None = None
        self._waiting: _Sight | None = None

    def begin(self, episode_id: UUID) -> None:
        self._episode_id, self._kept, self._peak = episode_id, 0.0, 0.0
        self._kept_at, self._waiting = None, None

    def see(self, judgement: Judgement, sampled: SampledPicture, zones: Sequence[Zone]) -> bool:
        """Keep the picture where a step was taken in it, or it is the surest for a while.

        Whether one is held now, this one or an earlier one.
        """
        if self._episode_id is None or not judgement.suspicions:
            return False
        sight = _Sight(judgement, sampled, zones)
        if sight.confidence > self._peak:
            self._peak = sight.confidence
            self._peaked(judgement.at)
        if any(isinstance(event, EpisodeOpened | CrimeConfirmed) for event in judgement.events):
            self._keep(sight)
            return True
        if sight.confidence >= self._best + HIGHER_BY:
            self._waiting = sight
        if self._waiting is None or not self._is_due(judgement.at):
            return False
        self._keep(self._waiting)
        return True

    def end(self) -> None:
        """No surer picture will come."""
        if self._waiting is not None:
            self._keep(self._waiting)
        self._episode_id = None

    @property
    def _best(self) -> float:
        return max(self._kept, self._waiting.confidence if self._waiting else 0.0)

    def _is_due(self, at: datetime) -> bool:
        since = (at - self._kept_at).total_seconds() if self._kept_at else RENEW_SECONDS
        return not 0 <= since < RENEW_SECONDS

    def _keep(self, sight: _Sight) -> None:
        assert self._episode_id is not None
        self._kept, self._kept_at, self._waiting = sight.confidence, sight.judgement.at, None
        pictures = _Pictures(sight)
        self._hold(self._episode_id, EvidenceKind.SNAPSHOT, pictures.annotated)
        self._hold(self._episode_id, EvidenceKind.CLEAN_SNAPSHOT, pictures.clean)


class _Pictures:
    """Both pictures of a sight, made by another thread than saw it."""

    def __init__(self, sight: _Sight) -> None:
        self._sight = sight

    def annotated(self) -> Made:
        judgement = self._sight.judgement
        strongest = max(judgement.suspicions, key=lambda suspicion: suspicion.confidence)
        jpeg = annotated_jpeg(
            self._sight.sampled.original,
            tracks=judgement.tracks,
            suspects=[i for s in judgement.suspicions for i in s.track_ids],
            zones=self._sight.zones,
            caption=f"{strongest.crime_type.replace('_', ' ')} {strongest.confidence:.0f} %",
            at=judgement.at,
        )
        return Made(jpeg, self._facts())

    def clean(self) -> Made:
        shown = hide(self._sight.sampled.original, self._sight.zones)
        return Made(clean_jpeg(shown), self._facts())

    def _facts(self) -> dict[str, Any]:
        height, width = self._sight.sampled.original.shape[:2]
        return {
            "captured_at": self._sight.judgement.at.isoformat(),
            "confidence": round(self._sight.confidence, 1),
            "width": width,
            "height": height,
            "masked": bool(masks_of(self._sight.zones)),
        }
