"""Whether this host's clock is right: rings expire and frames age by the clocks of two hosts."""

import socket
import time

from django.db import Error as DatabaseFault

from detection.services import claims, troubles

MOST_SECONDS_OFF = 0.5
LOOK_SECONDS = 60.0

# State of the process, named as such.
_looked_at = float("-inf")


def look_now_and_then() -> None:
    """Compare the clocks once a minute, however often it is called."""
    global _looked_at
    if time.monotonic() - _looked_at < LOOK_SECONDS:
        return
    _looked_at = time.monotonic()
    try:
        look()
    except DatabaseFault:
        return  # it is away, which others say


def look() -> None:
    """Name a difference from the database's clock until it is gone. Raises django.db.Error."""
    asked_at = time.time()
    database = claims.database_now().timestamp()
    answered_at = time.time()
    # It was read some time in between; what that may explain is no difference.
    ahead = (asked_at + answered_at) / 2 - database
    unsure = (answered_at - asked_at) / 2
    subject = f"Clock of {socket.gethostname()}"
    if abs(ahead) - unsure <= MOST_SECONDS_OFF:
        troubles.end_trouble(subject=subject)
        return
    where = "ahead of" if ahead > 0 else "behind"
    told = f"{abs(ahead):.1f} s {where} the database's clock: run NTP on both hosts"
    troubles.name_trouble(subject=subject, text=told)
