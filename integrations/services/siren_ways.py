"""In which order the ways to a siren are asked: the table's, but for what is known against one.

What failed for a moment is forgotten with its episode; only what failed for good is remembered.
"""

import time
from itertools import takewhile

from django.conf import settings

from integrations.ports import AlarmAddress
from integrations.services.siren_addresses import KnownSiren

# A camera that did not answer rests for a minute, and its next ping comes up to 15 s later.
PING_COUNTS_SECONDS = 90.0

# State of the process, named as such: what its own questions have shown, at which address.
_failed_for_good: set[tuple[AlarmAddress, str]] = set()
_ping_failed_at: dict[tuple[AlarmAddress, str], float] = {}


def in_order(known: KnownSiren, episodes_own: str = "") -> list[str]:
    """The episode's own way first, last those that gave no answer to their ping."""

    def rank(name: str) -> tuple[bool, bool, bool, bool]:
        return (
            name != episodes_own,
            _gave_no_answer(known.address, name),
            fails_for_good(known.address, name),
            name != known.method,
        )

    return sorted(settings.ALARMS, key=rank)


def to_warm(known: KnownSiren) -> list[str]:
    """The way that would be asked first, and the table's first: it may work again."""
    fails = {name: fails_for_good(known.address, name) for name in settings.ALARMS}
    leading = min(settings.ALARMS, key=lambda name: (fails[name], name != known.method))
    first = next(iter(settings.ALARMS))
    return [leading] if fails[first] or leading == first else [first, leading]


def is_lasting(known: KnownSiren, name: str) -> bool:
    """Whether the next episode should begin with it: no way before it can ever work."""
    before = takewhile(lambda other: other != name, settings.ALARMS)
    return all(fails_for_good(known.address, other) for other in before)


def fails_for_good(address: AlarmAddress, name: str) -> bool:
    return (address, name) in _failed_for_good


def note_success(address: AlarmAddress, name: str) -> None:
    _failed_for_good.discard((address, name))
    _ping_failed_at.pop((address, name), None)


def note_failure_for_good(address: AlarmAddress, name: str) -> None:
    _failed_for_good.add((address, name))


def note_ping(address: AlarmAddress, name: str, *, answered: bool) -> None:
    """An answer to a ping does not say that the siren works, only that asking costs no time."""
    if answered:
        _ping_failed_at.pop((address, name), None)
    else:
        _ping_failed_at[address, name] = time.monotonic()


def forget() -> None:
    _failed_for_good.clear()
    _ping_failed_at.clear()


def _gave_no_answer(address: AlarmAddress, name: str) -> bool:
    failed_at = _ping_failed_at.get((address, name))
    return failed_at is not None and time.monotonic() - failed_at < PING_COUNTS_SECONDS
