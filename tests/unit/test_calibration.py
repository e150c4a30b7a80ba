"""Curves and thresholds out of verdicts, by numbers that can be counted by hand."""

import pytest

from detection.calibration import curves
from detection.calibration.budget import Rung, ladder, within_budget
from detection.calibration.curves import Curve, Judged, Share, fit, missing, missing_for_curve


def judged(*groups: tuple[float, int, int]) -> list[Judged]:
    """Groups of (confidence, confirmed, dismissed)."""
    return [
        Judged(confidence, is_crime)
        for confidence, crimes, others in groups
        for is_crime in [True] * crimes + [False] * others
    ]


# --- enough verdicts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "threshold", "curve"),
    [
        (judged(), "30 more verdicts", "30 more verdicts, 5 more confirmed, 5 more dismissed"),
        (judged((60, 9, 20)), "1 more verdict", "1 more verdict"),
        (judged((60, 0, 40)), "", "5 more confirmed"),
        (judged((60, 40, 3)), "", "2 more dismissed"),
        (judged((60, 25, 5)), "", ""),
    ],
)
def test_what_is_missing_is_counted(verdicts: list[Judged], threshold: str, curve: str) -> None:
    assert missing(verdicts) == threshold
    assert missing_for_curve(verdicts) == curve
    assert (fit(verdicts) is None) == bool(curve)


# --- curves ----------------------------------------------------------------------------------


def test_platts_curve_goes_through_the_shares_that_two_confidences_allow() -> None:
    """Two places and two parameters: there the curve is Platt's target, weighted by the verdicts.

    Of 100 verdicts 50 are confirmed: targets 51/52 and 1/52; a fifth of 51/52 and four fifths of
    1/52 are 0.2115, the reverse 0.7885.
    """
    curve = fit(judged((50, 10, 40), (80, 40, 10)))
    assert curve is not None
    assert curve.method == "Platt"
    assert (curve.points[0][0], curve.points[-1][0]) == (50, 80)
    assert curve.at(50) == pytest.approx(0.2115, abs=0.001)
    assert curve.at(80) == pytest.approx(0.7885, abs=0.001)
    assert curve.at(65) == pytest.approx(0.5, abs=0.001)


def test_a_curve_that_parts_all_rightly_is_not_surer_than_its_counts() -> None:
    curve = fit(judged((50, 0, 20), (90, 20, 0)))
    assert curve is not None
    assert curve.at(90) == pytest.approx(21 / 22, abs=0.001)
    assert curve.at(50) == pytest.approx(1 / 22, abs=0.001)


def test_many_verdicts_make_an_isotonic_curve_which_never_falls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(curves, "ISOTONIC_FROM", 30)
    curve = fit(judged((55, 2, 8), (65, 1, 9), (75, 5, 5), (85, 9, 1)))
    assert curve is not None
    assert curve.method == "isotonic"
    # 2 of 10 at 55 and 1 of 10 at 65 are pooled: 3 of 20.
    assert [curve.at(x) for x in (55, 65, 75, 85)] == [0.15, 0.15, 0.5, 0.9]


def test_a_curve_that_falls_says_so() -> None:
    rising, falling = fit(judged((50, 5, 20), (80, 20, 5))), fit(judged((50, 20, 5), (80, 5, 20)))
    assert rising is not None and falling is not None
    assert (rising.is_rising, falling.is_rising) == (True, False)


def test_one_confidence_makes_one_point() -> None:
    curve = fit(judged((70, 20, 20)))
    assert curve is not None
    assert curve.points == ((70, 0.5),)
    assert curve.at(95) == 0.5


def test_between_its_points_a_curve_is_straight_and_beyond_them_level() -> None:
    curve = Curve("Platt", ((50.0, 0.2), (60.0, 0.4), (80.0, 0.9)))
    assert [curve.at(x) for x in (0, 50, 55, 60, 70, 80, 100)] == pytest.approx(
        [0.2, 0.2, 0.3, 0.4, 0.65, 0.9, 0.9]
    )


def test_shares_are_what_was_judged_in_each_stretch() -> None:
    assert curves.shares(judged((50, 1, 3), (59.9, 1, 0), (60, 2, 2), (100, 1, 0))) == [
        Share(50, 60, 2, 5),
        Share(60, 70, 2, 4),
        Share(90, 100, 1, 1),
    ]


# --- ladders ---------------------------------------------------------------------------------


def test_a_ladder_has_a_rung_above_each_dismissed_peak() -> None:
    verdicts = judged((52.5, 0, 4), (60, 2, 2), (71, 0, 2), (88, 6, 0))
    assert ladder(verdicts, days=2, today=50, crime=80) == [
        Rung(50, 4.0, 4.0),
        Rung(53, 2.0, 4.0),
        Rung(61, 1.0, 3.0),
        Rung(72, 0.0, 3.0),
    ]


def test_no_rung_is_at_or_above_the_crime_threshold() -> None:
    verdicts = judged((78.5, 0, 1), (79.5, 0, 1), (90, 0, 1))
    assert [rung.threshold for rung in ladder(verdicts, days=1, today=50, crime=80)] == [50, 79]


def test_no_rung_loses_more_of_the_confirmed_than_is_allowed() -> None:
    verdicts = judged((55, 1, 3), (60, 1, 3), (70, 8, 3))
    rungs = ladder(verdicts, days=1, today=50, crime=80, most_lost=0.1)
    assert rungs == [Rung(50, 9, 10), Rung(56, 6, 9)]


def test_what_never_reached_todays_threshold_does_not_count() -> None:
    assert ladder(judged((45, 3, 9), (60, 1, 1)), days=1, today=55, crime=80) == [
        Rung(55, 1, 1),
        Rung(61, 0, 0),
    ]


# --- budgets ---------------------------------------------------------------------------------


def test_a_budget_that_is_kept_today_changes_nothing() -> None:
    rungs = ladder(judged((55, 0, 2), (70, 3, 0)), days=1, today=50, crime=80)
    assert within_budget({"yard": rungs}, 2.0) == {"yard": Rung(50, 2.0, 3.0)}


def test_the_lowest_threshold_that_keeps_the_budget_is_suggested() -> None:
    rungs = ladder(judged((55, 0, 5), (62, 0, 3), (70, 4, 2)), days=1, today=50, crime=80)
    assert within_budget({"yard": rungs}, 5.0) == {"yard": Rung(56, 5.0, 4.0)}
    assert within_budget({"yard": rungs}, 2.0) == {"yard": Rung(63, 2.0, 4.0)}


def test_the_type_that_costs_fewer_crimes_is_raised_first() -> None:
    """Both have three false alarms too many; one's lie among its crimes, the other's below them."""
    among = ladder(judged((60, 3, 3)), days=1, today=50, crime=80)
    below = ladder(judged((60, 0, 3), (75, 3, 0)), days=1, today=50, crime=80)
    assert within_budget({"among": among, "below": below}, 3.0) == {
        "among": Rung(50, 3.0, 3.0),
        "below": Rung(61, 0.0, 3.0),
    }


def test_a_step_that_a_later_one_made_needless_is_taken_back() -> None:
    small = [Rung(50, 1.0, 9.0), Rung(52, 0.5, 9.0)]
    large = [Rung(50, 9.0, 9.0), Rung(60, 0.0, 5.0)]
    assert within_budget({"small": small, "large": large}, 2.0) == {
        "small": small[0],
        "large": large[1],
    }


def test_a_budget_that_cannot_be_kept_gets_the_highest_rungs() -> None:
    rungs = ladder(judged((55, 0, 5), (95, 0, 5)), days=1, today=50, crime=80)
    assert within_budget({"yard": rungs}, 2.0) == {"yard": Rung(56, 5.0, 0.0)}


def test_all_dismissed_has_a_threshold_but_no_curve() -> None:
    verdicts = judged((55, 0, 30), (65, 0, 10))
    assert fit(verdicts) is None
    rungs = ladder(verdicts, days=10, today=50, crime=80)
    assert within_budget({"yard": rungs}, 2.0) == {"yard": Rung(56, 1.0, 0.0)}


def test_all_confirmed_is_left_as_it_is() -> None:
    rungs = ladder(judged((55, 40, 0)), days=10, today=50, crime=80)
    assert within_budget({"yard": rungs}, 2.0) == {"yard": Rung(50, 0.0, 4.0)}
