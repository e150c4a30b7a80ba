"""What the rules saw and said around an episode, as a small file that can be replayed.

Gzip JSON: `{"version": 1, "began_at": …, "is_late": …, "is_cut": …, "moments": [{"at": seconds
since began_at, "aspect": …, "profile": …, "tracks": [[id, label, confidence, x1, y1, x2, y2], …],
"bodies": [[id, [[x, y, confidence], …]], …], "opinions": [[label, probability, x1, y1, x2, y2], …],
"held": [[rule, crime type, confidence, [track ids], reason], …]}, …]}`. "zones" are the zones
that these name, one each; "zone_profiles" {zone: profile} those with hours of their own. What is
empty is left out.
"""

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment, Opinion
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track

VERSION: Final = 1
MOST_BYTES: Final = 32_000_000  # unpacked; what is larger was not written here
DIGITS = 5  # of coordinates: a hundred-thousandth of the picture
JOINTS = 17

Held = tuple[str, Suspicion]  # a rule's name and what it said


class RecordingError(ValueError):
    """The file is no recording that can be read; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A moment, without its picture, and what each rule held of it then."""

    moment: Moment
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """An episode with what came before it.

    `is_late` where the camera was watched before the recording begins, `is_cut` where the episode
    went on for longer than was kept.
    """

    began_at: datetime
    is_late: bool
    is_cut: bool
    moments: tuple[Recorded, ...]


class Row(NamedTuple):
    """One moment as the file holds it, but for its time: JSON without the opening brace."""

    at: datetime
    content: bytes


def row_of(moment: Moment, held: Sequence[Held]) -> Row:
    """The moment packed; about a tenth of what its objects take."""
    fields: dict[str, Any] = {"aspect": round(moment.aspect, DIGITS)}
    if moment.profile is not None:
        fields["profile"] = moment.profile.value
    if moment.zone_profiles:
        fields["zone_profiles"] = {zone: p.value for zone, p in moment.zone_profiles.items()}
    if moment.tracks:
        fields["tracks"] = [
            [track.id, track.label, round(float(track.confidence), 3), *_place(track.box)]
            for track in moment.tracks
        ]
    if moment.bodies:
        fields["bodies"] = [
            [track_id, np.round(body.astype(float), DIGITS).tolist()]
            for track_id, body in moment.bodies.items()
        ]
    if moment.opinions:
        fields["opinions"] = [
            [opinion.label, round(float(opinion.probability), DIGITS), *_place(opinion.box)]
            for opinion in moment.opinions
        ]
    if held:  # confidences whole: a rounded one could cross a threshold
        fields["held"] = [
            [rule, s.crime_type.value, float(s.confidence), list(s.track_ids), s.reason]
            for rule, s in held
        ]
    if any(s.zone for _, s in held):
        fields["zones"] = [s.zone for _, s in held]
    return Row(moment.at, json.dumps(fields, separators=(",", ":")).encode()[1:])


def write(rows: Sequence[Row], *, is_late: bool = False, is_cut: bool = False) -> bytes:
    """The file of these rows; there is at least one."""
    began_at = rows[0].at
    head: dict[str, Any] = {"version": VERSION, "began_at": began_at.isoformat()}
    head |= {"is_late": is_late, "is_cut": is_cut}
    moments = b",".join(
        b'{"at":%.6f,%s' % ((row.at - began_at).total_seconds(), row.content) for row in rows
    )
    return gzip.compress(json.dumps(head).encode()[:-1] + b',"moments":[%s]}' % moments, mtime=0)


def read(content: bytes) -> Recording:
    """The recording that `write` wrote. Raises RecordingError."""
    try:
        file = _File.model_validate_json(_unpacked(content))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise RecordingError(f"{where or 'the recording'}: {fault['msg']}") from None
    if file.version != VERSION:
        raise RecordingError(f"it is of version {file.version}; this program reads {VERSION}")
    try:
        began_at = file.began_at.astimezone(UTC)
        moments = tuple(moment.recorded(began_at) for moment in file.moments)
    except OverflowError:
        raise RecordingError(f"began_at: {file.began_at} is no date of a recording") from None
    return Recording(began_at, file.is_late, file.is_cut, moments)


def until(recording: Recording, at: datetime) -> Recording:
    """The recording without what was seen after this; never without its first moment."""
    seen = [recorded for recorded in recording.moments if recorded.moment.at <= at]
    return replace(recording, moments=tuple(seen) or recording.moments[:1])


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)  # 31: with the header of gzip
    try:
        unpacked = unpacker.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise RecordingError(f"it is no gzip file: {error}") from None
    if unpacker.unconsumed_tail:
        raise RecordingError(f"it holds more than {MOST_BYTES // 1_000_000} MB")
    if not unpacker.eof:
        raise RecordingError("it ends in the middle")
    return unpacked


def _place(box: Box) -> list[float]:
    return [round(float(edge), DIGITS) for edge in box]


# --- the file's own form, checked ----------------------------------------------------------------

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Joint = tuple[_Number, _Number, _Number]
_Body = Annotated[list[_Joint], Field(min_length=JOINTS, max_length=JOINTS)]
_Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Moment(_Strict):
    at: Annotated[float, Field(ge=-86_400, le=30 * 86_400)]
    aspect: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    profile: Profile | None = None
    zone_profiles: dict[str, Profile] = {}
    tracks: list[tuple[int, str, _Share, _Number, _Number, _Number, _Number]] = []
    bodies: list[tuple[int, _Body]] = []
    opinions: list[tuple[str, _Share, _Number, _Number, _Number, _Number]] = []
    held: list[tuple[str, CrimeType, _Percent, list[int], str]] = []
    zones: list[str] = []

    def recorded(self, began_at: datetime) -> Recorded:
        moment = Moment(
            at=began_at + timedelta(seconds=self.at),
            tracks=[Track(key, label, sure, Box(*box)) for key, label, sure, *box in self.tracks],
            bodies={key: np.array(body, np.float32) for key, body in self.bodies},
            opinions=[Opinion(label, sure, Box(*box)) for label, sure, *box in self.opinions],
            profile=self.profile,
            aspect=self.aspect,
            zone_profiles=self.zone_profiles,
        )
        zones = self.zones or [""] * len(self.held)
        held = (
            (rule, Suspicion(crime_type, confidence, tuple(who), reason, zone))
            for (rule, crime_type, confidence, who, reason), zone in zip(
                self.held, zones, strict=False
            )
        )
        return Recorded(moment, tuple(held))


class _File(_Strict):
    version: int
    began_at: AwareDatetime
    is_late: bool
    is_cut: bool
    moments: Annotated[list[_Moment], Field(min_length=1)]
