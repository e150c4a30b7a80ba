"""The rules of one camera: what one of them does not see or trips over is not the others' loss."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.thresholds import Thresholds
from detection.domain.zones import Zone
from detection.rules.rule import Rule
from detection.rules.settings import Settings

logger = logging.getLogger(__name__)

SAID_AGAIN = 1_000  # a rule that goes on failing is named again every few minutes


class RuleSet:
    """`failures` counts, by name, the moments that a rule could not judge."""

    def __init__(self, types: Sequence[type[Rule[Any]]]) -> None:
        self._types = types
        self._rules: dict[type[Rule[Any]], Rule[Any]] = {}
        self._views: dict[type[Rule[Any]], object] = {}
        self._setup: tuple[Sequence[Zone], Settings] = ((), Settings())
        self._thresholds: Mapping[str, Mapping[CrimeType, Thresholds]] = {}  # zones with their own
        self._stumbled: set[type[Rule[Any]]] = set()
        self.failures: Counter[str] = Counter()

    def follow(self, zones: Sequence[Zone], settings: Settings) -> None:
        """Judge by these; a rule for which nothing has changed goes on and forgets nothing."""
        self._setup = zones, settings
        own = {zone.name: settings.thresholds_in(zone) for zone in zones}
        self._thresholds = {name: thresholds for name, thresholds in own.items() if thresholds}
        for kind in self._types:
            view = kind.view_of(zones, settings)
            if kind not in self._rules or self._views[kind] != view:
                self._rules[kind], self._views[kind] = kind(zones, settings), view

    def begin_anew(self) -> None:
        """Whatever the rules remembered is forgotten."""
        self._rules.clear()
        self.follow(*self._setup)

    def observe(self, moment: Moment) -> list[tuple[str, Suspicion]]:
        """What is suspected, by the names of the rules."""
        return [(kind.NAME, found) for kind in self._types for found in self._ask(kind, moment)]

    def _ask(self, kind: type[Rule[Any]], moment: Moment) -> list[Suspicion]:
        rule = self._rules[kind]
        try:
            found = rule.observe(moment)
        except Exception as error:  # noqa: BLE001 — no single rule may blind the camera
            self.note_failure(kind.NAME, error)
            self._renew_at_the_second_time(kind)
            return []
        self._stumbled.discard(kind)
        least = rule.options.least_confidence
        return [self._by_its_zone(s) for s in found if s.confidence >= least]

    def _by_its_zone(self, suspicion: Suspicion) -> Suspicion:
        own = self._thresholds.get(suspicion.zone, {}).get(suspicion.crime_type)
        return replace(suspicion, thresholds=own) if own else suspicion

    def note_failure(self, name: str, error: Exception) -> None:
        """Count it, and name it in the log: once, and again after each thousandth."""
        self.failures[name] += 1
        if self.failures[name] % SAID_AGAIN == 1:
            told = "%s cannot judge what it sees, the rules go on (failure %d): %s"
            logger.error(told, name, self.failures[name], error, exc_info=error)

    def _renew_at_the_second_time(self, kind: type[Rule[Any]]) -> None:
        """What a rule remembers may be what it trips over."""
        if kind in self._stumbled:
            self._rules[kind] = kind(*self._setup)
        self._stumbled ^= {kind}
