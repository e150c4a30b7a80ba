"""At most one frame of a camera is in flight, and the newest wins."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detection import outbound
from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.domain.moments import WHOLE_PICTURE
from detection.outbound import Outbound, SampledPicture
from detection.ports import TransportError

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CAMERA = 7
PIXELS = np.zeros((4, 4, 3), dtype=np.uint8)
LETTERBOX = Letterbox((4, 4), (4, 4))


def picture(sequence: int) -> SampledPicture:
    taken = START + timedelta(seconds=sequence / 5)
    return SampledPicture(
        Frame(CAMERA, sequence, taken, taken.timestamp(), PIXELS), PIXELS, LETTERBOX
    )


class FakeMailbox:
    """One slot, and whatever the test lets the GPU worker answer. See FrameMailbox."""

    def __init__(self) -> None:
        self.waiting: Frame | None = None
        self.posted: list[int] = []
        self.answers: list[Answer] = []
        self.out_of_reach = False

    def post(self, frame: Frame, *, replace: bool) -> bool:
        self._reach()
        if replace and self.waiting is None:
            return False
        self.waiting = frame
        self.posted.append(frame.sequence)
        return True

    def collect(self, camera_id: int, timeout_seconds: float) -> Answer | None:
        assert camera_id == CAMERA
        self._reach()
        return self.answers.pop(0) if self.answers else None

    def take(self) -> int:
        """The GPU worker takes what waits."""
        assert self.waiting is not None
        frame, self.waiting = self.waiting, None
        return frame.sequence

    def analyse(self) -> None:
        """The GPU worker takes what waits and answers it."""
        self.answers.append(Answer(self.take(), np.zeros((0, 6), np.float32)))

    def _reach(self) -> None:
        if self.out_of_reach:
            raise TransportError("the mailbox is away")


POSIX = 1_700_000_000.0


class Clock:
    """Stands in for the module `time`."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return POSIX + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(outbound, "time", clock)
    return clock


@pytest.fixture
def mailbox() -> FakeMailbox:
    return FakeMailbox()


@pytest.fixture
def sender(mailbox: FakeMailbox, clock: Clock) -> Outbound:
    return Outbound(mailbox, CAMERA, max_age_seconds=1.0)


def collected(sender: Outbound) -> int | None:
    found = sender.collect(0)
    if found is None:
        return None
    answer, asked = found
    assert answer.sequence == asked.frame.sequence
    return answer.sequence


def test_the_first_frame_is_posted_at_once(sender: Outbound, mailbox: FakeMailbox) -> None:
    sender.offer(picture(1))
    assert mailbox.posted == [1]
    assert sender.take_skipped() == 0


def test_a_frame_that_still_waits_is_replaced_by_a_newer_one(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    for sequence in (1, 2, 3):
        sender.offer(picture(sequence))
    assert mailbox.take() == 3
    assert sender.take_skipped() == 2


def test_while_one_is_analysed_nothing_more_is_posted(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    sender.offer(picture(1))
    mailbox.take()
    sender.offer(picture(2))
    assert mailbox.posted == [1]


def test_the_newest_is_held_and_posted_when_the_answer_comes(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    sender.offer(picture(1))
    mailbox.analyse()
    for sequence in (2, 3, 4):
        sender.offer(picture(sequence))
    assert collected(sender) == 1
    assert mailbox.posted == [1, 4]
    assert sender.take_skipped() == 2
    mailbox.analyse()
    assert collected(sender) == 4


def test_an_answer_comes_with_the_picture_it_is_about(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    asked = picture(1)
    sender.offer(asked)
    mailbox.analyse()
    found = sender.collect(0)
    assert found is not None
    assert found[1].original is asked.original
    assert found[1].posted_at == POSIX + clock.now


def test_an_answer_to_a_replacement_comes_with_the_replacement(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    sender.offer(picture(1))
    sender.offer(picture(2))
    mailbox.analyse()
    assert collected(sender) == 2


def test_without_an_answer_nothing_is_collected(sender: Outbound, mailbox: FakeMailbox) -> None:
    assert collected(sender) is None
    sender.offer(picture(1))
    assert collected(sender) is None
    assert mailbox.posted == [1]


def test_after_an_answer_the_next_frame_is_posted_at_once(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    for sequence in (1, 2, 3):
        sender.offer(picture(sequence))
        mailbox.analyse()
        assert collected(sender) == sequence
    assert mailbox.posted == [1, 2, 3]
    assert sender.take_skipped() == 0


def test_a_refusal_is_an_answer_too(sender: Outbound, mailbox: FakeMailbox) -> None:
    sender.offer(picture(1))
    mailbox.answers.append(Answer(mailbox.take(), None, refusal="too old"))
    assert collected(sender) == 1
    sender.offer(picture(2))
    assert mailbox.posted == [1, 2]


def test_a_frame_whose_answer_never_comes_is_given_up(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    sender.offer(picture(1))
    mailbox.take()
    clock.now += 3.0
    sender.offer(picture(15))
    assert mailbox.posted == [1]
    clock.now += 0.1
    sender.offer(picture(16))
    assert mailbox.posted == [1, 16]


def test_an_answer_to_a_frame_that_was_given_up_is_ignored(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    sender.offer(picture(1))
    mailbox.analyse()
    clock.now += 3.1
    sender.offer(picture(16))
    assert collected(sender) is None
    mailbox.analyse()
    assert collected(sender) == 16


def test_when_a_frame_is_given_up_no_older_one_is_posted_after_a_newer_one(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    sender.offer(picture(1))
    mailbox.take()
    sender.offer(picture(15))  # held, while 1 is thought to be analysed
    clock.now += 3.1
    sender.offer(picture(16))
    mailbox.analyse()
    assert collected(sender) == 16
    assert mailbox.posted == [1, 16]
    assert sender.take_skipped() == 2


def test_a_mailbox_that_cannot_be_reached_costs_the_frame_and_is_named(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    mailbox.out_of_reach = True
    sender.offer(picture(1))
    sender.offer(picture(2))
    assert sender.take_skipped() == 2
    assert sender.fault == "the mailbox is away"


def test_when_the_mailbox_is_back_frames_go_out_and_the_fault_is_forgotten(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    mailbox.out_of_reach = True
    sender.offer(picture(1))
    mailbox.out_of_reach = False
    sender.offer(picture(2))
    assert mailbox.posted == [2]
    assert sender.fault == ""


def test_a_frame_that_cannot_replace_is_held_and_the_fault_is_named(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    sender.offer(picture(1))
    mailbox.out_of_reach = True
    sender.offer(picture(2))
    assert sender.fault == "the mailbox is away"
    mailbox.out_of_reach = False
    mailbox.analyse()
    assert collected(sender) == 1
    assert mailbox.posted == [1, 2]


def test_a_held_frame_that_cannot_be_posted_is_skipped_and_its_predecessors_answer_is_not_lost(
    sender: Outbound, mailbox: FakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.offer(picture(1))
    mailbox.analyse()
    sender.offer(picture(2))
    answer = mailbox.answers.pop()

    def answer_and_break(camera_id: int, timeout_seconds: float) -> Answer:
        mailbox.out_of_reach = True
        return answer

    monkeypatch.setattr(mailbox, "collect", answer_and_break)
    assert collected(sender) == 1
    assert sender.take_skipped() == 1
    assert sender.fault == "the mailbox is away"


def test_a_mailbox_that_failed_is_left_alone_for_a_second(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    mailbox.out_of_reach = True
    assert sender.wants()
    sender.offer(picture(1))
    clock.now += 0.9
    assert not sender.wants()
    clock.now += 0.11
    assert sender.wants()
    assert sender.take_skipped() == 2


def test_a_mailbox_that_breaks_while_waiting_is_said_to_the_watch(
    sender: Outbound, mailbox: FakeMailbox
) -> None:
    mailbox.out_of_reach = True
    with pytest.raises(TransportError):
        sender.collect(0)


# --- under a pace ------------------------------------------------------------------------------


def answered_with_pace(
    sender: Outbound, mailbox: FakeMailbox, pace: float, sequence: int = 1
) -> None:
    sender.offer(picture(sequence))
    mailbox.take()
    mailbox.answers.append(Answer(sequence, np.zeros((0, 6), np.float32), pace=pace))
    assert collected(sender) == sequence


def test_without_a_pace_every_frame_has_a_place(sender: Outbound, mailbox: FakeMailbox) -> None:
    assert sender.wants()
    answered_with_pace(sender, mailbox, 0.0)
    assert sender.wants()
    sender.offer(picture(2))
    assert sender.wants(), "it may replace the one that waits"
    assert sender.take_skipped() == 0


def test_under_a_pace_no_frame_is_wanted_before_it_is_due_and_it_is_counted(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    answered_with_pace(sender, mailbox, 1.0)
    clock.now += 0.9
    assert not sender.wants()
    clock.now += 0.1
    assert sender.wants()
    assert sender.take_skipped() == 1


def test_a_camera_whose_frames_come_in_steps_keeps_the_pace_on_average(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    answered_with_pace(sender, mailbox, 1.0)
    sent, began = 0, clock.now
    while clock.now < began + 29.9:
        clock.now += 0.4
        if sender.wants():
            sent += 1
            answered_with_pace(sender, mailbox, 1.0, sequence=1 + sent)
    assert sent in (29, 30)


def test_a_frame_that_waits_long_is_replaced_under_a_pace_too(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    answered_with_pace(sender, mailbox, 1.0)
    clock.now += 1.0
    sender.offer(picture(2))
    clock.now += 0.2
    assert not sender.wants()
    clock.now += 0.11
    assert sender.wants()
    sender.offer(picture(3))
    assert mailbox.take() == 3
    clock.now += 0.2
    assert not sender.wants(), "what was sent a moment ago is new enough"


def test_a_pace_that_nobody_repeats_is_forgotten(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    answered_with_pace(sender, mailbox, 60.0)
    clock.now += 5.0
    assert not sender.wants()
    clock.now += 0.1
    assert sender.wants()


def test_a_held_frame_that_is_not_due_is_skipped(
    sender: Outbound, mailbox: FakeMailbox, clock: Clock
) -> None:
    sender.offer(picture(1))
    mailbox.take()
    sender.offer(picture(2))
    mailbox.answers.append(Answer(1, np.zeros((0, 6), np.float32), pace=1.0))
    assert collected(sender) == 1
    assert mailbox.posted == [1]
    assert sender.take_skipped() == 1


# --- close-ups -----------------------------------------------------------------------------------

CLOSE_UP = CloseUp(WHOLE_PICTURE, WHOLE_PICTURE, (0.0,), np.zeros((1, 4, 4), np.uint8), ())


class Lookout:
    """Has something to look at whenever it is asked, and counts how often that is."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def next_close_up(self, at: float) -> CloseUp | None:
        self.asked.append(at)
        return CLOSE_UP if len(self.asked) == 1 else None


def test_a_close_up_travels_with_the_next_frame_that_is_posted(
    mailbox: FakeMailbox, clock: Clock
) -> None:
    lookout = Lookout()
    sender = Outbound(mailbox, CAMERA, 1.0, lookout.next_close_up)
    sender.offer(picture(1))
    assert mailbox.waiting is not None and mailbox.waiting.close_up is CLOSE_UP
    assert lookout.asked == [picture(1).frame.captured_at.timestamp()]


def test_a_frame_that_replaces_one_takes_its_close_up_over(
    mailbox: FakeMailbox, clock: Clock
) -> None:
    sender = Outbound(mailbox, CAMERA, 1.0, Lookout().next_close_up)
    sender.offer(picture(1))
    sender.offer(picture(2))
    assert mailbox.waiting is not None
    assert (mailbox.waiting.sequence, mailbox.waiting.close_up) == (2, CLOSE_UP)


def test_under_a_pace_no_close_up_is_sent(mailbox: FakeMailbox, clock: Clock) -> None:
    lookout = Lookout()
    sender = Outbound(mailbox, CAMERA, 1.0, lookout.next_close_up)
    sender._pace, sender._paced_at = 0.5, clock.now
    sender.offer(picture(1))
    assert mailbox.waiting is not None and mailbox.waiting.close_up is None
    assert lookout.asked == []
