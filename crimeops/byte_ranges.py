"""Which bytes of a file a request wants: what a player needs in order to seek.

https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

import re
from dataclasses import dataclass

from django.http import HttpRequest

_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range lies behind the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From the first to the last byte, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def wanted_range(request: HttpRequest, *, size: int, etag: str) -> ByteRange | None:
    """The range that is asked for; None where the whole file is to be sent.

    Several ranges at once, and what is no range, are answered by the whole file, as the standard
    allows. So is a range of a file that has changed since (If-Range).

    Raises:
        Unsatisfiable: answer 416.
    """
    asked = _ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if request.method != "GET" or asked is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked["first"], asked["last"]
    if not first and not last:
        return None
    if not first:
        found = ByteRange(max(0, size - int(last)), size - 1)
    else:
        if last and int(last) < int(first):
            return None
        found = ByteRange(int(first), min(int(last or size - 1), size - 1))
    if found.length < 1:
        raise Unsatisfiable
    return found
