"""The soak's judgement: a promise that its records show broken is found, and nothing else is."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simulators.laravel.records import Violation
from tests.soak import books, coverage, memory, silence, watchers
from tests.soak.books import Books, Delivery, Episode, Received
from tests.soak.conductor import Inflicted
from tests.soak.coverage import Told
from tests.soak.faults import BY_NAME, TABLE
from tests.soak.parts import RssReading
from tests.soak.sampler import Sample
from tests.soak.schedule import MOST_AT_ONCE, plan
from tests.soak.sessions import Session
from tests.soak.silence import ControlClosed, WatcherLost
from tests.soak.story import Passage
from tests.soak.verdict import Verdict, is_late_beat

# --- the schedule --------------------------------------------------------------------------------


def test_a_schedule_is_had_again_by_its_seed() -> None:
    assert plan(seed=7, seconds=1800, cameras=10) == plan(seed=7, seconds=1800, cameras=10)
    assert plan(seed=7, seconds=1800, cameras=10) != plan(seed=8, seconds=1800, cameras=10)


@pytest.mark.parametrize("seed", range(20))
def test_a_schedule_strikes_no_part_twice_at_once_and_ends_in_time(seed: int) -> None:
    planned = plan(seed=seed, seconds=1800, cameras=10)
    assert {fault.fault for fault in planned} == {fault.name for fault in TABLE}
    assert all(fault.ends <= 1800 for fault in planned)
    for at, fault in enumerate(planned):
        under_way = [earlier for earlier in planned[:at] if earlier.ends > fault.begins]
        assert len(under_way) < MOST_AT_ONCE
        assert fault.part not in {earlier.part for earlier in under_way}


def test_two_faults_are_sometimes_under_way_together() -> None:
    planned = plan(seed=1, seconds=1800, cameras=10)
    assert any(later.begins < earlier.ends for earlier, later in pairwise(planned))


# --- reports -------------------------------------------------------------------------------------

EPISODE = Episode("e1", 3, "cleared", decided_at=100.0, started_at=99.0, ended_at=120.0)
OUTBOX = [
    Delivery("d1", "e1", "alert", 1, "superseded", 0, ""),
    Delivery("d2", "e1", "alert", 2, "delivered", 1, ""),
    Delivery("d3", "e1", "crime", 3, "delivered", 1, ""),
    Delivery("d4", "e1", "stop", 4, "delivered", 1, ""),
]
CRIME = Received("crime", "d3", 3, 106.0, "trespassing 1970-01-01T00:01:39")
KEPT = Books(
    episodes=[EPISODE],
    steps=[("e1", "opened"), ("e1", "confidence"), ("e1", "confirmed"), ("e1", "cleared")],
    deliveries=OUTBOX,
    received=[Received("alert", "d2", 3, 101.0), CRIME, Received("stop", "d4", 3, 121.0)],
    refused_keys=frozenset(),
)


def test_books_that_agree_have_lost_and_repeated_nothing() -> None:
    assert books.lost_reports(KEPT) == []
    assert books.repeated_reports(KEPT) == []
    assert books.out_of_order(KEPT) == []


def test_a_report_that_is_not_in_the_outbox_is_lost() -> None:
    (finding,) = books.lost_reports(replace(KEPT, deliveries=[*OUTBOX[:2], OUTBOX[3]]))
    assert "episode e1 (camera 3): 1 × crime written, 0 in the outbox" in finding


def test_a_report_that_waits_at_the_end_is_lost() -> None:
    waiting = replace(OUTBOX[2], status="pending", attempts=4, last_error="no answer in time")
    written = replace(
        KEPT,
        deliveries=[*OUTBOX[:2], waiting, OUTBOX[3]],
        received=[KEPT.received[0], KEPT.received[2]],
    )
    (finding,) = books.lost_reports(written)
    assert "its crime d3 is pending after 4 attempts" in finding
    assert "no answer in time" in finding


def test_a_report_that_only_the_cluster_believes_delivered_is_lost() -> None:
    (finding,) = books.lost_reports(replace(KEPT, received=[KEPT.received[0], CRIME]))
    assert "its stop d4 is delivered after 1 attempts and never arrived" in finding


def test_a_refusal_is_lost_unless_the_back_end_made_it_of_its_own_accord() -> None:
    refused = replace(OUTBOX[2], status="refused")
    written = replace(
        KEPT,
        deliveries=[*OUTBOX[:2], refused, OUTBOX[3]],
        received=[KEPT.received[0], KEPT.received[2]],
    )
    assert len(books.lost_reports(written)) == 1
    assert books.lost_reports(replace(written, refused_keys=frozenset({"d3"}))) == []


def test_an_alert_that_no_newer_one_replaced_is_lost() -> None:
    written = replace(KEPT, received=[CRIME, KEPT.received[2]])
    assert len(books.lost_reports(written)) == 2


def test_an_episode_that_never_ends_has_lost_its_stop() -> None:
    (finding,) = books.lost_reports(
        replace(KEPT, episodes=[replace(EPISODE, ended_at=None, status="confirmed")])
    )
    assert "still open" in finding


def test_a_key_that_is_acted_upon_twice_is_a_repetition() -> None:
    (finding, *_) = books.repeated_reports(
        replace(KEPT, received=[*KEPT.received, KEPT.received[0]])
    )
    assert finding == "the back end acted 2 times on alert d2"


def test_a_crime_that_comes_again_under_another_key_is_a_repetition() -> None:
    for key in ("", "another"):
        again = replace(CRIME, key=key)
        (finding,) = books.repeated_reports(replace(KEPT, received=[*KEPT.received, again]))
        assert finding == "episode e1 (camera 3): 2 crimes of type trespassing at the back end"


def test_a_stop_before_its_crime_is_out_of_order() -> None:
    early = replace(KEPT.received[2], at=102.0)
    assert len(books.out_of_order(replace(KEPT, received=[*KEPT.received[:2], early]))) == 1


# --- passages ------------------------------------------------------------------------------------

PASSAGE = Passage(3, 1000.0, 1027.0, whole=True)


def _samples(begin: float, end: float, watched: set[int], sounding: set[int]) -> list[Sample]:
    return [
        Sample(begin + at / 2, frozenset(watched), frozenset(sounding), {3: "127.0.0.2"})
        for at in range(int((end - begin) * 2) + 1)
    ]


def _inflicted(name: str, part: str, begun: float, recovered: float) -> Inflicted:
    return Inflicted(BY_NAME[name], part, begun, recovered, recovered)


def _fate(
    *faults: Inflicted,
    crimes: list[Told] | None = None,
    passage: Passage = PASSAGE,
    watched: bool = True,
    sessions: list[Session] | None = None,
) -> str:
    allowed = coverage.excuses(faults, sessions or [], [3], 2000.0)
    samples = _samples(990.0, 1040.0, {3} if watched else set(), set())
    (fate,) = coverage.fates([passage], crimes or [], samples, allowed)
    return fate.outcome


def test_a_passage_is_told_by_a_crime_that_lies_within_it() -> None:
    crime = Told(3, "trespassing", 999.0, 1006.0, 1006.5, "d3")
    assert _fate(crimes=[crime]) == "told"
    assert _fate(crimes=[replace(crime, starts_at=997.9)]) == "lost"
    assert _fate(crimes=[replace(crime, ends_at=1029.1)]) == "lost"
    assert _fate(crimes=[replace(crime, camera_id=2)]) == "lost"


@pytest.mark.parametrize(
    "name",
    [fault.name for fault in TABLE if fault.part in ("broker", "database", "backend", "alarms")]
    + ["kill -9 reports", "pause reports", "kill -9 beat", "back end takes camera back"],
)
def test_nothing_but_a_watcher_or_a_camera_excuses_a_passage(name: str) -> None:
    part = BY_NAME[name].part
    fault = _inflicted(name, "camera-3" if part == "camera" else part, 1000.0, 1020.0)
    assert _fate(fault, watched=False) == "lost"


def test_a_camera_excuses_its_own_passage_and_no_other() -> None:
    fault = _inflicted("camera freezes", "camera-3", 1010.0, 1015.0)
    assert _fate(fault, watched=False) == "excused"
    assert _fate(replace(fault, part="camera-2"), watched=False) == "lost"


def test_an_excuse_ends_with_the_time_for_the_take_over() -> None:
    assert _fate(_inflicted("pause gpu", "gpu", 950.0, 981.0), watched=False) == "excused"
    assert _fate(_inflicted("pause gpu", "gpu", 950.0, 979.0), watched=False) == "lost"


def test_what_was_watched_throughout_needs_its_crime_whatever_was_inflicted() -> None:
    assert _fate(_inflicted("pause gpu", "gpu", 980.0, 985.0), watched=True) == "lost"


def test_a_worker_excuses_what_it_watched_but_not_what_another_watched_all_the_while() -> None:
    fault = _inflicted("kill -9 streams-a", "streams-a", 1005.0, 1015.0)
    own = Session(3, 5000, 900.0, 1005.0, "streams-a")
    other = Session(3, 5001, 900.0, None, "streams-b")
    assert _fate(fault, watched=False, sessions=[own]) == "excused"
    assert _fate(fault, watched=False, sessions=[other]) == "lost"
    assert _fate(fault, watched=False, sessions=[replace(other, closed_at=1010.0)]) == "excused"


def test_a_passage_whose_film_was_changed_need_not_be_told() -> None:
    assert _fate(passage=replace(PASSAGE, whole=False)) == "cut"


def test_a_camera_that_nobody_watches_at_the_end_is_forsaken() -> None:
    samples = [*_samples(1000.0, 1100.0, {3}, set()), *_samples(1100.5, 1110.0, {2}, set())]
    assert coverage.forsaken(samples, [2, 3]) == [3]
    assert coverage.forsaken(samples[:-10], [3]) == [3]
    assert coverage.forsaken(samples[:-18], [3]) == []


def test_uncovered_seconds_are_counted_and_those_of_the_camera_itself_told_apart() -> None:
    samples = [
        *_samples(1000.0, 1010.0, {3}, set()),
        *_samples(1010.5, 1020.0, set(), set()),
        *_samples(1020.5, 1030.0, {3}, set()),
    ]
    fault = _inflicted("camera freezes", "camera-3", 990.0, 995.0)
    allowed = coverage.excuses([fault], [], [3], 2000.0)
    missed = coverage.uncovered(samples, [3], allowed, 1000.0)
    assert missed.seconds == pytest.approx(10.0)
    assert missed.by_cameras == pytest.approx(5.0)  # to 1015, take-over included


# --- watchers ------------------------------------------------------------------------------------


def test_two_sessions_for_longer_than_a_hand_over_are_two_watchers() -> None:
    first = Session(3, 5000, 100.0, 160.0, "streams-a")
    second = Session(3, 5001, 150.0, None, "streams-b")
    (finding,) = watchers.two_sessions([first, second], [], 200.0)
    assert finding == "camera 3: streams-a and streams-b watched it at once for 10.0 s"
    assert watchers.two_sessions([replace(first, closed_at=154.0), second], [], 200.0) == []
    assert watchers.two_sessions([replace(first, camera_id=2), second], [], 200.0) == []


def test_a_session_of_a_paused_worker_watches_nothing() -> None:
    first = Session(3, 5000, 100.0, 163.0, "streams-a")
    second = Session(3, 5001, 150.0, None, "streams-b")
    pause = watchers.Pause("streams-a", 140.0, 160.0)
    assert watchers.two_sessions([first, second], [pause], 200.0) == []
    late = replace(first, closed_at=171.0)
    assert len(watchers.two_sessions([late, second], [pause], 200.0)) == 1


def test_to_beat_for_a_camera_that_another_holds_is_to_be_a_second_watcher() -> None:
    samples = _samples(100.0, 120.0, {3}, set())
    assert watchers.two_claimants([watchers.Beat(110.0, "127.0.0.2", (3,))], samples) == []
    assert len(watchers.two_claimants([watchers.Beat(110.0, "127.0.0.3", (3,))], samples)) == 1
    assert watchers.two_claimants([watchers.Beat(110.0, "127.0.0.3", (4,))], samples) == []


# --- sirens --------------------------------------------------------------------------------------


def _left_on(until: float, **changes: object) -> list[silence.LeftOn]:
    closed = changes.pop("closed", [])
    deaths = changes.pop("deaths", {})
    episode = Episode("e1", 3, "cleared", 100.0, 99.0, 120.0)
    samples = _samples(100.0, until, {3}, {3})
    return silence.left_on(samples, [replace(episode, **changes)], deaths, closed)  # type: ignore[arg-type]


def test_a_siren_may_sound_for_thirty_seconds_after_its_episode_and_no_longer() -> None:
    assert _left_on(150.0) == []
    (stretch,) = _left_on(153.0)
    assert (stretch.camera_id, stretch.from_at, stretch.to_at) == (3, 150.5, 153.0)
    assert stretch.episode_id == "e1"


def test_a_siren_must_not_outlast_its_longest_time_though_the_episode_goes_on() -> None:
    assert _left_on(160.0, ended_at=None) == []
    assert _left_on(161.0, ended_at=None) != []


def test_the_death_of_its_watcher_is_the_end_of_an_episode() -> None:
    assert _left_on(140.0, deaths={"e1": 110.0}) == []
    assert _left_on(141.0, deaths={"e1": 110.0}) != []


def test_a_camera_that_cannot_be_spoken_to_is_silenced_when_it_can() -> None:
    closed = [ControlClosed(3, 118.0, 140.0)]
    assert _left_on(170.0, closed=closed) == []
    assert _left_on(171.0, closed=closed) != []
    assert _left_on(151.0, closed=[ControlClosed(2, 118.0, 140.0)]) != []


def test_a_siren_of_which_no_episode_is_known_is_left_on_too() -> None:
    samples = _samples(100.0, 101.0, {3}, {3})
    assert silence.left_on(samples, [], {}, []) != []
    assert silence.left_on(samples, [], {}, [], [WatcherLost(2, 102.0)]) != []


def test_a_watcher_that_was_lost_may_have_had_an_episode_that_it_did_not_write() -> None:
    lost = [WatcherLost(3, 110.0)]
    assert silence.left_on(_samples(100.0, 129.0, {3}, {3}), [], {}, [], lost) == []
    assert silence.left_on(_samples(100.0, 131.0, {3}, {3}), [], {}, [], lost) != []


def test_a_siren_that_is_sounded_again_after_its_episode_is_left_on() -> None:
    again = _samples(200.0, 202.0, {3}, {3})
    assert silence.left_on(again, [EPISODE], {}, []) != []
    assert silence.left_on(again, [EPISODE], {}, [], [WatcherLost(3, 205.0)]) == []


def test_an_episode_without_a_siren_is_found_unless_the_camera_could_not_be_spoken_to() -> None:
    def silent(sounded_at: list[float], *closed: ControlClosed, **deaths: float) -> bool:
        return bool(silence.unsounded([EPISODE], {3: sounded_at}, deaths, closed))

    assert silent([])
    assert silent([99.0, 131.0])
    assert not silent([100.1])
    assert not silent([], ControlClosed(3, 95.0, 101.0))
    assert silent([], ControlClosed(2, 95.0, 101.0))
    assert silent([], ControlClosed(3, 112.0, 118.0))
    assert not silent([], e1=105.0)


# --- the verdict ---------------------------------------------------------------------------------

BLAMELESS = Verdict(
    lost=[],
    duplicated=[],
    sirens_left_on=[],
    uncovered=coverage.Uncovered(0.0, 0.0, {}),
    watched_seconds=0.0,
    rss_growth={},
    fates=[],
    episodes=1,
    told={},
    siren_latency=[],
    crime_latency=[],
    unsounded=[],
    out_of_order=[],
    stray=[],
    violations=[],
    restarts={},
    locked=[],
)
PROMISES = ["lost", "duplicated", "sirens_left_on", "unsounded", "out_of_order", "violations"]


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_that_broke_fails_the_run(promise: str) -> None:
    assert BLAMELESS.kept
    assert not replace(BLAMELESS, **{promise: ["what broke"]}).kept  # type: ignore[arg-type]


def test_only_a_beat_that_was_let_through_is_no_violation() -> None:
    beat = Violation(1.0, "127.0.0.2", "POST", "/api/model/heartbeat", 200, "not held")
    assert is_late_beat(beat)
    assert not is_late_beat(replace(beat, status=422))
    assert not is_late_beat(replace(beat, path="/api/model/alert"))


# --- memory --------------------------------------------------------------------------------------


def test_growth_is_measured_from_the_warm_up_of_each_process_that_lived_long() -> None:
    def readings(process: str, seconds: int) -> list[RssReading]:
        return [
            RssReading(at, process, 50_000 if at < 60 else 100_000 + 10 * at)
            for at in range(0, seconds, 5)
        ]

    grown = memory.growth([*readings("gpu.1", 600), *readings("beat.2", 90)])
    assert grown == {"gpu.1": pytest.approx(5.2, abs=0.2)}
