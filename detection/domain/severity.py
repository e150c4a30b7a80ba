"""How urgent an episode is for an officer: by what is suspected, and whether it was confirmed."""

from typing import Final

from detection.domain.crimes import CrimeType

WEIGHTS: Final[dict[CrimeType, int]] = {
    CrimeType.ROBBERY: 90,
    CrimeType.ASSAULT: 85,
    CrimeType.FIGHTING: 80,
    CrimeType.BREAK_IN: 70,
    CrimeType.THEFT: 55,
    CrimeType.VANDALISM: 50,
    CrimeType.TRESPASSING: 35,
    CrimeType.SUSPICIOUS_ACTIVITY: 20,
}
CONFIRMED: Final = 100


def severity_of(crime_type: CrimeType, *, confirmed: bool) -> int:
    """0 to 190: each confirmed crime comes before each that is only suspected."""
    return WEIGHTS[crime_type] + CONFIRMED * confirmed
