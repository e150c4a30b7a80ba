"""Frames and answers as bytes. Pixels lie raw: they stay for milliseconds only."""

import json
import struct
from datetime import UTC, datetime
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.geometry import Box
from detection.domain.moments import Opinion
from detection.domain.poses import Pose

# form, camera, sequence, captured, received, height, width, crops of the close-up
_HEADER = struct.Struct("<4sqqddHHH")
_FORM = b"COF2"  # another form is another release's, and not read
_PLACES = struct.Struct("<8dH")  # of a close-up: its place, its square, the side of its crops
_CROP = struct.Struct("<dH")  # its time, its people
MOST_CROPS, LARGEST_SIDE = 32, 1024


def pack_frame(frame: Frame) -> bytes:
    height, width = frame.pixels.shape[:2]
    close_up = frame.close_up
    header = _HEADER.pack(
        _FORM,
        frame.camera_id,
        frame.sequence,
        frame.captured_at.timestamp(),
        frame.received_at,
        height,
        width,
        len(close_up.times) if close_up else 0,
    )
    pixels = frame.pixels.tobytes()
    return b"".join([header, pixels, *(_close_up_parts(close_up) if close_up else ())])


def _close_up_parts(close_up: CloseUp) -> list[bytes]:
    return [
        _PLACES.pack(*close_up.place, *close_up.square, close_up.side),
        *(
            _CROP.pack(at, len(people))
            for at, people in zip(close_up.times, close_up.people, strict=True)
        ),
        np.concatenate(close_up.people).astype(np.float32).tobytes(),
        close_up.crops.tobytes(),
    ]


def unpack_frame(packed: bytes, waits_since: float) -> Frame:
    """Raises ValueError, struct.error and others where these bytes are no frame of this release."""
    form, camera_id, sequence, captured, received, height, width, crops = _HEADER.unpack_from(
        packed
    )
    if form != _FORM:
        raise ValueError(f"its form is {form!r}: run the same release everywhere")
    size = height * width * 3
    pixels = np.frombuffer(packed, np.uint8, size, _HEADER.size).reshape(height, width, 3)
    captured_at = datetime.fromtimestamp(captured, UTC)
    close_up = _unpack_close_up(memoryview(packed)[_HEADER.size + size :], crops)
    return Frame(camera_id, sequence, captured_at, received, pixels, waits_since, close_up)


def _unpack_close_up(packed: memoryview, crops: int) -> CloseUp | None:
    if not crops:
        if packed:
            raise ValueError(f"{len(packed)} bytes follow its pixels")
        return None
    *corners, side = _PLACES.unpack_from(packed)
    if crops > MOST_CROPS or not 0 < side <= LARGEST_SIDE:
        raise ValueError(f"its close-up holds {crops} crops of {side}")
    start = _PLACES.size + crops * _CROP.size
    heads = [_CROP.unpack_from(packed, _PLACES.size + n * _CROP.size) for n in range(crops)]
    counts = [count for _, count in heads]
    boxes = np.frombuffer(packed, np.float32, 4 * sum(counts), start).reshape(-1, 4)
    pixels: NDArray[np.uint8] = np.frombuffer(packed[start + boxes.nbytes :], np.uint8)
    return CloseUp(
        place=Box(*corners[:4]),
        square=Box(*corners[4:]),
        times=tuple(at for at, _ in heads),
        crops=pixels.reshape(crops, side, side),
        people=tuple(np.split(boxes, np.cumsum(counts)[:-1])),
    )


def pack_answer(answer: Answer) -> bytes:
    header = {
        "sequence": answer.sequence,
        "refusal": answer.refusal,
        "names": dict(answer.names),
        "pace": answer.pace,
        "opinions": [[o.label, o.probability, o.own, *o.box] for o in answer.opinions],
        "bodies": [[*pose.box, *pose.keypoints.reshape(-1).tolist()] for pose in answer.bodies],
    }
    rows = b"" if answer.rows is None else answer.rows.astype(np.float32).tobytes()
    return json.dumps(header).encode() + b"\n" + rows


def unpack_answer(packed: bytes) -> Answer:
    """Raises ValueError, KeyError and others where these bytes are no answer.

    What holds a number that is none is left out: it must not reach a tracker or a rule.
    """
    header, _, rows = packed.partition(b"\n")
    fields = json.loads(header)
    names = {int(number): str(name) for number, name in fields["names"].items()}
    sequence, pace = int(fields["sequence"]), float(fields.get("pace", 0.0))
    if not isfinite(pace):
        raise ValueError(f"its pace is {pace}")
    if fields["refusal"]:
        return Answer(sequence, None, names, str(fields["refusal"]), pace)
    found = np.frombuffer(rows, np.float32).reshape(-1, 6)
    opinions = [_opinion(*parts) for parts in fields.get("opinions", ())]
    bodies = [_pose(numbers) for numbers in fields.get("bodies", ())]
    return Answer(
        sequence,
        found[np.isfinite(found).all(axis=1)],
        names,
        pace=pace,
        opinions=tuple(o for o in opinions if _are_finite(o.probability, *o.box)),
        bodies=tuple(b for b in bodies if _are_finite(*b.box, *b.keypoints.reshape(-1))),
    )


def _opinion(label: str, probability: float, own: bool, *corners: float) -> Opinion:
    return Opinion(str(label), float(probability), Box(*map(float, corners)), bool(own))


def _pose(numbers: list[float]) -> Pose:
    corners, keypoints = map(float, numbers[:4]), np.array(numbers[4:], np.float32)
    return Pose(Box(*corners), keypoints.reshape(17, 3))


def _are_finite(*numbers: float) -> bool:
    return all(map(isfinite, numbers))
