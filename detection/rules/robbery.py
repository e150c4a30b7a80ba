"""Robbery: an armed person near another, or two or more who close in on one and take or cow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.gestures import are_hands_up
from detection.domain.moments import Moment
from detection.domain.reach import apart
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone
from detection.rules.acquaintances import Acquaintance, Acquaintances
from detection.rules.ambushes import Ambush, Ambushes
from detection.rules.grips import Grip, Grips
from detection.rules.places import options_at
from detection.rules.rule import SURE, SUREST, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings

FIRST_SIGHT: Final = 40.0  # one frame alone is never enough for an alert
NEAR_HEIGHTS: Final = 1.5
MOST_GROWTH: Final = 2.5  # whoever is so much taller stands elsewhere
HANDS_UP_SECONDS, HANDS_UP_LOOKS = 1.0, 2
LOOKS_APART_SECONDS: Final = 1.5
RISING_SECONDS: Final = 2.0
LOST_SECONDS: Final = 3.0
MOST_SECONDS_A_FRAME: Final = 1.0


class RobberyOptions(RuleOptions):
    OF_A_CAMERA: ClassVar[frozenset[str]] = RuleOptions.OF_A_CAMERA | {"least_height"}

    armed_seconds: Seconds = Field(
        6.0, description="Time an armed person spends near another that makes robbery sure."
    )


@dataclass(slots=True)
class _RaisedHands:
    since: datetime
    until: datetime
    looks: int = 1

    @property
    def seconds(self) -> float:
        """How long they have been up; 0 until it is more than a gesture."""
        lasted = (self.until - self.since).total_seconds()
        return lasted if self.looks >= HANDS_UP_LOOKS and lasted >= HANDS_UP_SECONDS else 0.0


@dataclass(slots=True)
class _Threat:
    """An armed person near others, for how long they were seen so."""

    seen_at: datetime
    seconds: float = 0.0


class Robbery(Rule[RobberyOptions]):
    """An armed person is near another, or several close in on one who yields.

    To yield is to raise both hands or to lose what was carried. A weapon counts once it was seen to
    move with a person; a cook alone threatens nobody. The options of a zone hold for who is armed,
    or is closed in on, in it.
    """

    NAME = "robbery"
    Options = RobberyOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._people = Acquaintances()
        self._grips = Grips(settings.classes)
        self._ambushes = Ambushes()
        self._hands: dict[int, _RaisedHands] = {}
        self._threats: dict[int, _Threat] = {}

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._people.follow(moment, large_enough(moment.tracks, self.options))
        self._grips.follow(moment, self._people)
        self._ambushes.follow(moment, self._people)
        self._look_at_hands(moment)
        return [
            suspicion
            for one, suspicion in (*self._armed(moment), *self._ambushed(moment))
            if options_at(self, one.box.feet).is_armed_at(moment)
        ]

    def _armed(self, moment: Moment) -> list[tuple[Acquaintance, Suspicion]]:
        suspicions = []
        held = self._grips.held()
        for one in self._people.here:
            if one.id in held and (others := self._near(one, moment.aspect)):
                suspicions.append((one, self._threaten(one, held[one.id], others, moment.at)))
        for armed, threat in list(self._threats.items()):
            if (moment.at - threat.seen_at).total_seconds() > LOST_SECONDS:
                del self._threats[armed]
        return suspicions

    def _threaten(
        self, one: Acquaintance, grip: Grip, others: list[Acquaintance], at: datetime
    ) -> Suspicion:
        threat = self._threats.setdefault(one.id, _Threat(at))
        seconds = (at - threat.seen_at).total_seconds()
        threat.seconds += min(MOST_SECONDS_A_FRAME, seconds) if grip.seen_at == at else 0.0
        threat.seen_at = at
        armed_seconds = options_at(self, one.box.feet).armed_seconds
        confidence = rising(threat.seconds, armed_seconds, FIRST_SIGHT, SURE)
        reason = f"person {one.track_id} holds a {grip.label} near person {others[0].track_id}"
        cowed = [other for other in others if self._hands_up_seconds(other)]
        if cowed:
            beyond = self._hands_up_seconds(cowed[0]) - HANDS_UP_SECONDS
            raised = rising(beyond, RISING_SECONDS, FIRST_SIGHT, SURE)
            confidence = 100 - (100 - confidence) * (100 - raised) / 100
            reason += ", who has both hands up"
        ids = (one.track_id, *(other.track_id for other in cowed or others[:1]))
        return Suspicion(CrimeType.ROBBERY, min(SUREST, confidence), ids, reason)

    def _ambushed(self, moment: Moment) -> list[tuple[Acquaintance, Suspicion]]:
        suspicions = []
        ambushes = self._ambushes.of_two_or_more()
        for one in self._people.here:
            if ambush := ambushes.get(one.id):
                suspicions += [(one, found) for found in self._suspect_ambush(one, ambush)]
        return suspicions

    def _suspect_ambush(self, victim: Acquaintance, ambush: Ambush) -> list[Suspicion]:
        closers = [known for one in ambush.closers if (known := self._people.by_id(one))]
        ids = (victim.track_id, *(known.track_id for known in closers))
        signs = []
        if hands := self._hands_up_seconds(victim):
            signs.append((hands - HANDS_UP_SECONDS, "raises both hands"))
        if ambush.taken is not None:
            signs.append((ambush.taken_seconds, "loses what they carried"))
        if not signs:
            return []
        doubt = 1.0
        for seconds, _ in signs:
            doubt *= 1 - rising(seconds, RISING_SECONDS, FIRST_SIGHT, SURE) / 100
        what = " and ".join(sign for _, sign in signs)
        reason = f"person {victim.track_id}, on whom {len(closers)} closed in, {what}"
        return [Suspicion(CrimeType.ROBBERY, min(SUREST, 100 * (1 - doubt)), ids, reason)]

    def _near(self, one: Acquaintance, aspect: float) -> list[Acquaintance]:
        others = [other for other in self._people.here if other is not one]
        near = [other for other in others if _is_near(one, other, aspect)]
        return sorted(near, key=lambda other: apart(one.box, other.box, aspect))

    def _hands_up_seconds(self, one: Acquaintance) -> float:
        hands = self._hands.get(one.id)
        return hands.seconds if hands else 0.0

    def _look_at_hands(self, moment: Moment) -> None:
        for one in self._people.here:
            body = moment.bodies.get(one.track_id)
            if body is not None and are_hands_up(body):
                hands = self._hands.setdefault(one.id, _RaisedHands(moment.at, moment.at, 0))
                hands.until, hands.looks = moment.at, hands.looks + 1
            elif body is not None:
                self._hands.pop(one.id, None)
        for one_id, hands in list(self._hands.items()):
            if (moment.at - hands.until).total_seconds() > LOOKS_APART_SECONDS:
                del self._hands[one_id]


def _is_near(one: Acquaintance, other: Acquaintance, aspect: float) -> bool:
    tallest = max(one.box.height, other.box.height)
    shortest = min(one.box.height, other.box.height)
    near = apart(one.box, other.box, aspect) <= NEAR_HEIGHTS * tallest
    return near and tallest <= MOST_GROWTH * shortest
