"""The pace of telling: a row for each back end says when the next report may go.

Every worker of every host takes its turn from that row by a conditional UPDATE, so the rate holds
for all of them together. While a back end is away the same row lets one attempt through at a time.
"""

import logging
import random
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When

from detection.services import troubles
from detection.services.claims import database_now
from integrations.models import Delivery, DeliveryStatus, Outlet
from integrations.ports import IntegrationError

logger = logging.getLogger(__name__)

# So long a report may wait in a thread for its turn; the sweep rings those that gave up.
TURN_SECONDS = 2.0
# So long the one attempt on a back end that is away keeps others back; it renews this.
PROBE_SECONDS = 8.0
FIRST_PROBE_PAUSE_SECONDS = 1.0
LONGEST_PROBE_PAUSE_SECONDS = 3.0
LONGEST_PAUSE_ASKED_SECONDS = 300.0
# What may be a single report's own fault (500, 409 …) tells of the back end when it repeats.
FAILURES_IN_A_ROW = 3
# A report that the back end, though it took others, failed to take so often is itself at fault.
SUSPECT_FAILURES = 3


def is_away(*, reporter: str) -> bool:
    """Whether the back end is known to be out of reach."""
    return Outlet.objects.filter(reporter=reporter, down_since__isnull=False).exists()


def may_be_asked(*, reporter: str, at: datetime) -> bool:
    """Whether a ring is worth sending now: the back end answers, or is to be tried again."""
    outlet = Outlet.objects.filter(reporter=reporter).first()
    return outlet is None or outlet.down_since is None or outlet.next_turn_at <= at


def take_turn(*, reporter: str) -> bool:
    """Wait for the next free turn and take it; False where the back end is away or many wait."""
    deadline = time.monotonic() + TURN_SECONDS
    while True:
        now = database_now()
        outlet = _outlet(reporter, now)
        left = (outlet.next_turn_at - now).total_seconds()
        if left <= 0 or left > LONGEST_PAUSE_ASKED_SECONDS:  # the latter: a clock was set back
            if _take(outlet, now):
                return True
        elif outlet.down_since is not None:
            return False
        if time.monotonic() > deadline:
            return False
        time.sleep(min(max(left, 0.005), 0.1))


def _outlet(reporter: str, now: datetime) -> Outlet:
    outlet = Outlet.objects.filter(reporter=reporter).first()
    if outlet is None:
        try:
            with transaction.atomic():
                return Outlet.objects.create(reporter=reporter, next_turn_at=now)
        except IntegrityError:  # another worker was quicker
            return Outlet.objects.get(reporter=reporter)
    return outlet


def _take(outlet: Outlet, now: datetime) -> bool:
    interval = timedelta(seconds=1 / settings.ENVIRONMENT.deliveries_per_second)
    probe = timedelta(seconds=PROBE_SECONDS)
    unchanged = Outlet.objects.filter(
        reporter=outlet.reporter, next_turn_at=outlet.next_turn_at, down_since=outlet.down_since
    )
    next_turn_at = now + (interval if outlet.down_since is None else probe)
    return unchanged.update(next_turn_at=next_turn_at) == 1


def hold_turn(*, reporter: str) -> None:
    """Keep others back while the one attempt on a back end that is away goes on."""
    until = database_now() + timedelta(seconds=PROBE_SECONDS)
    Outlet.objects.filter(reporter=reporter, down_since__isnull=False).update(next_turn_at=until)


def note_answer(*, reporter: str) -> None:
    """The back end answers; if it was away, all that waits for it is due, at the usual pace.

    But not a report that is at fault itself: it would make it look away again at once.
    """
    now = database_now()
    well: dict[str, Any] = {"failures": 0, "last_error": "", "recoveries": F("recoveries") + 1}
    rows = Outlet.objects.filter(reporter=reporter)
    if rows.filter(down_since__isnull=False).update(down_since=None, next_turn_at=now, **well):
        waiting = Delivery.objects.filter(reporter=reporter, status=DeliveryStatus.PENDING)
        paused = waiting.filter(next_attempt_at__gt=now, failures__lt=SUSPECT_FAILURES)
        paused.update(next_attempt_at=now)
        logger.warning("“%s” answers again; %d reports wait for it", reporter, waiting.count())
        troubles.end_trouble(subject=_trouble(reporter))
    else:
        rows.filter(failures__gt=0).update(**well)


def note_failure(*, reporter: str, recoveries: int, error: IntegrationError) -> bool:
    """Count a failure, unless the back end has answered since; returns whether it is away now.

    `recoveries` is what the outlet said when the attempt began.
    """
    now = database_now()
    rows = Outlet.objects.filter(reporter=reporter, recoveries=recoveries)
    rows.update(failures=F("failures") + 1, last_error=str(error)[:500])
    outlet = rows.first()
    if outlet is None:
        return False
    if outlet.down_since is None and not error.away and outlet.failures < FAILURES_IN_A_ROW:
        return False
    pause = _pause_seconds(outlet.failures, error.retry_after_seconds)
    since = Case(When(down_since=None, then=Value(now)), default=F("down_since"))
    rows.update(down_since=since, next_turn_at=now + timedelta(seconds=pause))
    if outlet.down_since is None:
        logger.error("“%s” is away, its reports wait: %s", reporter, error)
    troubles.name_trouble(subject=_trouble(reporter), text=f"its reports wait: {error}")
    return True


def _trouble(reporter: str) -> str:
    return f"Back end “{reporter}”"


def _pause_seconds(failures: int, asked_for_seconds: float) -> float:
    longest = LONGEST_PROBE_PAUSE_SECONDS
    pause = min(longest, FIRST_PROBE_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
    asked = min(asked_for_seconds, LONGEST_PAUSE_ASKED_SECONDS)
    return max(asked, pause * random.uniform(0.5, 1.0))  # noqa: S311 — no secret
