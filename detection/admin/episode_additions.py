"""What another half of the house shows with an episode.

`detection` knows nobody who tells of its episodes. An app that does appends an `EpisodeAddition` to
`ADDITIONS` in its own `admin.py`; it gets a column of the list and a section of the page.
"""

from typing import Protocol

from django.db.models import QuerySet
from django.http import HttpRequest

from detection.models import Episode


class EpisodeAddition(Protocol):
    """A column and a section. What they read must come from `prepare`, or be cheap for one row."""

    def prepare(self, episodes: QuerySet[Episode]) -> QuerySet[Episode]:
        """Join and prefetch what `summary` reads, so that no row of the list costs a query."""

    def summary(self, episode: Episode) -> str:
        """A line for the list; text is escaped unless it is marked safe."""

    def section(self, request: HttpRequest, episode: Episode) -> str:
        """A part of the page, as safe HTML with a heading of its own; empty for none."""


ADDITIONS: list[EpisodeAddition] = []
