"""What the words of a search find: cameras by name, reasons, notes, and keys by their beginning."""

import re
from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q

from detection.models import Episode

FEWEST_DIGITS = 8
WORDS = 8  # each is one more look at every row


def matching(text: str, cameras: Mapping[int, str]) -> Q:
    """Each word must be found somewhere in an episode; `cameras` are names by key."""
    found = Q()
    for word in text.split()[:WORDS]:
        found &= _holding(word, cameras)
    return found


def _holding(word: str, cameras: Mapping[int, str]) -> Q:
    # Names are compared here: the cameras are few, and SQLite knows the cases of ASCII only.
    wanted = word.casefold()
    keys = [key for key, name in cameras.items() if wanted in name.casefold()]
    if cameras and len(keys) == len(cameras):
        return Q()  # as “camera” in “camera 17”: it leaves nothing out
    # A key that there is means that episode: no other need be read for its words. One at a camera
    # that is not shown must change nothing, or searches would tell which keys there are.
    like = _beginning_with(word)
    if like is not None:
        cameras_of = Episode.objects.filter(like).values_list("camera", flat=True)
        if any(key in cameras for key in cameras_of.distinct()):
            return like
    holding = Q(reason__icontains=word) | Q(note__icontains=word)
    return holding | Q(camera__in=keys) if keys else holding


def _beginning_with(word: str) -> Q | None:
    """Keys between two ends, which both databases find by their index."""
    digits = word.replace("-", "").lower()
    if not FEWEST_DIGITS <= len(digits) <= 32 or re.fullmatch("[0-9a-f]+", digits) is None:
        return None
    return Q(pk__gte=UUID(digits.ljust(32, "0")), pk__lte=UUID(digits.ljust(32, "f")))
