"""Zones as they are drawn, before they are kept: read, and told apart from what cannot be."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from detection.domain.geometry import PolygonError
from detection.domain.schedules import Schedule as DomainSchedule
from detection.domain.schedules import ScheduleError
from detection.domain.zones import Zone as DomainZone
from detection.domain.zones import ZoneKind
from detection.models import Camera, Schedule, Zone
from detection.rules.settings import Settings, faults_in_zone
from detection.services.inheritance import inherited_by
from detection.services.setups import sections

MOST_ZONES = 100
MOST_CORNERS = 200

_Finite = Annotated[float, Field(allow_inf_nan=False)]
# A name stands in lists and logs, each on one line; PostgreSQL holds no NUL.
_Name = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class ZoneDraft(BaseModel):
    """A zone as a browser sends it; without an `id` it is new. `schedule` is a row's number."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = None
    name: _Name
    kind: ZoneKind
    corners: Annotated[list[tuple[_Finite, _Finite]], Field(max_length=MOST_CORNERS)]
    enabled: bool = True
    schedule: int | None = None
    settings: dict[str, dict[str, Any]] = {}

    @property
    def layer(self) -> dict[str, dict[str, Any]]:
        """The settings without sections that say nothing."""
        return {section: options for section, options in self.settings.items() if options}

    @property
    def polygon(self) -> list[list[float]]:
        """The corners as they are stored: a hundred-thousandth of the picture is enough."""
        return [[round(x, 5), round(y, 5)] for x, y in self.corners]


class Drawing(BaseModel):
    """All zones of a camera, and the mark of those that the drawing began with."""

    model_config = ConfigDict(extra="forbid")

    mark: str = ""
    zones: Annotated[list[ZoneDraft], Field(max_length=MOST_ZONES)]


@dataclass(frozen=True, slots=True)
class DraftFault:
    """What is wrong with a drawn zone: `zone` counts from 0, `corner` from 1."""

    zone: int | None
    field: str
    message: str
    corner: int | None = None


class DraftError(ValueError):
    """The drawing cannot be kept; each fault names its zone."""

    def __init__(self, faults: Sequence[DraftFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


def read_drawing(body: bytes) -> Drawing:
    """Raises DraftError for what is no drawing at all."""
    try:
        return Drawing.model_validate_json(body)
    except ValidationError as error:
        raise DraftError([_malformed(fault) for fault in error.errors()]) from None


def as_draft(zone: Zone) -> dict[str, Any]:
    """A stored zone as the browser draws it, also one whose shape is broken."""
    corners = zone.polygon if isinstance(zone.polygon, list) else []
    return {
        "id": zone.pk,
        "name": zone.name,
        "kind": zone.kind,
        "corners": [list(corner) for corner in corners if _is_pair(corner)],
        "enabled": zone.enabled,
        "schedule": zone.schedule_id,
        "settings": zone.rule_settings if isinstance(zone.rule_settings, Mapping) else {},
    }


def examine_drafts(camera: Camera, drafts: Sequence[ZoneDraft]) -> list[DomainZone]:
    """The zones as the rules take them. Raises DraftError with all that is wrong."""
    below = inherited_by(Zone(camera=camera)).settings
    weeks = dict(Schedule.objects.values_list("pk", "lines"))
    faults = list(_same_names(drafts))
    zones: list[DomainZone] = []
    for number, draft in enumerate(drafts):
        faults += _faults_of(number, draft, below, weeks)
        try:
            hours = _hours_of(draft, weeks)
            zones.append(DomainZone.of(draft.name, draft.kind, draft.polygon, draft.layer, hours))
        except PolygonError as error:
            faults.append(DraftFault(number, "corners", str(error), error.corner))
    if faults:
        raise DraftError(faults)
    return zones


def _faults_of(
    number: int, draft: ZoneDraft, below: Settings, weeks: Mapping[int, str]
) -> Iterator[DraftFault]:
    if not draft.name:
        yield DraftFault(number, "name", _("it needs a name"))
    if draft.schedule is not None and draft.schedule not in weeks:
        yield DraftFault(number, "schedule", _("this schedule is not there any more"))
    if draft.schedule is not None and draft.kind.is_mask:
        yield DraftFault(number, "schedule", _("a mask hides at all hours; it has no schedule"))
    for fault in faults_in_zone(draft.layer, sections(), below):
        yield DraftFault(number, f"{fault.section}.{fault.option}".rstrip("."), str(fault))


def _same_names(drafts: Iterable[ZoneDraft]) -> Iterator[DraftFault]:
    names = [draft.name for draft in drafts]
    counts = Counter(names)
    for number, name in enumerate(names):
        if name and counts[name] > 1 and name in names[:number]:
            yield DraftFault(number, "name", _("another zone of this camera has this name"))


def _hours_of(draft: ZoneDraft, weeks: Mapping[int, str]) -> DomainSchedule | None:
    """A broken schedule counts as none, as in a watch."""
    lines = weeks.get(draft.schedule) if draft.schedule is not None else None
    try:
        return DomainSchedule.read(lines) if lines is not None else None
    except ScheduleError:
        return None


def _malformed(fault: Any) -> DraftFault:
    place = list(fault["loc"])
    inside = len(place) > 1 and place[0] == "zones" and isinstance(place[1], int)
    if not inside:
        return DraftFault(None, ".".join(map(str, place)), fault["msg"])
    field = str(place[2]) if len(place) > 2 else ""
    corner = place[3] + 1 if field == "corners" and len(place) > 3 else None
    return DraftFault(place[1], field, fault["msg"], corner)


def _is_pair(corner: Any) -> bool:
    return (
        isinstance(corner, list)
        and len(corner) == 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in corner)
    )
