"""How far a rate can be trusted: Wilson's interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.domain.rates import wilson_interval


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (5, 5, 0.5655, 1.0),
    ],
)
def test_the_interval_is_that_of_the_literature(
    part: int, whole: int, low: float, high: float
) -> None:
    assert wilson_interval(part, whole) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_itself_lies_between(counted: tuple[int, int]) -> None:
    part, whole = counted
    low, high = wilson_interval(part, whole)
    assert 0 <= low <= part / whole + 1e-9 and part / whole - 1e-9 <= high <= 1


@pytest.mark.parametrize(("part", "whole"), [(0, 0), (3, 2), (-1, 4)])
def test_what_is_no_share_is_refused(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson_interval(part, whole)
