"""Whatever is seen, no rule raises, says nonsense or remembers without end."""

import pickle
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detection.domain.geometry import Box
from detection.domain.moments import Moment, Opinion
from detection.domain.schedules import Profile
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import Rule
from detection.rules.settings import Settings
from tests.unit.poses import CHANGES, body
from tests.unit.scenes import START, line_right_of, zone

LABELS = ["person"] * 4 + ["car", "motorcycle", "bicycle", "backpack", "knife", "dog"]
ZONES: list[Zone] = [
    *(zone(kind, "c", "g", name=kind) for kind in ZoneKind if kind is not ZoneKind.ENTRY_LINE),
    line_right_of("e", name="line"),
]

RULES = settings.DETECTION_RULES


def make(name: str, zones: Sequence[Zone]) -> Rule[Any]:
    rule: Rule[Any] = import_string(RULES[name])(zones, Settings())
    return rule


shares = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5])
boxes = st.tuples(shares, shares, shares, shares).map(
    lambda c: Box(min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)
tracks = st.lists(
    st.builds(Track, st.integers(1, 6), st.sampled_from(LABELS), shares, boxes),
    max_size=6,
    unique_by=lambda track: track.id,
)
opinions = st.lists(
    st.builds(Opinion, st.sampled_from(["fighting", "gun"]), shares, boxes), max_size=2
)
poses = st.sampled_from([".", "_", *CHANGES])


@st.composite
def stretches(draw: st.DrawFn) -> list[Moment]:
    """Some seconds of anything at all; clocks may step back a little, as cameras' do."""
    at, seen = START, []
    for _ in range(draw(st.integers(1, 25))):
        at += timedelta(seconds=draw(st.sampled_from([0.2, 0.2, 0.3, 1.0, 1.0, 5.0, 40.0, -0.5])))
        here, pose = draw(tracks), draw(poses)
        seen.append(
            Moment(
                at,
                here,
                bodies={t.id: body(pose, t.box) for t in here if t.is_person and pose != "."},
                opinions=draw(opinions),
                profile=draw(st.sampled_from([None, *Profile])),
                aspect=draw(st.sampled_from([16 / 9, 4 / 3, 9 / 16])),
            )
        )
    return seen


@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(seen=stretches())
def test_no_rule_raises_or_says_nonsense(seen: list[Moment]) -> None:
    rules = [make(name, zones) for name in RULES for zones in (ZONES, [])]
    for moment in seen:
        for rule in rules:
            for suspicion in rule.observe(moment):
                assert 0 <= suspicion.confidence <= 100, rule.NAME
                assert suspicion.reason, rule.NAME


def busy_street(frames: int) -> Iterator[Moment]:
    """A frame in each second, and in each somebody new who stays for eight seconds, with a bag."""
    for number in range(frames):
        here = []
        for age in range(8):
            x, y = 0.1 + 0.1 * age, 0.3 + 0.05 * (number % 7)
            here.append(Track(2 * (number - age), "person", 0.9, Box(x, y, x + 0.05, y + 0.3)))
            here.append(
                Track(2 * (number - age) + 1, "backpack", 0.9, Box(x, y + 0.2, x + 0.03, y + 0.3))
            )
        yield Moment(START + timedelta(seconds=number), here)


@pytest.mark.parametrize("name", RULES)
def test_no_rule_remembers_without_end(name: str) -> None:
    rule, sizes = make(name, ZONES), []
    for number, moment in enumerate(busy_street(3_000), start=1):
        rule.observe(moment)
        if number % 1_000 == 0:
            sizes.append(len(pickle.dumps(rule)))
    # Large numbers take some bytes more; a person who is never forgotten takes a hundred.
    assert sizes[2] - sizes[1] < 1_000, sizes
