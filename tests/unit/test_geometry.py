"""Zones are drawn by people: what is inside, and what cannot be a zone at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.geometry import Box, Point, Polygon, PolygonError, distance

SQUARE = Polygon.of([[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]])
# A yard around a house, open to the north: the house (0.4..0.6, 0.2..0.6) is not part of it.
YARD = Polygon.of(
    [[0.2, 0.2], [0.4, 0.2], [0.4, 0.6], [0.6, 0.6], [0.6, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]]
)


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.21, 0.21), (0.79, 0.79), (0.21, 0.79)])
def test_points_within_a_square_are_inside(point: tuple[float, float]) -> None:
    assert SQUARE.contains(Point(*point))


@pytest.mark.parametrize(
    "point", [(0.5, 0.1), (0.5, 0.9), (0.1, 0.5), (0.9, 0.5), (0.1, 0.2), (0.9, 0.8)]
)
def test_points_beside_a_square_are_outside(point: tuple[float, float]) -> None:
    assert not SQUARE.contains(Point(*point))


@pytest.mark.parametrize("point", [(0.3, 0.4), (0.7, 0.4), (0.5, 0.7)])
def test_points_in_the_arms_of_a_concave_zone_are_inside(point: tuple[float, float]) -> None:
    assert YARD.contains(Point(*point))


@pytest.mark.parametrize("point", [(0.5, 0.4), (0.5, 0.59), (0.5, 0.1)])
def test_points_in_the_notch_of_a_concave_zone_are_outside(point: tuple[float, float]) -> None:
    assert not YARD.contains(Point(*point))


def test_the_order_in_which_corners_are_drawn_does_not_matter() -> None:
    backwards = Polygon(tuple(reversed(YARD.corners)))
    assert backwards.contains(Point(0.3, 0.4))
    assert not backwards.contains(Point(0.5, 0.4))


def test_feet_cut_off_by_the_lower_edge_are_inside_a_zone_that_reaches_it() -> None:
    doorway = Polygon.of([[0.2, 0.5], [0.8, 0.5], [0.8, 1.0], [0.2, 1.0]])
    assert doorway.contains(Box(0.4, 0.3, 0.6, 1.0).feet)


@pytest.mark.parametrize("point", [(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0), (0, 0), (1, 1)])
def test_a_zone_over_the_whole_picture_holds_its_edges_too(point: tuple[float, float]) -> None:
    assert Polygon.of([[0, 0], [1, 0], [1, 1], [0, 1]]).contains(Point(*point))


def test_a_point_in_line_with_an_edge_but_beyond_it_is_outside() -> None:
    assert not SQUARE.contains(Point(0.9, 0.2))


@given(st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_every_point_between_the_sides_of_a_square_is_inside(x: float, y: float) -> None:
    assert SQUARE.contains(Point(x, y))


@given(st.floats(0, 1), st.floats(0, 0.19))
def test_no_point_above_a_square_is_inside(x: float, y: float) -> None:
    assert not SQUARE.contains(Point(x, y))


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([], "at least 3 corners, this one has 0"),
        ([[0.1, 0.1], [0.5, 0.5]], "at least 3 corners, this one has 2"),
        ([[0, 0], [1, 0], [1.2, 1]], r"corner 3 is at \(1.2, 1\), outside 0 to 1"),
        ([[0, 0], [1, -0.01], [1, 1]], r"corner 2 is at \(1, -0.01\), outside 0 to 1"),
        ([[float("nan"), 0], [1, 0], [1, 1]], "corner 1 is at .*nan.*, outside 0 to 1"),
        ([[0, 0], [640, 0], [640, 360]], "corner 2 is at .*, outside 0 to 1"),
        ([[0.2, 0.2], [0.8, 0.8], [0.8, 0.2], [0.2, 0.8]], "the edges of the zone cross"),
        ([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], "on one line, the zone has no area"),
        ([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]], "on one line, the zone has no area"),
        ([[0, 0, 0], [1, 0, 0], [1, 1, 0]], r"each corner is a pair \[x, y\]"),
        ([[0], [1], [1]], r"each corner is a pair \[x, y\]"),
    ],
)
def test_what_makes_no_area_is_refused_with_its_reason(corners: Any, message: str) -> None:
    with pytest.raises(PolygonError, match=message):
        Polygon.of(corners)


@pytest.mark.parametrize(
    "corners",
    [
        [["left", "top"], [1, 0], [1, 1]],
        [[None, 0], [1, 0], [1, 1]],
        [[[0, 0], 0], [1, 0], [1, 1]],
        [0.1, 0.2, 0.3],
        0.5,
        None,
    ],
)
def test_json_that_is_no_list_of_pairs_is_refused_as_a_polygon(corners: Any) -> None:
    with pytest.raises(PolygonError, match=r"each corner is a pair \[x, y\]"):
        Polygon.of(corners)


def test_a_corner_may_lie_on_the_very_limits_of_the_picture() -> None:
    assert len(Polygon.of([[0, 0], [1, 0], [1, 1]]).corners) == 3


def test_feet_are_the_middle_of_the_lower_edge_of_a_box() -> None:
    box = Box(0.25, 0.1, 0.75, 0.9)
    assert box.feet == Point(0.5, 0.9)
    assert box.height == pytest.approx(0.8)


def test_distance_is_euclidean() -> None:
    assert distance(Point(0.1, 0.1), Point(0.4, 0.5)) == pytest.approx(0.5)
