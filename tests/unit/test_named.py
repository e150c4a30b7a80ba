"""What an operator's own models name, judged over four seconds; frames come each second."""

import pytest

from detection.domain.crime_classes import CrimeClasses
from detection.domain.crimes import CrimeType
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.zones import ZoneKind
from detection.rules.named import Named
from detection.rules.settings import Settings
from tests.unit.scenes import Voice, Walk, confidences, moments, play, zone

CLASSES = CrimeClasses.of({"Violence": "fighting", "spraying": "vandalism", "gun": "weapon"})


def named(**options: object) -> Named:
    return Named([], Settings(({"named": options},), classes=CLASSES))


def boxes(steps: str, label: str = "violence", number: int = 5) -> Walk:
    """Somebody's box of a class of one's own, which scenes give a confidence of 0.9."""
    return Walk(steps, id=number, label=label)


def own(tenths: str, label: str = "violence") -> Voice:
    return Voice(tenths, label=label, own=True)


# --- boxes ------------------------------------------------------------------------------------


def test_a_crime_that_the_detector_names_is_suspected_from_the_third_look() -> None:
    assert confidences(named(), boxes("dddd")) == [None, None, 85.0, 85.0]


def test_one_frame_says_nothing_however_sure() -> None:
    assert confidences(named(), boxes("....d....."), Walk("eeeeeeeeee")) == [None] * 10


def test_a_class_that_comes_and_goes_is_less_sure() -> None:
    # 0.9 0 0.9 0 0.9: 0.54 on average; 50 at 0.4, 85 at 0.75
    found = confidences(named(), boxes("d.d.d"), Walk("eeeee", id=2))
    assert found[4] == pytest.approx(64.0)


def test_a_suspicion_names_class_crime_and_track() -> None:
    suspicion = last(Named([], Settings(classes=CLASSES)), boxes("dddd", number=7))
    assert suspicion.crime_type is CrimeType.FIGHTING
    assert suspicion.track_ids == (7,)
    assert suspicion.reason == "a model of your own names “violence” in boxes, on average at 90%"


def last(rule: Named, *walks: Walk, **scene: object) -> Suspicion:
    return list(play(rule, *walks, **scene))[-1][0]


def test_each_class_is_a_crime_of_its_own() -> None:
    found = list(play(named(), boxes("dddd"), boxes("gggg", "Spraying", number=8)))[-1]
    assert {s.crime_type: s.track_ids for s in found} == {
        CrimeType.FIGHTING: (5,),
        CrimeType.VANDALISM: (8,),
    }


@pytest.mark.parametrize("label", ["gun", "person", "backpack"])
def test_weapons_and_what_is_not_mapped_are_no_crimes(label: str) -> None:
    assert confidences(named(), boxes("dddddd", label)) == [None] * 6


def test_when_it_is_over_it_is_forgotten() -> None:
    walk, bystander = boxes("dddd......"), Walk("eeeeeeeeee", id=2)
    assert confidences(named(), walk, bystander)[-1] is None


# --- frames -----------------------------------------------------------------------------------


def test_opinions_of_ones_own_classifier_are_averaged() -> None:
    people = Walk("eeeeeeee", id=3)
    # 0.6, 0.9 and 0.3: 0.6 on average
    found = list(play(named(), people, seconds=1.0, voices=[own("693")]))
    assert [bool(suspicions) for suspicions in found[:3]] == [False, False, True]
    (suspicion,) = found[2]
    assert suspicion.confidence == pytest.approx(70.0)
    assert suspicion.track_ids == (3,)
    assert suspicion.reason == "a model of your own names “violence” in frames, on average at 60%"


def test_one_opinion_says_nothing_however_sure() -> None:
    assert confidences(named(), Walk("eeeeee"), voices=[own("..9...")]) == [None] * 6


def test_frames_without_an_opinion_say_nothing_against_it() -> None:
    found = confidences(named(), Walk("e" * 12), seconds=0.25, voices=[own("9.9.9.9.9.9.")])
    assert found[:8] == [None] * 8, "half of the window is not covered yet"
    assert found[8:] == [85.0] * 4


def test_opinions_of_a_shipped_model_are_left_to_its_rules() -> None:
    said = Voice("99999999", label="violence")
    assert confidences(named(), Walk("eeeeeeee"), voices=[said]) == [None] * 8


def test_boxes_and_frames_are_told_apart() -> None:
    found = list(play(named(), boxes("dddd"), voices=[own("9999")]))[-1]
    assert sorted(s.reason.split(" in ")[1].split(",")[0] for s in found) == ["boxes", "frames"]


# --- settings ---------------------------------------------------------------------------------


def test_what_is_possible_and_sure_can_be_set() -> None:
    cautious = named(possible_at=0.8, sure_at=1.0)
    assert confidences(cautious, boxes("dddd"))[-1] == pytest.approx(67.5)


def test_it_is_quiet_where_it_is_not_armed() -> None:
    rule = named(armed_in=["closed"])
    assert confidences(rule, boxes("dddd"), profile=Profile.DAY) == [None] * 4


def test_what_is_too_small_is_left_out() -> None:
    assert confidences(named(least_height=0.5), boxes("dddd")) == [None] * 4


def test_nothing_is_remembered_for_ever() -> None:
    rule = named()
    for moment in moments(
        boxes("d" * 300 + "." * 10), Walk("e" * 310, id=2), voices=[own("9" * 300)]
    ):
        rule.observe(moment)
    assert not rule._boxes and not rule._frames


def test_boxes_in_a_zone_where_it_is_switched_off_are_not_suspected() -> None:
    studio = zone(ZoneKind.LOITERING, "d", "e", settings={"named": {"enabled": False}})
    rule = Named([studio], Settings(classes=CLASSES))
    assert confidences(rule, boxes("dddd")) == [None] * 4
    rule = Named([studio], Settings(classes=CLASSES))
    assert confidences(rule, boxes("gggg")) == [None, None, 85.0, 85.0]


def test_a_zone_may_be_armed_where_the_camera_is_not() -> None:
    vault = zone(ZoneKind.RESTRICTED, "d", "e", settings={"named": {"enabled": True}})
    settings = Settings(({"named": {"enabled": False}},), classes=CLASSES)
    found = confidences(Named([vault], settings), boxes("dddd"), voices=[own("9999")])
    assert found == [None, None, 85.0, 85.0]
    assert confidences(Named([vault], settings), boxes("gggg"), voices=[own("9999")]) == [None] * 4
