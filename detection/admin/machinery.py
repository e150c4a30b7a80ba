"""What the overview says of the machinery: heartbeats, inference, the broker's queues, the disk."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crimeops.celery import ROUTES
from crimeops.queues import LONGEST_QUEUE, depths
from detection.admin.dashboard import Card, list_of
from detection.admin.presentation import Tone, ago
from detection.domain.pace import is_overloaded
from detection.models import Claim, seen_by

QUEUES = tuple(sorted(set(ROUTES.values())))
LONG_QUEUE = 50  # what waits longer than a moment
MISSED_BEATS = 2.5
NAMED_INSTANCES = 4
LITTLE_SPACE, NO_SPACE = 0.15, 0.05  # free shares of the disk


def cards(request: HttpRequest) -> Sequence[Card]:
    """As far as this user may see it."""
    shown: list[Card] = []
    if request.user.has_perm("detection.view_claim"):
        live = seen_by(request.user, Claim.objects.live(timezone.now())).order_by()
        shown += [_heartbeat_card(live), _load_card(live)]
    if request.user.has_perm("detection.view_trouble"):
        shown += [_queue_card(request), *_disk_cards()]
    return shown


def _heartbeat_card(live: QuerySet[Claim]) -> Card:
    """How long ago each instance that watches told that it does."""
    title, link = _("Heartbeats"), list_of("detection_claim")
    now = timezone.now()
    beaten = dict(live.values_list("instance").annotate(beaten=Max("beaten_at")))
    if not beaten:
        return Card(title, "–", Tone.NEUTRAL, _("no instance watches a camera"), link)
    late = timedelta(seconds=settings.ENVIRONMENT.heartbeat_interval * MISSED_BEATS)
    ages = {name: now - at if at else None for name, at in beaten.items()}
    missed = [name for name, age in ages.items() if age is None or age > late]
    worst = sorted(ages.items(), key=lambda pair: pair[1] or timedelta.max, reverse=True)
    named = ", ".join(f"{name} {_age(age)}" for name, age in worst[:NAMED_INSTANCES])
    more = ", …" if len(worst) > NAMED_INSTANCES else ""
    figure = _age(worst[0][1])
    return Card(title, figure, Tone.BAD if missed else Tone.GOOD, f"{named}{more}", link)


def _age(age: timedelta | None) -> str:
    return _("none yet") if age is None else ago(age)


def _load_card(live: QuerySet[Claim]) -> Card:
    """Frames analysed of those that the cameras wanted."""
    title, link = _("Frames analysed"), list_of("detection_camera", "watch=overloaded")
    sums = live.aggregate(wanted=Sum("wanted_per_second"), analysed=Sum("analysed_per_second"))
    wanted, analysed = sums["wanted"] or 0.0, sums["analysed"] or 0.0
    if not wanted:
        return Card(title, "–", Tone.NEUTRAL, _("no camera wants any now"), link)
    figure = _("%(share)d %%") % {"share": round(100 * min(1.0, analysed / wanted))}
    rate = _("%(analysed).1f of %(wanted).1f a second") % {"analysed": analysed, "wanted": wanted}
    if is_overloaded(wanted=wanted, analysed=analysed):
        remark = _("%(rate)s: the detector cannot keep up") % {"rate": rate}
        return Card(title, figure, Tone.WARNING, remark, link)
    return Card(title, figure, Tone.GOOD, rate, list_of("detection_camera"))


def _queue_card(request: HttpRequest) -> Card:
    """What waits at the broker for a worker."""
    title = _("Waiting in queues")
    may_watch = request.user.has_perm("detection.watch_jobs")
    link = reverse("flower") if may_watch else list_of("detection_trouble")
    try:
        waiting = depths(QUEUES)
    except ConnectionError:
        remark = _("Redis does not answer: nothing is watched or reported until it does")
        return Card(title, _("unknown"), Tone.BAD, remark, link)
    longest = max(waiting.values())
    named = ", ".join(f"{name} {count}" for name, count in waiting.items() if count)
    if longest < LONG_QUEUE:
        return Card(title, str(sum(waiting.values())), Tone.GOOD, named or _("all empty"), link)
    tone = Tone.BAD if longest >= LONGEST_QUEUE * 0.9 else Tone.WARNING
    remark = _("%(queues)s: is a worker of each queue running?") % {"queues": named}
    return Card(title, str(sum(waiting.values())), tone, remark, link)


def _disk_cards() -> list[Card]:
    """Room for evidence, where it is kept on a disk of ours."""
    storage = storages["default"]
    if not isinstance(storage, FileSystemStorage):
        return []
    title, link = _("Disk of the evidence"), list_of("detection_trouble")
    try:
        usage = shutil.disk_usage(_existing(Path(storage.location)))
    except OSError:
        remark = _("the folder of the evidence cannot be read")
        return [Card(title, _("unknown"), Tone.BAD, remark, link)]
    share = usage.free / usage.total if usage.total else 0.0
    tone = Tone.BAD if share < NO_SPACE else Tone.WARNING if share < LITTLE_SPACE else Tone.GOOD
    figure = _("%(share)d %% free") % {"share": int(100 * share)}
    remark = _("%(free).1f of %(total).1f GB") % {
        "free": usage.free / 1e9,
        "total": usage.total / 1e9,
    }
    return [Card(title, figure, tone, remark, link)]


def _existing(folder: Path) -> Path:
    """The folder, or the next above it while nothing was ever kept."""
    return folder if folder.exists() or folder.parent == folder else _existing(folder.parent)
