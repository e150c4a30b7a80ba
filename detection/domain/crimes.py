"""The eight crimes every contract shares; adapters translate these names at their edge."""

from enum import StrEnum


class CrimeType(StrEnum):
    """What a rule may suspect. Source: `crime_type` of the Laravel contract."""

    THEFT = "theft"
    ASSAULT = "assault"
    VANDALISM = "vandalism"
    BREAK_IN = "break_in"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"
    ROBBERY = "robbery"
    TRESPASSING = "trespassing"
    FIGHTING = "fighting"
