"""The two sides of the frame transport, on a real broker."""

import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import redis

from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.geometry import Box
from detection.domain.moments import Opinion
from detection.domain.poses import Pose
from detection.ports import FrameMailbox, FrameQueue, TransportError
from detection.transport.redis import RedisTransport
from simulators.demo.processes import free_port
from tests.services import valkey, wait_until

BAD_OPINION = b'{"sequence": 1, "refusal": "", "names": {}, "opinions": [["x", 1]]}\n'
CAPTURED = datetime(2026, 2, 27, 14, 28, 0, 123_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
def broker(broker_url: str) -> Iterator["redis.Redis"]:
    with closing(redis.Redis.from_url(broker_url)) as client:
        client.flushall()
        yield client


class Bell:
    """Counts its rings."""

    def __init__(self) -> None:
        self.rings = 0

    def __call__(self) -> None:
        self.rings += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def mailbox(broker: "redis.Redis", broker_url: str, bell: Bell) -> FrameMailbox:
    return RedisTransport.connect(broker_url, bell)


@pytest.fixture
def queue(broker: "redis.Redis", broker_url: str) -> FrameQueue:
    """The GPU side has a connection of its own, and nobody to ring for."""
    return RedisTransport.connect(broker_url, lambda: None)


def a_frame(camera_id: int, sequence: int = 1, received_at: float | None = None) -> Frame:
    pixels = np.random.default_rng(sequence).integers(0, 256, (36, 64, 3), np.uint8)
    received = time.time() if received_at is None else received_at
    return Frame(camera_id, sequence, CAPTURED, received, pixels)


def taken(queue: FrameQueue, limit: int = 16) -> list[tuple[int, int]]:
    return [(frame.camera_id, frame.sequence) for frame in queue.take(limit)]


def test_a_frame_arrives_as_it_was_sent(mailbox: FrameMailbox, queue: FrameQueue) -> None:
    sent = a_frame(7, 42)
    assert mailbox.post(sent, replace=False)
    (came,) = queue.take(16)
    assert (came.camera_id, came.sequence, came.captured_at) == (7, 42, CAPTURED)
    assert came.received_at == sent.received_at
    assert came.pixels.dtype == np.uint8
    np.testing.assert_array_equal(came.pixels, sent.pixels)


def a_close_up(side: int = 8) -> CloseUp:
    pixels = np.random.default_rng(3).integers(0, 256, (3, side, side), np.uint8)
    alone = np.array([[1, 2, 3, 4]], np.float32)
    people = (alone, np.empty((0, 4), np.float32), np.vstack([alone, alone + 0.5]))
    return CloseUp(
        Box(0.1, 0.2, 0.3, 0.4), Box(-0.1, 0.1, 0.4, 0.5), (10.2, 10.4, 10.7), pixels, people
    )


def test_a_close_up_travels_with_its_frame(mailbox: FrameMailbox, queue: FrameQueue) -> None:
    sent, near = a_frame(7), a_close_up()
    mailbox.post(replace(sent, close_up=near), replace=False)
    (came,) = queue.take(16)
    np.testing.assert_array_equal(came.pixels, sent.pixels)
    found = came.close_up
    assert found is not None
    assert (found.place, found.square, found.times) == (near.place, near.square, near.times)
    np.testing.assert_array_equal(found.crops, near.crops)
    assert [boxes.tolist() for boxes in found.people] == [
        [[1, 2, 3, 4]],
        [],
        [[1, 2, 3, 4], [1.5, 2.5, 3.5, 4.5]],
    ]


@pytest.mark.parametrize("fault", ["short", "long", "no crops", "huge"])
def test_a_close_up_that_is_none_costs_its_frame_and_no_other(
    fault: str, mailbox: FrameMailbox, queue: FrameQueue, broker: "redis.Redis"
) -> None:
    mailbox.post(replace(a_frame(1), close_up=a_close_up()), replace=False)
    mailbox.post(a_frame(2), replace=False)
    whole = broker.get("crimeops:frame:1")
    assert isinstance(whole, bytes)
    crops = 40  # where the header, of 42 bytes, tells how many
    spoilt = {
        "short": whole[:-1],
        "long": whole + b"x",
        "no crops": whole[:crops] + b"\0\0" + whole[crops + 2 :],
        "huge": whole[:crops] + b"\xff\xff" + whole[crops + 2 :],
    }
    broker.set("crimeops:frame:1", spoilt[fault])
    assert taken(queue) == [(2, 1)]


def test_the_camera_that_waits_longest_is_taken_first(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    now = time.time()
    for camera_id, age in ((1, 0.1), (2, 0.3), (3, 0.2)):
        mailbox.post(a_frame(camera_id, received_at=now - age), replace=False)
    assert taken(queue) == [(2, 1), (3, 1), (1, 1)]
    assert taken(queue) == []


def test_take_is_limited_and_leaves_the_rest_for_the_next(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    now = time.time()
    for camera_id in range(1, 6):
        mailbox.post(a_frame(camera_id, received_at=now + camera_id), replace=False)
    assert taken(queue, 2) == [(1, 1), (2, 1)]
    assert taken(queue, 2) == [(3, 1), (4, 1)]
    assert taken(queue, 2) == [(5, 1)]


def test_a_camera_has_one_slot_and_the_newest_frame_wins(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    now = time.time()
    mailbox.post(a_frame(1, 1, now), replace=False)
    mailbox.post(a_frame(2, 1, now + 0.1), replace=False)
    assert mailbox.post(a_frame(1, 2, now + 0.2), replace=True)
    assert taken(queue) == [(1, 2), (2, 1)], "it keeps the place of the frame it replaced"
    assert taken(queue) == []


def test_a_frame_that_was_taken_is_not_replaced(
    mailbox: FrameMailbox, queue: FrameQueue, bell: Bell
) -> None:
    mailbox.post(a_frame(1, 1), replace=False)
    assert taken(queue) == [(1, 1)]
    assert not mailbox.post(a_frame(1, 2), replace=True)
    assert taken(queue) == []
    assert bell.rings == 1


def test_the_bell_rings_once_until_somebody_comes(
    mailbox: FrameMailbox, queue: FrameQueue, bell: Bell
) -> None:
    for camera_id in range(1, 21):
        mailbox.post(a_frame(camera_id), replace=False)
    assert bell.rings == 1
    queue.take(1)
    mailbox.post(a_frame(99), replace=False)
    assert bell.rings == 2, "who comes lowers the bell, though frames still wait"
    mailbox.post(a_frame(98), replace=False)
    assert bell.rings == 2


def test_the_bell_is_shared_by_all_streams(
    mailbox: FrameMailbox, broker_url: str, bell: Bell
) -> None:
    other_bell = Bell()
    other = RedisTransport.connect(broker_url, other_bell)
    mailbox.post(a_frame(1), replace=False)
    other.post(a_frame(2), replace=False)
    assert (bell.rings, other_bell.rings) == (1, 0)


def test_a_ring_that_was_lost_is_rung_again_when_it_expires(
    mailbox: FrameMailbox, bell: Bell
) -> None:
    began = time.monotonic()

    def rung_twice() -> bool:
        mailbox.post(a_frame(1), replace=False)
        return bell.rings == 2

    wait_until(rung_twice, "the bell is rung again", 3.0)
    assert 0.8 < time.monotonic() - began < 2.0


def test_an_answer_reaches_only_its_camera(mailbox: FrameMailbox, queue: FrameQueue) -> None:
    rows = np.array([[1, 2, 3, 4, 0.5, 0], [5, 6, 7, 8, 0.25, 34]], np.float32)
    queue.answer([(1, Answer(11, rows, {0: "person", 34: "baseball bat"})), (3, Answer(33, None))])
    assert mailbox.collect(2, 0.05) is None
    came = mailbox.collect(1, 1.0)
    assert came is not None and came.rows is not None
    assert (came.sequence, came.refusal) == (11, "")
    assert came.names == {0: "person", 34: "baseball bat"}
    np.testing.assert_array_equal(came.rows, rows)
    assert mailbox.collect(1, 0.05) is None, "it is told once"


def test_opinions_and_poses_come_back_with_the_rows(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    keypoints = np.linspace(0, 1, 51, dtype=np.float32).reshape(17, 3)
    place = Box(0.1, 0.2, 0.3, 0.4)
    sent = Answer(
        11,
        np.array([[1, 2, 3, 4, 0.5, 0]], np.float32),
        {0: "person"},
        opinions=(Opinion("fighting", 0.75, place), Opinion("Räuber", 0.5, own=True)),
        bodies=(Pose(place, keypoints),),
    )
    queue.answer([(1, sent)])
    came = mailbox.collect(1, 1.0)
    assert came is not None and came.rows is not None
    assert came.opinions == sent.opinions
    assert came.rows.tolist() == [[1, 2, 3, 4, 0.5, 0]]
    assert [pose.box for pose in came.bodies] == [place]
    np.testing.assert_array_equal(came.bodies[0].keypoints, keypoints)


def test_a_frame_with_nothing_in_it_and_a_refusal_are_told_apart(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    nothing = np.empty((0, 6), np.float32)
    queue.answer([(1, Answer(1, nothing)), (1, Answer(2, None, refusal="too old"))])
    empty, refused = mailbox.collect(1, 1.0), mailbox.collect(1, 1.0)
    assert empty is not None and empty.rows is not None
    assert (empty.sequence, empty.rows.shape, empty.refusal) == (1, (0, 6), "")
    assert refused is not None
    assert (refused.sequence, refused.rows, refused.refusal) == (2, None, "too old")


def test_collect_wakes_as_soon_as_the_answer_comes(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(mailbox.collect, 1, 5.0)
        began = time.monotonic()
        queue.answer([(1, Answer(1, None, refusal="too old"))])
        assert waiting.result(2) is not None
    assert time.monotonic() - began < 1.0


def test_everything_with_content_expires(
    broker: "redis.Redis", mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    mailbox.post(a_frame(1), replace=False)
    mailbox.post(a_frame(1, 2), replace=True)
    queue.answer([(2, Answer(1, None, refusal="too old"))])
    left = {key: int(broker.pttl(key)) for key in broker.keys("*")}
    assert set(left) == {
        b"crimeops:frame:1",
        b"crimeops:answer:2",
        b"crimeops:bell",
        b"crimeops:waiting",
    }
    del left[b"crimeops:waiting"]  # the numbers of cameras alone
    assert all(0 < milliseconds <= 5_000 for milliseconds in left.values())


def test_cameras_whose_frames_have_expired_do_not_hide_one_that_waits(
    broker: "redis.Redis", mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    now = time.time()
    for camera_id in (1, 2, 3):
        mailbox.post(a_frame(camera_id, received_at=now - 6), replace=False)
        broker.pexpire(f"crimeops:frame:{camera_id}", 1)
    mailbox.post(a_frame(4, received_at=now), replace=False)
    wait_until(lambda: len(broker.keys("crimeops:frame:*")) == 1, "three frames expired")
    assert taken(queue, 2) == [(4, 1)]


@pytest.mark.parametrize("verb", ["post", "replace", "collect", "take", "answer"])
def test_a_broker_out_of_reach_is_told_quickly_and_without_its_password(
    verb: str, bell: Bell
) -> None:
    transport = RedisTransport.connect(f"redis://:br0ker-secret@127.0.0.1:{free_port()}/0", bell)
    verbs: dict[str, Callable[[], object]] = {
        "post": lambda: transport.post(a_frame(1), replace=False),
        "replace": lambda: transport.post(a_frame(1), replace=True),
        "collect": lambda: transport.collect(1, 5.0),
        "take": lambda: transport.take(1),
        "answer": lambda: transport.answer([(1, Answer(1, None))]),
    }
    began = time.monotonic()
    with pytest.raises(TransportError, match="check REDIS_URL") as trouble:
        verbs[verb]()
    assert time.monotonic() - began < 1.0
    assert "br0ker-secret" not in "".join(traceback.format_exception(trouble.value))
    assert bell.rings == 0


def test_a_broker_that_goes_away_is_told(bell: Bell) -> None:
    with valkey() as url:
        transport = RedisTransport.connect(url, bell)
        assert transport.post(a_frame(1), replace=False)
    with pytest.raises(TransportError):
        transport.post(a_frame(1), replace=False)


# --- what is no frame and no answer --------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [b"", b"x", b"nonsense of another release" * 9, "truncated", "another camera's", "a list"],
    ids=lambda what: str(what)[:20],
)
def test_garbage_in_a_slot_is_dropped_and_costs_no_other_camera(
    garbage: bytes | str,
    mailbox: FrameMailbox,
    queue: FrameQueue,
    broker: "redis.Redis",
    caplog: pytest.LogCaptureFixture,
) -> None:
    for camera_id in (1, 2, 3):
        mailbox.post(a_frame(camera_id), replace=False)
    slot = "crimeops:frame:2"
    whole = broker.get(slot)
    assert isinstance(whole, bytes)
    if garbage == "truncated":
        broker.set(slot, whole[:-1])
    elif garbage == "another camera's":
        broker.copy("crimeops:frame:1", slot, replace=True)
    elif garbage == "a list":
        broker.delete(slot)
        broker.rpush(slot, "x")
    else:
        broker.set(slot, garbage)
    assert sorted(taken(queue)) == [(1, 1), (3, 1)]
    if garbage:
        assert "camera 2: what waited for it is no frame" in caplog.text
    assert taken(queue) == []


def test_a_waiting_name_that_is_no_camera_is_dropped(
    mailbox: FrameMailbox, queue: FrameQueue, broker: "redis.Redis"
) -> None:
    broker.zadd("crimeops:waiting", {b"\xff\xfe": 1.0, b"no number": 2.0})
    mailbox.post(a_frame(1), replace=False)
    assert taken(queue) == [(1, 1)]


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"{}\n", b"\xff\xfe\n", b'{"sequence": 1}\n', b"[1]\n", b"null\n", BAD_OPINION),
        b'{"sequence": Infinity, "refusal": "", "names": {}}\n',
        b'{"sequence": 1, "refusal": "too old", "names": {}, "pace": Infinity}\n',
        b"[" * 100_000,
    ],
    ids=lambda garbage: repr(garbage[:60]),
)
def test_an_answer_that_is_none_is_dropped(
    garbage: bytes, mailbox: FrameMailbox, broker: "redis.Redis"
) -> None:
    broker.rpush("crimeops:answer:1", garbage)
    assert mailbox.collect(1, 1.0) is None
    assert mailbox.collect(1, 0.05) is None


def test_what_holds_a_number_that_is_none_is_left_out_of_an_answer(
    mailbox: FrameMailbox, queue: FrameQueue
) -> None:
    nan, keypoints = float("nan"), np.zeros((17, 3), np.float32)
    broken = keypoints.copy()
    broken[3, 1] = np.nan
    rows = np.array([[1, 2, nan, 4, 0.5, 0], [5, 6, 7, 8, 0.25, 0]], np.float32)
    opinions = (Opinion("fighting", nan), Opinion("fighting", 0.5))
    bodies = (Pose(Box(0, 0, 1, 1), broken), Pose(Box(0, 0, 1, 1), keypoints))
    queue.answer([(1, Answer(1, rows, {0: "person"}, opinions=opinions, bodies=bodies))])
    came = mailbox.collect(1, 1.0)
    assert came is not None and came.rows is not None
    assert came.rows.tolist() == [[5, 6, 7, 8, 0.25, 0]]
    assert came.opinions == (Opinion("fighting", 0.5),)
    assert len(came.bodies) == 1


# --- the pace of the site ------------------------------------------------------------------------


def test_the_pace_is_changed_by_one_and_followed_by_all(
    queue: FrameQueue, broker_url: str, bell: Bell
) -> None:
    other = RedisTransport.connect(broker_url, bell)
    assert queue.share_pace(lambda pace: pace + 1.5) == 1.5
    assert other.share_pace(lambda pace: pace + 9.0) == 1.5, "the turn of this second is taken"

    def next_turn() -> bool:
        return other.share_pace(lambda pace: 2 * pace) == 3.0

    wait_until(next_turn, "the next second has a turn of its own", 3.0)


def test_a_pace_that_is_no_number_is_none(queue: FrameQueue, broker: "redis.Redis") -> None:
    broker.set("crimeops:pace", "quick")
    assert queue.share_pace(lambda pace: pace) == 0.0


def test_an_answer_brings_the_pace(mailbox: FrameMailbox, queue: FrameQueue) -> None:
    queue.answer([(1, Answer(1, None, refusal="too old", pace=1.25))])
    came = mailbox.collect(1, 1.0)
    assert came is not None and came.pace == 1.25


# --- a broker that will not ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "remark"),
    [
        ("maxmemory", "1", "Redis is full; raise its maxmemory"),
        ("min-replicas-to-write", "1", "NoReplicas|cannot be"),
    ],
)
def test_a_broker_that_takes_no_writes_says_why(
    option: str, value: str, remark: str, mailbox: FrameMailbox, broker: "redis.Redis"
) -> None:
    before = str(broker.config_get(option)[option])
    broker.config_set(option, value)
    try:
        with pytest.raises(TransportError, match=remark):
            mailbox.post(a_frame(1), replace=False)
    finally:
        broker.config_set(option, before)
    assert mailbox.post(a_frame(1), replace=False)
