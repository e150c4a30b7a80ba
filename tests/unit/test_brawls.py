"""Fighting and assault, by what a fight model says twice a second and how two people stand.

Frames come five times a second, an opinion with every third: at 0.0, 0.6, 1.2 and so on. The
picture is as wide as high, so that shares of its sides can be compared.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from detection.detectors.fights import FightModel
from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import FIGHTING, Keypoints, Moment, Opinion
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.assault import Assault
from detection.rules.brawl import Brawl
from detection.rules.fighting import Fighting
from detection.rules.quarrels import ALARM_PROBABILITY
from detection.rules.settings import Layer, Settings

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RATE = 5
OPINION_EVERY = 3
LEFT, RIGHT = Box(0.4, 0.4, 0.5, 0.65), Box(0.5, 0.4, 0.6, 0.65)  # two who stand, 0.25 high
LYING = Box(0.5, 0.57, 0.75, 0.65)
PLACE = Box(0.38, 0.38, 0.77, 0.67)


def moment(
    number: int,
    *people: Box,
    opinions: Sequence[Opinion] = (),
    bodies: dict[int, Keypoints] | None = None,
    profile: Profile | None = None,
) -> Moment:
    tracks = [Track(i, "person", 0.9, box) for i, box in enumerate(people, start=1)]
    at = START + timedelta(seconds=number / RATE)
    return Moment(at, tracks, bodies or {}, opinions, profile=profile, aspect=1.0)


def scene(
    said: Sequence[float], *courses: Sequence[Box], frames: int | None = None
) -> list[Moment]:
    """Opinions in a row and the boxes of each person, the last one kept, frame by frame."""
    moments = []
    for number in range(frames or OPINION_EVERY * len(said)):
        turn, rest = divmod(number, OPINION_EVERY)
        now = [Opinion(FIGHTING, said[turn], PLACE)] if not rest and turn < len(said) else []
        people = [course[min(number, len(course) - 1)] for course in courses]
        moments.append(moment(number, *people, opinions=now))
    return moments


def strongest(rule: Brawl, moments: Sequence[Moment]) -> list[float]:
    """By frame; 0 where nothing is said."""
    return [max((s.confidence for s in rule.observe(m)), default=0.0) for m in moments]


def fighting(*layers: Layer, zones: Sequence[Zone] = ()) -> Fighting:
    return Fighting(zones, Settings(layers))


def assault() -> Assault:
    return Assault((), Settings())


def at_opinions(confidences: Sequence[float]) -> list[float]:
    return [round(value, 1) for value in confidences[::OPINION_EVERY]]


STANDING = ([LEFT], [RIGHT])


# --- how sure ------------------------------------------------------------------------------------


def test_the_alarm_is_where_the_shipped_model_has_it() -> None:
    assert FightModel().threshold == ALARM_PROBABILITY


@pytest.mark.parametrize(
    ("probability", "confidence"), [(0.67, 50.0), (0.785, 67.5), (0.9, 85.0), (1.0, 95.0)]
)
def test_steady_opinions_are_worth_their_probability(probability: float, confidence: float) -> None:
    found = at_opinions(strongest(fighting(), scene([probability] * 6, *STANDING)))
    assert found[0] < 50.0
    assert found[1:] == pytest.approx([confidence] * 5, abs=0.1)


def test_one_opinion_however_sure_never_reaches_50() -> None:
    found = strongest(fighting(), scene([1.0], *STANDING, frames=20))
    assert max(found) == pytest.approx(48.5, abs=0.1)
    assert found[13:] == [0.0] * 7, "it is forgotten after 2.5 s"


def test_one_sure_opinion_among_calm_ones_never_reaches_50() -> None:
    found = strongest(fighting(), scene([0.1, 0.2, 1.0, 0.2, 0.1, 0.1], *STANDING))
    assert max(found) < 50.0


def test_a_fight_that_begins_is_suspected_with_its_second_sure_opinion() -> None:
    found = at_opinions(strongest(fighting(), scene([0.1, 0.1, 0.9, 0.9, 0.9], *STANDING)))
    assert [value >= 50.0 for value in found] == [False, False, False, True, True]


def test_a_fight_that_ends_is_forgotten() -> None:
    found = strongest(fighting(), scene([0.9] * 4, *STANDING, frames=30))
    assert found[9] == pytest.approx(85.0)
    assert found[22:] == [0.0] * 8
    assert max(found[20:22]) < 50.0, "what is left is a single opinion"


def test_calm_people_are_not_worth_a_word() -> None:
    assert max(strongest(fighting(), scene([0.1] * 6, *STANDING))) == 0.0


def test_opinions_of_two_places_do_not_add_up() -> None:
    rule, far = fighting(), Box(0.0, 0.4, 0.2, 0.7)
    found = []
    for number in range(8):
        place = PLACE if number % 2 else far
        said = [Opinion(FIGHTING, 0.95, place)] if number < 2 else []
        found += rule.observe(moment(number, LEFT, RIGHT, opinions=said))
    assert max(s.confidence for s in found) < 50.0


def test_other_labels_are_no_fight() -> None:
    rule = fighting()
    for number in range(6):
        assert rule.observe(moment(number, LEFT, opinions=[Opinion("dancing", 1.0, PLACE)])) == []


def test_who_is_in_the_place_is_named() -> None:
    stranger = Box(0.8, 0.4, 0.9, 0.65)
    found = last(fighting(), scene([0.9] * 3, [LEFT], [RIGHT], [stranger]))
    assert found.crime_type is CrimeType.FIGHTING
    assert found.track_ids == (1, 2)
    assert found.reason == (
        "persons 1 and 2 seem to fight, with a probability of 0.90, watched for 1.6 s"
    )


def test_a_fight_of_people_whom_the_tracker_misses_is_one_all_the_same() -> None:
    found = last(fighting(), scene([0.9] * 3))
    assert found.confidence == pytest.approx(85.0)
    assert found.track_ids == ()


def last(rule: Brawl, moments: Sequence[Moment]) -> Suspicion:
    (found,) = [rule.observe(m) for m in moments][-1]
    return found


# --- settings ------------------------------------------------------------------------------------


def test_small_people_are_ignored_where_an_operator_says_so() -> None:
    small = {"fighting": {"least_height": 0.3}}
    assert max(strongest(fighting(small), scene([0.95] * 4, *STANDING))) == 0.0
    assert max(strongest(fighting(small), scene([0.95] * 4))) == 0.0, "the place is 0.29 high"


def test_a_rule_that_is_not_armed_says_nothing() -> None:
    rule = fighting({"fighting": {"armed_in": ["night"]}})
    said = [Opinion(FIGHTING, 0.95, PLACE)]
    by_day = [rule.observe(moment(n, LEFT, opinions=said, profile=Profile.DAY)) for n in range(5)]
    by_night = rule.observe(moment(5, LEFT, opinions=said, profile=Profile.NIGHT))
    assert by_day == [[]] * 5
    assert by_night[0].confidence == pytest.approx(90.0)


def test_a_zone_may_have_its_own_settings_where_people_wrestle_for_sport() -> None:
    corners = [[0.3, 0.3], [0.7, 0.3], [0.7, 0.8], [0.3, 0.8]]
    mat = Zone.of("mat", ZoneKind.LOITERING, corners, {"fighting": {"enabled": False}})
    other = Zone.of("bench", ZoneKind.LOITERING, corners, {"loitering": {"enabled": False}})
    fights = scene([0.95] * 4, *STANDING)
    assert max(strongest(fighting(zones=[mat]), fights)) == 0.0
    assert max(strongest(fighting(zones=[other]), fights)) > 85.0


# --- fighting or assault -------------------------------------------------------------------------


def both(moments: Sequence[Moment]) -> tuple[list[float], list[float]]:
    return strongest(fighting(), moments), strongest(assault(), moments)


def test_two_who_stand_and_fight_are_no_assault() -> None:
    mutual, one_sided = both(scene([0.9] * 8, *STANDING))
    assert max(mutual) == pytest.approx(85.0)
    assert max(one_sided) == 0.0


def test_who_is_beaten_down_is_assaulted() -> None:
    falls = [RIGHT] * 9 + [LYING]
    mutual, one_sided = both(scene([0.9] * 8, [LEFT], falls))
    assert mutual[9] == pytest.approx(85.0), "a stumble is no assault"
    assert one_sided[:12] == [0.0] * 12
    assert mutual[14:] == [0.0] * 10
    assert min(one_sided[14:]) == pytest.approx(85.0)
    found = last(assault(), scene([0.9] * 8, [LEFT], falls))
    assert found.crime_type is CrimeType.ASSAULT
    assert found.reason == (
        "persons 1 and 2: violence with a probability of 0.90, and person 2 is down"
    )


def test_a_quarrel_is_never_both_at_once() -> None:
    up_and_down = ([RIGHT] * 3 + [LYING] * 3) * 8
    mutual, one_sided = both(scene([0.9] * 16, [LEFT], up_and_down))
    assert all((a == 0.0) != (b == 0.0) for a, b in zip(mutual, one_sided, strict=True))
    turns = sum((a > 0) != (b > 0) for a, b in pairwise(mutual))
    assert turns <= 1, "it does not flutter with each fall"


def test_who_gets_up_and_fights_on_makes_it_a_fight_again() -> None:
    falls = [RIGHT] * 3 + [LYING] * 10 + [RIGHT]
    mutual, one_sided = both(scene([0.9] * 10, [LEFT], falls))
    assert one_sided[12] > 0 and mutual[12] == 0.0
    assert one_sided[-1] == 0.0 and mutual[-1] == pytest.approx(85.0)


def test_two_who_wrestle_on_the_ground_are_a_fight() -> None:
    other = Box(0.38, 0.57, 0.63, 0.66)
    mutual, one_sided = both(scene([0.9] * 8, [LYING], [other]))
    assert max(one_sided) == 0.0
    assert max(mutual) == pytest.approx(85.0)


def test_who_retreats_while_the_other_follows_is_assaulted() -> None:
    step = 0.03
    victim = [RIGHT] * 3 + [shifted(RIGHT, n * step) for n in range(30)]
    attacker = [LEFT] * 3 + [shifted(LEFT, n * step) for n in range(30)]
    moments = []
    for number, (a, b) in enumerate(zip(attacker[:24], victim[:24], strict=True)):
        place = Box(a.x1, 0.38, b.x2, 0.67)
        said = [] if number % OPINION_EVERY else [Opinion(FIGHTING, 0.9, place)]
        moments.append(moment(number, a, b, opinions=said))
    mutual, one_sided = both(moments)
    assert mutual[-1] == 0.0
    assert one_sided[-1] == pytest.approx(85.0)
    found = last(assault(), moments)
    assert found.reason.endswith("and person 2 retreats from person 1")


def test_two_who_part_are_no_assault() -> None:
    apart = [shifted(RIGHT, n * 0.02) for n in range(8)]
    _, one_sided = both(scene([0.9] * 8, [LEFT], apart))
    assert max(one_sided) == 0.0


def test_a_tilted_trunk_tells_who_is_down_though_the_box_is_high() -> None:
    lying = np.ones((17, 3), np.float32)
    lying[[5, 6]] = 0.50, 0.60, 0.9  # shoulders
    lying[[11, 12]] = 0.58, 0.62, 0.9  # hips: 76 degrees from upright
    rule, found = assault(), []
    for number in range(15):
        said = [] if number % OPINION_EVERY else [Opinion(FIGHTING, 0.9, PLACE)]
        bodies = {2: lying} if said else {}
        found = rule.observe(moment(number, LEFT, RIGHT, opinions=said, bodies=bodies))
    assert found[0].reason.endswith("and person 2 is down")


def test_who_is_cut_off_by_the_lower_edge_is_not_down() -> None:
    cut_off = Box(0.5, 0.9, 0.75, 1.0)
    near = Box(0.4, 0.75, 0.5, 1.0)
    moments = [
        moment(n, near, cut_off, opinions=[Opinion(FIGHTING, 0.9, Box(0.38, 0.7, 0.8, 1.0))])
        for n in range(12)
    ]
    assert max(strongest(assault(), moments)) == 0.0


def test_rules_forget_those_who_left() -> None:
    rule = fighting()
    for number in range(200):
        a, b = Track(2 * number, "person", 0.9, LEFT), Track(2 * number + 1, "person", 0.9, RIGHT)
        place = shifted(PLACE, 0.3 * (number % 2))
        at = START + timedelta(seconds=number)
        rule.observe(Moment(at, [a, b], opinions=[Opinion(FIGHTING, 0.9, place)]))
    assert len(rule._quarrels._known) <= 2
    assert len(rule._quarrels._courses._courses) <= 10


def shifted(box: Box, x: float) -> Box:
    return Box(box.x1 + x, box.y1, box.x2 + x, box.y2)
