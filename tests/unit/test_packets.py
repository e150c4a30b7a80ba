"""The last seconds of a camera's packets: whole groups of pictures, within seconds and bytes."""

from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest

from detection.domain.packets import CodedPacket, Coding, PacketRing
from detection.sources.packets import PacketNotes

CODING = Coding("h264", 640, 360)
BEGAN = 1_000_000.0


def send(
    ring: PacketRing, first: int, last: int, *, key_every: int = 5, size: int = 100, fps: float = 1
) -> None:
    for number in range(first, last + 1):
        ring.append(CODING, number / fps, BEGAN, number % key_every == 0, size, b"")


def places(packets: list[CodedPacket]) -> list[int]:
    return [round(packet.place) for packet in packets]


def a_ring(seconds: float = 12, most_bytes: int = 1_000_000) -> PacketRing:
    ring = PacketRing(seconds, most_bytes)
    ring.begin_segment()
    return ring


def test_a_ring_reaches_back_to_the_key_frame_before_its_seconds() -> None:
    ring = a_ring(seconds=12)
    send(ring, 0, 33)
    held = ring.since(0)
    assert places(held) == list(range(20, 34)), "21 would be 12 s ago, and 20 is the key before"
    assert held[0].is_key


@pytest.mark.parametrize(("wanted", "begins"), [(27, 25), (25, 25), (24.9, 20), (3, 20), (40, 30)])
def test_what_is_asked_for_begins_at_a_key_frame_at_or_before_the_moment(
    wanted: float, begins: int
) -> None:
    ring = a_ring(seconds=12)
    send(ring, 0, 33)
    assert places(ring.since(BEGAN + wanted)) == list(range(begins, 34))


def test_whoever_follows_gets_each_packet_once_and_in_order() -> None:
    ring = a_ring()
    taken: list[CodedPacket] = []
    for number in range(0, 60, 7):
        send(ring, number, number + 6)
        taken += ring.after(taken[-1].number if taken else 0)
    assert places(taken) == list(range(63))


def test_whoever_falls_behind_gets_what_is_left_and_can_tell_by_the_numbers() -> None:
    ring = a_ring(seconds=4)
    send(ring, 0, 5)
    last = ring.after(0)[-1].number
    send(ring, 6, 40)
    late = ring.after(last)
    assert places(late) == list(range(35, 41))
    assert late[0].number > last + 1


def test_bytes_bound_it_too_and_a_group_goes_as_a_whole() -> None:
    ring = a_ring(seconds=1000, most_bytes=1_200)
    send(ring, 0, 33)
    assert places(ring.since(0)) == list(range(25, 34))
    assert ring.held_bytes == 900


def test_a_clip_cannot_begin_within_a_group_larger_than_all_the_memory_but_goes_on() -> None:
    ring = a_ring(seconds=1000, most_bytes=1_000)
    taken: list[CodedPacket] = []
    for number in range(0, 44, 4):
        send(ring, number, number + 3, key_every=40)
        taken += ring.after(taken[-1].number if taken else 0)
        assert 0 < ring.held_bytes <= 1_000
        if 12 <= number < 40:
            assert ring.since(0) == []
    assert places(taken) == list(range(44))
    assert places(ring.since(0)) == [40, 41, 42, 43]


def test_a_packet_larger_than_all_the_memory_is_not_held() -> None:
    ring = a_ring(most_bytes=1_000)
    send(ring, 0, 0, size=2_000)
    assert (ring.since(0), ring.held_bytes) == ([], 0)
    send(ring, 1, 6)
    assert places(ring.since(0)) == [5, 6]


def test_nothing_is_kept_before_the_first_key_frame() -> None:
    ring = a_ring()
    send(ring, 1, 4)
    assert ring.since(0) == []
    assert ring.newest is None
    assert ring.held_seconds == 0


def test_a_new_connection_leans_on_nothing_of_the_one_before() -> None:
    ring = a_ring(seconds=100)
    send(ring, 0, 7)
    ring.begin_segment()
    send(ring, 8, 13)
    held = ring.since(0)
    assert places(held) == [*range(8), *range(10, 14)], "8 and 9 have no key frame of theirs"
    assert [one.place for one, two in pairwise(held) if one.segment != two.segment] == [7]


class Nonsense:
    """A packet of which nothing can be said."""

    size = 10

    @property
    def pts(self) -> int:
        raise ValueError("no such time")


def test_packets_that_cannot_be_understood_cost_the_reader_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ring = a_ring()
    stream = SimpleNamespace(codec_context=None, time_base=0.01, average_rate=25)
    notes = PacketNotes(ring, stream, by_arrival=False)
    notes.date(0.0, datetime(2026, 6, 1, tzinfo=UTC))
    for _ in range(3):
        notes.keep(Nonsense())
    assert ring.newest is None
    assert len(caplog.records) == 1, "said once, and not for each packet"
