"""How far a rate that was counted on few can be trusted."""

from math import sqrt
from typing import Final

Z_95: Final = 1.959964


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """Between which shares the true one lies in 95 of 100 cases (E. B. Wilson, 1927).

    Raises:
        ValueError: there is nothing to tell a share of, or a part larger than the whole.
    """
    if not 0 <= part <= whole or whole == 0:
        raise ValueError(f"{part} of {whole} is no share")
    share, squared = part / whole, Z_95**2
    centre = share + squared / (2 * whole)
    margin = Z_95 * sqrt(share * (1 - share) / whole + squared / (4 * whole**2))
    scale = 1 + squared / whole
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)
