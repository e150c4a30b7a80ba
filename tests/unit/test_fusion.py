"""What several rules hold of the same people is one suspicion, surer than each."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.crimes import CrimeType
from detection.domain.fusion import fuse
from detection.domain.suspicions import Suspicion

THEFT, FIGHT = CrimeType.THEFT, CrimeType.FIGHTING


def held(
    rule: str, confidence: float, *track_ids: int, crime: CrimeType = THEFT
) -> tuple[str, Suspicion]:
    return rule, Suspicion(crime, confidence, track_ids, f"{rule} says so")


def told(*pairs: tuple[str, Suspicion]) -> list[tuple[CrimeType, float, set[int]]]:
    return [(s.crime_type, round(s.confidence, 6), set(s.track_ids)) for s in fuse(pairs)]


def test_nothing_comes_of_nothing() -> None:
    assert fuse([]) == []


def test_a_single_suspicion_stays_what_it_is() -> None:
    pair = held("watching", 63.7, 1)
    assert fuse([pair]) == [pair[1]]


def test_two_rules_about_one_person_are_surer_than_each() -> None:
    assert told(held("a", 50, 1), held("b", 50, 1)) == [(THEFT, 75, {1})]
    assert told(held("a", 80, 1), held("b", 50, 1), held("c", 50, 1)) == [(THEFT, 95, {1})]


def test_one_rule_is_one_witness_however_often_it_speaks() -> None:
    assert told(held("a", 50, 1), held("a", 60, 1), held("a", 55, 1)) == [(THEFT, 60, {1})]


def test_people_who_have_nothing_to_do_with_each_other_stay_apart() -> None:
    found = told(held("a", 50, 1), held("a", 60, 2))
    assert found == [(THEFT, 50, {1}), (THEFT, 60, {2})]


def test_types_of_crime_stay_apart() -> None:
    found = told(held("a", 50, 1), held("b", 60, 1, crime=FIGHT))
    assert found == [(THEFT, 50, {1}), (FIGHT, 60, {1})]


def test_who_links_two_groups_makes_them_one() -> None:
    found = told(held("a", 50, 1), held("a", 60, 2), held("b", 50, 1, 2))
    assert found == [(THEFT, 80, {1, 2})]


def test_a_link_that_is_told_first_makes_them_one_as_well() -> None:
    found = told(held("b", 50, 1, 2), held("a", 50, 1), held("a", 60, 2))
    assert found == [(THEFT, 80, {1, 2})]


def test_suspicions_of_nobody_in_particular_stay_apart() -> None:
    assert told(held("a", 50), held("b", 60), held("c", 70, 1)) == [
        (THEFT, 50, set()),
        (THEFT, 60, set()),
        (THEFT, 70, {1}),
    ]


def test_the_two_surest_say_why() -> None:
    (fused,) = fuse([held("a", 50, 1), held("b", 70, 1), held("c", 60, 1)])
    assert fused.reason == "b says so; c says so"
    assert fused.track_ids == (1,)


pairs = st.lists(
    st.builds(
        lambda rule, confidence, ids, crime: held(rule, confidence, *ids, crime=crime),
        st.sampled_from("abc"),
        st.floats(0, 100),
        st.lists(st.integers(1, 5), max_size=3, unique=True),
        st.sampled_from([THEFT, FIGHT]),
    ),
    max_size=8,
)


@given(pairs)
def test_fused_is_at_least_as_sure_as_its_surest_and_never_above_a_hundred(
    given_pairs: list[tuple[str, Suspicion]],
) -> None:
    fused = fuse(given_pairs)
    assert max((s.confidence for s in fused), default=0) >= max(
        (s.confidence for _, s in given_pairs), default=0
    )
    assert all(0 <= s.confidence <= 100 for s in fused)


@given(pairs)
def test_nobody_is_in_two_suspicions_of_one_type_and_nobody_is_forgotten(
    given_pairs: list[tuple[str, Suspicion]],
) -> None:
    fused = fuse(given_pairs)
    for crime in (THEFT, FIGHT):
        people = [i for s in fused if s.crime_type is crime for i in s.track_ids]
        assert len(people) == len(set(people))
        assert set(people) == {
            i for _, s in given_pairs if s.crime_type is crime for i in s.track_ids
        }


@given(pairs, st.randoms())
def test_the_order_in_which_rules_speak_does_not_matter(
    given_pairs: list[tuple[str, Suspicion]], random: Random
) -> None:
    shuffled = list(given_pairs)
    random.shuffle(shuffled)

    def essence(found: list[Suspicion]) -> list[tuple[str, list[int], float]]:
        return sorted((s.crime_type.value, sorted(s.track_ids), s.confidence) for s in found)

    before, after = essence(fuse(given_pairs)), essence(fuse(shuffled))
    assert [entry[:2] for entry in before] == [entry[:2] for entry in after]
    assert [entry[2] for entry in before] == pytest.approx([entry[2] for entry in after])
