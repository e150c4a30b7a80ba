"""What a zone may look like, and which steps lead over a line."""

from itertools import pairwise

import pytest

from detection.domain.geometry import Line, Point, PolygonError
from detection.domain.zones import Zone, ZoneKind

TRIANGLE = [[0.2, 0.2], [0.8, 0.2], [0.5, 0.8]]
# From left to right across the picture: outside is above, on the left of who walks along it.
SILL = Line.of([[0.2, 0.5], [0.8, 0.5]])
ABOVE, BELOW = Point(0.5, 0.4), Point(0.5, 0.6)


@pytest.mark.parametrize("kind", [kind for kind in ZoneKind if kind is not ZoneKind.ENTRY_LINE])
def test_a_zone_has_an_area(kind: ZoneKind) -> None:
    zone = Zone.of("yard", kind, TRIANGLE)
    assert zone.area.contains(Point(0.5, 0.4))
    assert zone.line is None
    assert zone.outline == (Point(0.2, 0.2), Point(0.8, 0.2), Point(0.5, 0.8))


def test_an_entry_line_has_two_ends_and_no_area() -> None:
    zone = Zone.of("gate", ZoneKind.ENTRY_LINE, [[0.2, 0.5], [0.8, 0.5]])
    assert zone.outline == (Point(0.2, 0.5), Point(0.8, 0.5))
    with pytest.raises(PolygonError, match="“gate” is a line and has no area"):
        _ = zone.area


def test_a_zone_has_no_settings_unless_they_are_given() -> None:
    assert Zone.of("yard", ZoneKind.DOOR, TRIANGLE).settings == {}
    own = {"break_in": {"enabled": False}}
    assert Zone.of("yard", ZoneKind.DOOR, TRIANGLE, own).settings == own


@pytest.mark.parametrize(
    ("kind", "corners", "told"),
    [
        (ZoneKind.DOOR, [[0, 0], [1, 1]], "at least 3 corners, this one has 2"),
        (ZoneKind.DOOR, [], "at least 3 corners, this one has 0"),
        (ZoneKind.MASK, [[0, 0], [1, 1], [1, 0], [0, 1]], "the edges of the zone cross"),
        (ZoneKind.MASK, [[0, 0], [0.5, 0.5], [1, 1]], "the zone has no area"),
        (ZoneKind.MASK, [[0, 0], [1.01, 0], [1, 1]], r"corner 2 is at \(1.01, 0\), outside"),
        (ZoneKind.MASK, [[0, 0], [float("nan"), 0], [1, 1]], "corner 2 .* outside 0 to 1"),
        (ZoneKind.MASK, [[0, 0], [1], [1, 1]], r"each corner is a pair \[x, y\]"),
        (ZoneKind.MASK, [[0, 0], [1, None], [1, 1]], r"each corner is a pair \[x, y\]"),
        (ZoneKind.ENTRY_LINE, TRIANGLE, "a line has 2 points, this one has 3"),
        (ZoneKind.ENTRY_LINE, [[0, 0]], "a line has 2 points, this one has 1"),
        (ZoneKind.ENTRY_LINE, [[0.5, 0.5], [0.5, 0.5]], "the two points .* in one place"),
        (ZoneKind.ENTRY_LINE, [[0, -0.1], [1, 1]], r"point 1 is at \(0, -0.1\), outside"),
        (ZoneKind.ENTRY_LINE, [[0, 0], ["a", 1]], r"each point is a pair \[x, y\]"),
    ],
)
def test_a_shape_that_its_kind_cannot_have_is_refused(
    kind: ZoneKind, corners: list[list[float]], told: str
) -> None:
    with pytest.raises(PolygonError, match=told):
        Zone.of("yard", kind, corners)


# --- entry lines ---------------------------------------------------------------------------------


def test_a_step_from_the_left_to_the_right_of_a_line_enters() -> None:
    assert SILL.is_entered(ABOVE, BELOW)


def test_a_step_back_out_does_not_enter() -> None:
    assert not SILL.is_entered(BELOW, ABOVE)


def test_drawn_the_other_way_round_the_other_side_is_outside() -> None:
    other = Line(SILL.end, SILL.start)
    assert other.is_entered(BELOW, ABOVE)
    assert not other.is_entered(ABOVE, BELOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((0.1, 0.4), (0.1, 0.6)),  # past the left end
        ((0.9, 0.4), (0.9, 0.6)),  # past the right end
        ((0.5, 0.1), (0.5, 0.4)),  # not yet there
        ((0.5, 0.6), (0.5, 0.9)),  # there before
        ((0.3, 0.45), (0.7, 0.45)),  # along it, outside
        ((0.5, 0.4), (0.5, 0.4)),  # standing
        ((0.15, 0.49), (0.21, 0.9)),  # slantwise, but beside the end
    ],
)
def test_steps_beside_a_line_do_not_enter(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    assert not SILL.is_entered(Point(*before), Point(*after))


@pytest.mark.parametrize(
    ("before", "after"),
    [((0.3, 0.4), (0.7, 0.6)), ((0.5, 0.0), (0.5, 1.0)), ((0.1, 0.4), (0.4, 0.6))],
)
def test_long_and_slanting_steps_over_a_line_enter(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    assert SILL.is_entered(Point(*before), Point(*after))


def test_who_pauses_on_the_line_enters_once() -> None:
    path = [ABOVE, Point(0.5, 0.5), Point(0.5, 0.5), BELOW]
    steps = pairwise(path)
    assert [SILL.is_entered(before, after) for before, after in steps] == [True, False, False]


def test_many_small_steps_enter_as_one_large_one() -> None:
    path = [Point(0.5, 0.4 + 0.02 * step) for step in range(11)]
    steps = pairwise(path)
    assert sum(SILL.is_entered(before, after) for before, after in steps) == 1


def test_a_slanting_line_has_its_inside_on_its_right_too() -> None:
    """Up and to the right: its right is below it, since y points down."""
    ramp = Line.of([[0.2, 0.8], [0.8, 0.2]])
    assert ramp.is_entered(Point(0.4, 0.4), Point(0.6, 0.6))
    assert not ramp.is_entered(Point(0.6, 0.6), Point(0.4, 0.4))
