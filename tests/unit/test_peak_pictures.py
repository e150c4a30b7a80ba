"""Which moments of an episode are pictured: its steps, and its peak whenever that was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest

from detection.analysis import Judgement
from detection.domain.crimes import CrimeType
from detection.domain.episodes import CrimeConfirmed, EpisodeEvent, EpisodeOpened
from detection.domain.frames import Frame
from detection.domain.letterbox import Letterbox
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone, ZoneKind
from detection.models import EvidenceKind
from detection.outbound import SampledPicture
from detection.ports import Made
from detection.snapshots import PeakPictures

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THEFT = CrimeType.THEFT
LEFT = Zone.of("door", ZoneKind.PRIVACY, [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]])
OPENED = EpisodeOpened(NOON, THEFT, 55.0, NOON, "a person")
SURE = CrimeConfirmed(NOON, THEFT, 85.0, NOON, "a person")


class Held:
    """What was held for saving, and when peaks were told, in seconds."""

    def __init__(self) -> None:
        self.made: list[tuple[UUID, EvidenceKind, Callable[[], Made]]] = []
        self.peaks: list[float] = []
        self.pictures = PeakPictures(self._hold, self._peaked)

    def _hold(self, episode_id: UUID, kind: EvidenceKind, make: Callable[[], Made], /) -> None:
        self.made.append((episode_id, kind, make))

    def _peaked(self, at: datetime) -> None:
        self.peaks.append((at - NOON).total_seconds())

    def see(
        self, second: float, confidence: float, *events: EpisodeEvent, zones: tuple[Zone, ...] = ()
    ) -> bool:
        at = NOON + timedelta(seconds=second)
        pixels = np.full((90, 160, 3), 200, np.uint8)
        sampled = SampledPicture(
            Frame(1, 1, at, 0.0, pixels), pixels, Letterbox((160, 90), (640, 384))
        )
        suspicions = [Suspicion(THEFT, confidence, (), "a person")] if confidence else []
        judgement = Judgement(Moment(at, []), [], suspicions, list(events))
        return self.pictures.see(judgement, sampled, zones)

    def kept(self, kind: EvidenceKind = EvidenceKind.SNAPSHOT) -> list[float]:
        return [make().facts["confidence"] for _, of, make in self.made if of is kind]


@pytest.fixture
def held() -> Held:
    held = Held()
    held.pictures.begin(uuid4())
    return held


def test_the_steps_are_pictured_both_ways(held: Held) -> None:
    assert held.see(0, 55, OPENED)
    assert held.see(1, 85, SURE)
    assert held.kept() == held.kept(EvidenceKind.CLEAN_SNAPSHOT) == [55, 85]


def test_a_rising_peak_is_pictured_every_three_seconds_and_none_is_missed(held: Held) -> None:
    held.see(0, 55, OPENED)
    for second in range(1, 9):
        held.see(second, 55 + 4 * second)
    held.see(9, 60)
    assert held.kept() == [55, 67, 79, 87]
    assert held.peaks == list(range(9))


def test_a_peak_that_is_over_soon_is_pictured_all_the_same(held: Held) -> None:
    held.see(0, 55, OPENED)
    held.see(1, 90)
    held.see(1.5, 60)
    assert held.kept() == [55]
    held.pictures.end()
    assert held.kept() == [55, 90]


def test_a_confidence_that_stays_makes_no_more_pictures(held: Held) -> None:
    held.see(0, 95, OPENED)
    for second in range(1, 60):
        held.see(second, 95 + (second % 2) * 0.5)
    held.pictures.end()
    assert held.kept() == [95]


def test_without_an_episode_nothing_is_pictured() -> None:
    held = Held()
    assert not held.see(0, 90)
    held.pictures.begin(uuid4())
    held.see(0, 55, OPENED)
    held.pictures.end()
    assert not held.see(9, 99)
    assert held.kept() == [55]


def test_a_private_zone_is_hidden_in_both(held: Held) -> None:
    held.see(0, 55, OPENED, zones=(LEFT,))
    for _, _, make in held.made:
        made = make()
        assert isinstance(made.content, bytes)
        shown = cv2.imdecode(np.frombuffer(made.content, np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        # Between the name of the zone and the caption.
        assert float(shown[30:50, 5:60].mean()) == pytest.approx(32, abs=3)
        assert float(shown[30:50, 100:150].mean()) == pytest.approx(200, abs=3)
        assert made.facts["masked"]
