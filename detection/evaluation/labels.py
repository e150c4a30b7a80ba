"""What a label says that a clip shows, and what may rightly be suspected there besides."""

from typing import Final

from detection.domain.crimes import CrimeType

NONE_WORDS: Final = frozenset(
    {"none", "normal", "nothing", "no_crime", "no_fight", "nofight", "non_fight", "quiet"}
)
OTHER_WORDS: Final = {"fight": CrimeType.FIGHTING, "fights": CrimeType.FIGHTING}

_BLOWS: Final = frozenset({CrimeType.FIGHTING, CrimeType.ASSAULT})
# Labels seldom tell a fight from a beating: who names a clip either way has seen blows.
_SEEN_AS: Final = {CrimeType.FIGHTING: _BLOWS, CrimeType.ASSAULT: _BLOWS}
# A clip has one label and may show more: what belongs to the act is neither right nor wrong there.
_BELONGS_TO: Final[dict[CrimeType, frozenset[CrimeType]]] = {
    CrimeType.ROBBERY: _BLOWS | {CrimeType.THEFT},
    CrimeType.BREAK_IN: frozenset({CrimeType.TRESPASSING, CrimeType.VANDALISM, CrimeType.THEFT}),
    CrimeType.THEFT: frozenset({CrimeType.TRESPASSING}),
    CrimeType.VANDALISM: frozenset({CrimeType.TRESPASSING}),
    CrimeType.FIGHTING: frozenset({CrimeType.ROBBERY}),
    CrimeType.ASSAULT: frozenset({CrimeType.ROBBERY}),
}


def crime_of(label: str) -> CrimeType | None:
    """The crime that a label names; None where it says that there is none. Raises KeyError."""
    word = label.strip().lower().replace("-", "_").replace(" ", "_")
    if word in NONE_WORDS:
        return None
    if word in OTHER_WORDS:
        return OTHER_WORDS[word]
    if word in set(CrimeType):
        return CrimeType(word)
    raise KeyError(label)


def fault_of_label(label: str) -> str:
    """What is wrong with a label, "" for nothing."""
    try:
        crime_of(label)
    except KeyError:
        known = ", ".join([*CrimeType, *OTHER_WORDS])
        return (
            f"unknown label {label!r}, use one of {known}, "
            f"or for no crime one of {', '.join(sorted(NONE_WORDS))}"
        )
    return ""


def seen_as(crime: CrimeType) -> frozenset[CrimeType]:
    """The suspicions by which a clip with this crime counts as seen."""
    return _SEEN_AS.get(crime, frozenset({crime}))


def excused(crime: CrimeType) -> frozenset[CrimeType]:
    """The suspicions that are not wrong in a clip with this crime; every crime is suspicious."""
    besides = _BELONGS_TO.get(crime, frozenset())
    return seen_as(crime) | besides | {CrimeType.SUSPICIOUS_ACTIVITY}


def is_wrong(suspected: CrimeType, crime: CrimeType | None) -> bool:
    """Whether to suspect this is wrong where that happens (None: nothing does)."""
    return crime is None or suspected not in excused(crime)
