"""What another half of the house shows with an episode.

`detection` knows nobody who tells of its episodes. An app that does appends an `EpisodeAddition` to
`ADDITIONS` in its own `admin.py`; it gets a column of the list and a section of the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from detection.admin.presentation import Tone
from detection.models import Episode


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the episode's timeline. `key` names it for scripts and style sheets."""

    key: str
    label: str
    at: datetime
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True)
class Stage:
    """A step on the way from the camera to the back end; `at` is None where it never came.

    `since` is when it could begin, where that is not the end of the stage before.
    """

    key: str
    label: str
    at: datetime | None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A line of a bundle's report: what was told to whom, when, and how it ended."""

    what: str
    at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What goes into a bundle: JSON by file name, without a secret, and lines for its report."""

    files: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[ToldLine] = ()


class EpisodeAddition(Protocol):
    """A column and a section. What they read must come from `prepare`, or be cheap for one row."""

    def prepare(self, episodes: QuerySet[Episode]) -> QuerySet[Episode]:
        """Join and prefetch what `summary` reads, so that no row of the list costs a query."""

    def summary(self, episode: Episode) -> str:
        """A line for the list; text is escaped unless it is marked safe."""

    def section(self, request: HttpRequest, episode: Episode) -> str:
        """A part of the page, as safe HTML with a heading of its own; empty for none."""

    def acts(self, request: HttpRequest, episode: Episode) -> str:
        """Buttons beside the verdict, as safe HTML: forms with `data-act`; empty for none."""

    def marks(self, episode: Episode) -> Sequence[Mark]:
        """Moments for the timeline, in any order."""

    def stages(self, episode: Episode) -> Sequence[Stage]:
        """Stages after the decision, in the order in which they come."""

    def subjects(self, episode: Episode) -> Sequence[Model]:
        """Further rows of which the audit trail is a part of the episode's history."""

    def exported(self, episode: Episode) -> Exported:
        """What a bundle of the episode's evidence holds of it."""


ADDITIONS: list[EpisodeAddition] = []
