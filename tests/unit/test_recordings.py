"""What the rules saw goes into a small file and comes out of it as it was."""

import gzip
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain import recordings, tape
from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment, Opinion
from detection.domain.recordings import Recorded, RecordingError, read, row_of, until, write
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tape import Footage, Tape
from detection.domain.tracks import Track

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

places = st.integers(-5_000, 105_000).map(lambda number: number / 100_000)
boxes = st.builds(Box, places, places, places, places)
shares = st.integers(0, 1000).map(lambda number: number / 1000)
words = st.text(max_size=12)
joints = st.lists(st.tuples(places, places, shares), min_size=17, max_size=17)
moments = st.builds(
    Moment,
    at=st.integers(0, 600_000_000).map(lambda micros: NOON + timedelta(microseconds=micros)),
    tracks=st.lists(st.builds(Track, st.integers(0, 9999), words, shares, boxes), max_size=4),
    bodies=st.dictionaries(
        st.integers(0, 9999), joints.map(lambda rows: np.array(rows, np.float32)), max_size=2
    ),
    opinions=st.lists(st.builds(Opinion, words, shares, boxes), max_size=2),
    profile=st.sampled_from([None, *Profile]),
    aspect=st.sampled_from([1.0, 1.33333, 1.77778]),
)
suspicions = st.builds(
    Suspicion,
    st.sampled_from(CrimeType),
    st.floats(0, 100),
    st.lists(st.integers(0, 9999), max_size=3).map(tuple),
    words,
)
held = st.lists(st.tuples(st.sampled_from(["trespassing", "loitering"]), suspicions), max_size=3)


def same(one: Recorded, moment: Moment, said: list[tuple[str, Suspicion]]) -> bool:
    whole = [field.name for field in fields(Moment) if field.name not in {"bodies", "picture"}]
    return (
        all(getattr(one.moment, name) == getattr(moment, name) for name in whole)
        and one.moment.bodies.keys() == moment.bodies.keys()
        and all(
            np.allclose(one.moment.bodies[key], moment.bodies[key], atol=1e-5)
            for key in moment.bodies
        )
        and list(one.held) == said
    )


@given(st.lists(st.tuples(moments, held), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_what_is_written_is_read_as_it_was(
    story: list[tuple[Moment, list[tuple[str, Suspicion]]]], is_late: bool, is_cut: bool
) -> None:
    recording = read(write([row_of(*seen) for seen in story], is_late=is_late, is_cut=is_cut))
    assert recording.began_at == story[0][0].at
    assert (recording.is_late, recording.is_cut) == (is_late, is_cut)
    for recorded, (moment, said) in zip(recording.moments, story, strict=True):
        assert same(recorded, moment, said)


def test_the_file_tells_seconds_since_its_beginning_and_shares_of_the_picture() -> None:
    somebody = Track(7, "person", 0.91234, Box(0.1234567, 0.2, 0.3, 0.4))
    said = Suspicion(CrimeType.TRESPASSING, 58.75, (7,), "inside")
    rows = [
        row_of(Moment(NOON), []),
        row_of(Moment(NOON + timedelta(seconds=0.2), [somebody]), [("trespassing", said)]),
    ]
    assert json.loads(gzip.decompress(write(rows))) == {
        "version": 1,
        "began_at": "2026-03-01T12:00:00+00:00",
        "is_late": False,
        "is_cut": False,
        "moments": [
            {"at": 0.0, "aspect": 1.77778},
            {
                "at": 0.2,
                "aspect": 1.77778,
                "tracks": [[7, "person", 0.912, 0.12346, 0.2, 0.3, 0.4]],
                "held": [["trespassing", "trespassing", 58.75, [7], "inside"]],
            },
        ],
    }


def a_file(**changes: Any) -> bytes:
    moment = {"at": 0.0, "aspect": 1.5, "tracks": [[1, "person", 0.9, 0.1, 0.1, 0.2, 0.2]]}
    whole = {"version": 1, "began_at": NOON.isoformat(), "is_late": False, "is_cut": False}
    whole["moments"] = [moment]
    return gzip.compress(json.dumps(whole | changes).encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it ends in the middle"),
        (b"{}", "it is no gzip file"),
        (a_file()[:-9], "it ends in the middle"),
        (gzip.compress(b"[1, 2"), "Invalid JSON"),
        (gzip.compress(b"{}"), "version: Field required"),
        (a_file(version=2), "it is of version 2; this program reads 1"),
        (a_file(began_at="yesterday"), "began_at: "),
        (a_file(began_at="2026-03-01T12:00:00"), "began_at: .* timezone"),
        (a_file(began_at="0001-01-01T00:00:00+23:00"), "began_at: .* no date of a recording"),
        (a_file(began_at="9999-12-31T23:59:59Z", moments=[{"at": 9, "aspect": 1}]), "began_at: "),
        (a_file(moments=[]), "moments: "),
        (a_file(more=1), "more: Extra inputs"),
        (a_file(moments=[{"at": 0, "aspect": 0}]), "moments.0.aspect: "),
        (a_file(moments=[{"at": 1e9, "aspect": 1}]), "moments.0.at: "),
        (a_file(moments=[{"at": 0, "aspect": 1, "tracks": [[1]]}]), "moments.0.tracks.0.1: "),
        (
            a_file(moments=[{"at": 0, "aspect": 1, "bodies": [[1, [[0, 0, 0]] * 16]]}]),
            "moments.0.bodies.0.1: .* at least 17",
        ),
        (
            a_file(moments=[{"at": 0, "aspect": 1, "held": [["r", "arson", 50, [], ""]]}]),
            "moments.0.held.0.1: ",
        ),
        (
            a_file(
                moments=[{"at": 0, "aspect": 1, "held": [["r", "theft", float("nan"), [], ""]]}]
            ),
            "held.0.2: |Invalid JSON",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_is_no_recording_is_refused_and_the_place_is_named(content: bytes, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read(content)


def test_a_file_that_unpacks_to_more_than_was_ever_written_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recordings, "MOST_BYTES", 100)
    with pytest.raises(RecordingError, match="more than"):
        read(a_file())


# --- the tape ------------------------------------------------------------------------------------


def seen_by(recorder: Tape, first: int, last: int) -> None:
    """A moment each second, from one second to another, both within."""
    for second in range(first, last + 1):
        recorder.see(Moment(NOON + timedelta(seconds=second)), [])


KEY, OTHER = uuid4(), uuid4()


def ended(recorder: Tape, second: int = 0) -> Footage:
    """The one episode, which ends then and whose post-roll nobody waits for."""
    recorder.end(NOON + timedelta(seconds=second))
    ((key, footage),) = recorder.close()
    assert key == KEY
    return footage


def seconds_in(footage: Footage) -> list[int]:
    return [round((row.at - NOON).total_seconds()) for row in footage.rows]


def seconds_of(recorder: Tape) -> list[int]:
    return seconds_in(ended(recorder))


def test_a_tape_holds_two_minutes_before_the_alert_and_all_of_the_episode() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 300)
    recorder.begin(KEY)
    seen_by(recorder, 301, 900)
    footage = ended(recorder)
    assert [round((row.at - NOON).total_seconds()) for row in footage.rows] == list(range(180, 901))
    assert (footage.is_late, footage.is_cut) == (True, False)


def test_a_tape_that_has_not_run_for_two_minutes_holds_all_there_was() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 60)
    recorder.begin(KEY)
    footage = ended(recorder)
    assert (len(footage.rows), footage.is_late) == (61, False)


def test_the_next_episode_begins_with_the_end_of_the_one_before() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 10)
    recorder.begin(KEY)
    seen_by(recorder, 11, 20)
    ended(recorder)
    seen_by(recorder, 21, 30)
    recorder.begin(KEY)
    assert seconds_of(recorder) == list(range(31))


def test_without_an_episode_there_is_nothing_to_keep() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 10)
    recorder.end(NOON)
    assert recorder.close() == []


def test_a_tape_goes_on_until_the_post_roll_ends_also_beside_the_next_episode() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 5)
    recorder.begin(KEY)
    seen_by(recorder, 6, 8)
    recorder.end(NOON + timedelta(seconds=8))
    seen_by(recorder, 9, 12)
    recorder.begin(OTHER)
    seen_by(recorder, 13, 17)
    assert recorder.done(NOON + timedelta(seconds=17)) == []
    seen_by(recorder, 18, 19)
    ((key, footage),) = recorder.done(NOON + timedelta(seconds=19))
    assert (key, seconds_in(footage)) == (KEY, list(range(19)))
    recorder.end(NOON + timedelta(seconds=19))
    ((key, footage),) = recorder.close()
    assert (key, seconds_in(footage)) == (OTHER, list(range(20)))


def test_a_camera_that_falls_silent_does_not_keep_its_recording_back() -> None:
    recorder = Tape()
    seen_by(recorder, 0, 5)
    recorder.begin(KEY)
    recorder.end(NOON + timedelta(seconds=5))
    assert recorder.done(NOON + timedelta(seconds=20)) == []
    ((key, footage),) = recorder.done(NOON + timedelta(seconds=21))
    assert (key, seconds_in(footage)) == (KEY, list(range(6)))


def test_a_recording_can_be_cut_at_a_moment() -> None:
    rows = [row_of(Moment(NOON + timedelta(seconds=second)), []) for second in range(5)]
    cut = until(read(write(rows)), NOON + timedelta(seconds=2))
    assert [seen.moment.at for seen in cut.moments] == [
        NOON + timedelta(seconds=second) for second in range(3)
    ]


def test_a_long_episode_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one = len(row_of(Moment(NOON), []).content)
    monkeypatch.setattr(tape, "MOST_OF_EPISODE", 5 * one)
    recorder = Tape()
    seen_by(recorder, 0, 2)
    recorder.begin(KEY)
    seen_by(recorder, 3, 9)
    footage = ended(recorder)
    assert (len(footage.rows), footage.is_cut) == (5, True)


def test_a_crowd_shortens_what_is_kept_before_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "MOST_BEFORE", 4 * len(row_of(Moment(NOON), []).content))
    recorder = Tape()
    seen_by(recorder, 0, 9)
    recorder.begin(KEY)
    assert seconds_of(recorder) == [6, 7, 8, 9]


def test_a_clock_that_is_set_back_begins_a_new_tape_and_spoils_no_old_one() -> None:
    recorder = Tape()
    seen_by(recorder, 100, 110)
    recorder.begin(KEY)
    seen_by(recorder, 20, 20)
    assert seconds_of(recorder) == list(range(100, 111))
    seen_by(recorder, 21, 22)
    recorder.begin(KEY)
    assert seconds_of(recorder) == [20, 21, 22]
