"""When a camera was watched, what excuses that it was not, and which passages must be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.soak.conductor import Inflicted
from tests.soak.fault import Blinds
from tests.soak.sampler import LAST_LOOKS, SAMPLE_SECONDS, Sample
from tests.soak.sessions import Session
from tests.soak.story import Passage

# The promise of issue and runbook: a camera is watched again this long after what blinded it.
TAKEOVER_SECONDS = 20.0
# Crimes are dated by the camera's clock; this is how far they may lie outside the passage.
DATING_SECONDS = 2.0
LONGEST_GAP_SECONDS = 4 * SAMPLE_SECONDS


@dataclass(frozen=True, slots=True)
class Excuse:
    """A time in which a camera need not be watched, its take-over included."""

    camera_id: int
    starts_at: float
    ends_at: float
    why: str
    by_camera: bool


def excuses(
    inflicted: Sequence[Inflicted],
    sessions: Sequence[Session],
    cameras: Sequence[int],
    ended_at: float,
) -> list[Excuse]:
    """Only a camera itself, or a dead or paused stream or gpu worker, excuses anything."""
    found = []
    for fault in inflicted:
        begun, mended = fault.begun_at, fault.mended_at or ended_at
        recovered = fault.recovered_at or ended_at
        match fault.fault.blinds:
            case Blinds.NOBODY:
                continue
            case Blinds.EVERYBODY:
                concerned, spans = list(cameras), [(begun, recovered)]
            case Blinds.ITS_WATCHER:
                concerned = [
                    number
                    for number in cameras
                    if not _watched_by_another(number, fault.part, sessions, begun, recovered)
                ]
                spans = [(begun, recovered)]
            case Blinds.ITS_CAMERA:
                concerned, spans = [camera_number(fault.part)], [(begun, recovered)]
            case Blinds.ITS_CAMERA_AT_BOTH_ENDS:
                concerned, spans = [camera_number(fault.part)], [(begun, begun), (mended, mended)]
        by_camera = fault.part.startswith("camera-")
        found += [
            Excuse(number, start, end + TAKEOVER_SECONDS, fault.fault.name, by_camera)
            for number in concerned
            for start, end in spans
        ]
    return found


def camera_number(part: str) -> int:
    return int(part.rpartition("-")[2])


def _watched_by_another(
    camera_id: int, worker: str, sessions: Sequence[Session], begun: float, until: float
) -> bool:
    return any(
        session.camera_id == camera_id
        and session.worker not in ("", worker)
        and session.opened_at <= begun
        and (session.closed_at is None or session.closed_at >= until)
        for session in sessions
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A crime as the back end has it; times are epoch seconds of the evidence."""

    camera_id: int
    crime_type: str
    starts_at: float
    ends_at: float
    received_at: float
    key: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a passage: `told`, `cut` short, `excused` or `lost`, and why."""

    passage: Passage
    outcome: str
    why: str = ""


def fates(
    shown: Sequence[Passage],
    crimes: Sequence[Told],
    samples: Sequence[Sample],
    allowed: Sequence[Excuse],
) -> list[Fate]:
    """Each must be told if its camera was watched throughout, or nothing excuses that not."""
    return [_fate(passage, crimes, samples, allowed) for passage in shown]


def _fate(
    passage: Passage,
    crimes: Sequence[Told],
    samples: Sequence[Sample],
    allowed: Sequence[Excuse],
) -> Fate:
    if any(is_of(crime, passage) for crime in crimes):
        return Fate(passage, "told")
    if not passage.whole:
        return Fate(passage, "cut")
    reasons = [
        excuse.why
        for excuse in allowed
        if excuse.camera_id == passage.camera_id
        and excuse.starts_at < passage.leaves_at
        and excuse.ends_at > passage.enters_at
    ]
    if was_watched(passage, samples):
        return Fate(passage, "lost", "although it was watched throughout")
    if reasons:
        return Fate(passage, "excused", ", ".join(sorted(set(reasons))))
    return Fate(passage, "lost", "it was not watched throughout, and nothing excuses that")


def is_of(crime: Told, passage: Passage) -> bool:
    """Whether the evidence times of a crime lie within the passage."""
    return (
        crime.camera_id == passage.camera_id
        and passage.enters_at - DATING_SECONDS <= crime.starts_at
        and crime.ends_at <= passage.leaves_at + DATING_SECONDS
    )


def was_watched(passage: Passage, samples: Sequence[Sample]) -> bool:
    """Whether every look at the camera during the passage found it watched."""
    seen = [sample for sample in samples if passage.enters_at <= sample.at <= passage.leaves_at]
    moments = [passage.enters_at, *(sample.at for sample in seen), passage.leaves_at]
    gaps = (later - earlier for earlier, later in pairwise(moments))
    return max(gaps) <= LONGEST_GAP_SECONDS and all(
        passage.camera_id in sample.watched for sample in seen
    )


def forsaken(samples: Sequence[Sample], cameras: Sequence[int]) -> list[int]:
    """Cameras that none of the last looks found watched, after all the calm."""
    last = samples[-LAST_LOOKS:]
    return [number for number in cameras if not any(number in sample.watched for sample in last)]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Camera-seconds that nobody watched, and how many of them a camera's own fault explains."""

    seconds: float
    by_cameras: float
    by_camera: Mapping[int, float]


def uncovered(
    samples: Sequence[Sample], cameras: Sequence[int], allowed: Sequence[Excuse], began_at: float
) -> Uncovered:
    """Each sample stands for the time since the one before it."""
    missed = dict.fromkeys(cameras, 0.0)
    explained = 0.0
    own = [excuse for excuse in allowed if excuse.by_camera]
    later = [sample for sample in samples if sample.at >= began_at]
    for before, sample in pairwise(later):
        span = sample.at - before.at
        for number in cameras:
            if number in sample.watched:
                continue
            missed[number] += span
            explained += span * any(
                excuse.camera_id == number and excuse.starts_at <= sample.at <= excuse.ends_at
                for excuse in own
            )
    return Uncovered(sum(missed.values()), explained, missed)
