"""Pages of a queue that may be very long: counted up to a limit, and read by keys first."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from detection.models import Episode

PAGE_LENGTH: Final = 50
FEW: Final = 500
COUNTED: Final = 100_000  # a longer queue is said to be longer, and nobody pages that far


def count_up_to(rows: QuerySet[Episode], limit: int) -> int:
    """How many there are, and never more than `limit`, which bounds what the database reads."""
    return rows.order_by()[:limit].count()


@dataclass(frozen=True)
class QueuePages:
    """`rows` are filtered and in order; `full` gives episodes with all that a card shows.

    Of a search all rows are read, which is done once where few are found.
    """

    rows: QuerySet[Episode]
    full: QuerySet[Episode]
    asked: int
    is_search: bool = False

    @cached_property
    def _few(self) -> list[UUID] | None:
        """The keys of all that a search finds; None for many, or where nothing was searched."""
        if not self.is_search:
            return None
        keys = list(self.rows.order_by().values_list("pk", flat=True)[: FEW + 1])
        return keys if len(keys) <= FEW else None

    @cached_property
    def _found(self) -> QuerySet[Episode]:
        if self._few is None:
            return self.rows
        return Episode.objects.filter(pk__in=self._few).order_by(*self.rows.query.order_by)

    @cached_property
    def _counted(self) -> int:
        return count_up_to(self.rows, COUNTED + 1) if self._few is None else len(self._few)

    @property
    def is_longer(self) -> bool:
        """Whether there are more than are counted and paged through."""
        return self._counted > COUNTED

    @property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @property
    def last(self) -> int:
        return max(1, -(-self.count // PAGE_LENGTH))

    @property
    def number(self) -> int:
        """The page that is asked for, or the nearest that there is."""
        return min(max(1, self.asked), self.last)

    @property
    def first_row(self) -> int:
        return (self.number - 1) * PAGE_LENGTH + 1 if self.count else 0

    @property
    def last_row(self) -> int:
        return min(self.number * PAGE_LENGTH, self.count)

    @cached_property
    def episodes(self) -> list[Episode]:
        """Those of the page. Keys come from an index alone, however deep; rows only for these."""
        start = (self.number - 1) * PAGE_LENGTH
        keys = list(self._found.values_list("pk", flat=True)[start : start + PAGE_LENGTH])
        found = self.full.in_bulk(keys)
        return [found[key] for key in keys if key in found]
