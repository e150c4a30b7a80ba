"""Theft: a thing that stood still goes with somebody who did not bring it."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.looks import Sight
from detection.domain.moments import Moment
from detection.domain.objects import PARKED, THINGS
from detection.domain.reach import is_hidden
from detection.domain.suspicions import Suspicion
from detection.domain.zones import Zone
from detection.rules.acquaintances import Acquaintances
from detection.rules.belongings import Belonging, Belongings
from detection.rules.losses import Absence, Loss, has_dwelt, sight_of, suspects_of
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SUREST, Rule, RuleOptions, large_enough
from detection.rules.settings import Percent, Seconds, Settings

FIRST_SIGHT: Final = 40.0  # one frame alone is never enough for an alert
UNPROVED: Final = 75.0  # the place itself was not seen empty
MOST_SECONDS_A_FRAME: Final = 2.0
TOLD_SECONDS: Final = 10.0


class TheftOptions(RuleOptions):
    OF_A_CAMERA: ClassVar[frozenset[str]] = RuleOptions.OF_A_CAMERA | {
        "least_height", "rest_seconds", "things"
    }  # fmt: skip

    rest_seconds: Seconds = Field(
        3.0, description="Standstill after which a thing counts as put down."
    )
    missed_seconds: Seconds = Field(
        8.0, description="Absence that means a theft where no picture proves one."
    )
    ownerless_confidence: Percent = Field(
        40.0,
        description="Highest confidence where nobody was seen to bring the thing, or where it is "
        "one that is parked: who takes it may own it.",
    )
    absent_owner_confidence: Percent = Field(
        70.0,
        description="Highest confidence where the owner was out of sight before the taker came: "
        "they may be one and the same.",
    )
    things: tuple[str, ...] = Field(
        tuple(sorted(THINGS)), description="The labels of what can be stolen."
    )


class Theft(Rule[TheftOptions]):
    """What stood still is seen to move away with a stranger, or is gone after a stranger was there.

    Who brought it, or was at it when it came to rest, is no stranger. Surest where the owner was
    still in view when the taker came. A zone's options hold for what stands in it.
    """

    NAME = "theft"
    Options = TheftOptions
    HEEDS_EVERY_ZONE = True
    NEEDS_PICTURES = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._people = Acquaintances()
        self._belongings = Belongings(self.options.things, self.options.rest_seconds)
        self._absences: dict[Belonging, Absence] = {}
        self._losses: dict[Belonging, Loss] = {}
        self._last_at: datetime | None = None

    def observe(self, moment: Moment) -> list[Suspicion]:
        apart = (moment.at - self._last_at).total_seconds() if self._last_at else 0.0
        self._last_at = moment.at
        self._people.follow(moment, large_enough(moment.tracks, self.options))
        self._belongings.follow(moment, self._people)
        for belonging in self._belongings:
            if belonging in self._losses or belonging.stands(self.options.rest_seconds):
                self._judge(belonging, moment, apart)
        self._forget_the_told(moment.at)
        return [
            self._suspect(belonging, loss)
            for belonging, loss in self._losses.items()
            if self._options_for(belonging).is_armed_at(moment)
        ]

    def _options_for(self, belonging: Belonging) -> TheftOptions:
        """Those of the place where it stood."""
        return options_at(self, belonging.box.feet)

    def _judge(self, belonging: Belonging, moment: Moment, apart: float) -> None:
        if belonging.is_seen_at_place(moment.aspect):
            self._clear(belonging)
            return
        loss = self._losses.get(belonging)
        # A thing that was seen to leave is not hidden by somebody whom the network misses.
        hidden = is_hidden(belonging.box, self._people.before(moment, missed=loss is None))
        sight = Sight.UNCLEAR if hidden else sight_of(belonging, moment)
        seconds = min(apart, MOST_SECONDS_A_FRAME)
        if sight is Sight.SAME:
            belonging.there_at = moment.at
            self._clear(belonging)
        elif loss and (loss.is_accounted_for or belonging.seen is not None):
            loss.seconds += seconds
        elif belonging.seen is not None:
            self._note_leaving(belonging, moment, apart)
        elif not hidden:
            self._note_absence(belonging, sight, moment.at, seconds, apart)

    def _clear(self, belonging: Belonging) -> None:
        self._absences.pop(belonging, None)
        self._losses.pop(belonging, None)

    def _note_leaving(self, belonging: Belonging, moment: Moment, apart: float) -> None:
        """The thing itself is seen elsewhere."""
        assert belonging.seen is not None
        carriers = self._people.in_reach(belonging.seen.box, moment.aspect)
        suspects = suspects_of(belonging, moment.at, apart)
        if carriers & suspects and not belonging.owners & (carriers | suspects):
            self._lose(belonging, carriers & suspects, moment.at, FIRST_SIGHT, SUREST, "left with")
        else:
            belonging.move_to(belonging.seen, moment.at, belonging.owners | carriers)
            self._absences.pop(belonging, None)

    def _note_absence(
        self, belonging: Belonging, sight: Sight, at: datetime, seconds: float, apart: float
    ) -> None:
        """The thing is not seen, and nobody stands before its place."""
        absence = self._absences.get(belonging)
        if absence is None:
            absence = self._absences[belonging] = Absence(at)
        else:
            absence.unseen_seconds += seconds
        proved = absence.is_proved(sight, at)
        if proved or absence.unseen_seconds >= self._options_for(belonging).missed_seconds:
            self._account_for(belonging, absence, proved=proved, apart=apart, at=at)

    def _account_for(
        self, belonging: Belonging, absence: Absence, *, proved: bool, apart: float, at: datetime
    ) -> None:
        takers = {
            one
            for one in suspects_of(belonging, belonging.there_at, apart)
            if belonging.visits[one].since <= absence.since
        }
        if belonging.owners & takers:
            takers.clear()
        elif not proved:
            takers = {one for one in takers if has_dwelt(belonging, one)}
        if takers:
            ceiling = SUREST if proved else UNPROVED
            self._lose(belonging, takers, at, POSSIBLE, ceiling, "vanished beside")
        else:
            self._belongings.forget(belonging)
        self._absences.pop(belonging, None)

    def _lose(
        self,
        belonging: Belonging,
        takers: set[int],
        at: datetime,
        floor: float,
        ceiling: float,
        how: str,
    ) -> None:
        taker = max(takers, key=lambda one: belonging.visits[one].seconds)
        ceiling = min(ceiling, self._ceiling(belonging, taker))
        self._losses[belonging] = Loss(taker, at, floor, ceiling, f"{belonging.label} {how}")

    def _ceiling(self, belonging: Belonging, taker: int) -> float:
        if not belonging.owners:
            return self._options_for(belonging).ownerless_confidence
        came = self._people.by_id(taker)
        for one in belonging.owners:
            owner = self._people.by_id(one)
            if owner is None or came is None or owner.last_seen_at < came.first_seen_at:
                return self._where_the_owner_is_away(belonging)
        return SUREST

    def _where_the_owner_is_away(self, belonging: Belonging) -> float:
        options = self._options_for(belonging)
        if belonging.label in PARKED:
            return options.ownerless_confidence
        return options.absent_owner_confidence

    def _suspect(self, belonging: Belonging, loss: Loss) -> Suspicion:
        taker = self._people.by_id(loss.taker)
        person = taker.track_id if taker else loss.taker
        whose = "who did not bring it" if belonging.owners else "nobody knows whose"
        reason = f"{loss.reason} person {person}, {whose}"
        return Suspicion(CrimeType.THEFT, loss.confidence, (person, belonging.track_id), reason)

    def _forget_the_told(self, at: datetime) -> None:
        for belonging, loss in self._losses.items():
            if (at - loss.since).total_seconds() > TOLD_SECONDS:
                self._belongings.forget(belonging)
        alive = set(self._belongings)
        self._absences = {one: absence for one, absence in self._absences.items() if one in alive}
        self._losses = {one: loss for one, loss in self._losses.items() if one in alive}
