"""The log of tracks in the database."""

import logging
from datetime import datetime

from django.db import Error as DatabaseFault

from detection.domain.track_log import Page, TrackLog
from detection.models import TrackLog as Row

logger = logging.getLogger(__name__)


def keep_pages(*, camera_id: int, log: TrackLog) -> None:
    """Write the finished pages; one that the database does not take is gone: it proves nothing."""
    while (page := log.take()) is not None:
        try:
            keep_page(camera_id=camera_id, page=page)
        except DatabaseFault as error:
            logger.warning("camera %s: a page of its tracks is lost: %s", camera_id, error)
            return


def keep_page(*, camera_id: int, page: Page) -> Row:
    return Row.objects.create(
        camera_id=camera_id,
        began_at=page.began_at,
        ended_at=page.ended_at,
        content=page.packed(),
    )


def pages_since(*, camera_id: int, since: datetime) -> list[tuple[int, datetime, datetime]]:
    """Key, beginning and end of the pages of a camera, the newest first; the bytes are not read."""
    rows = Row.objects.filter(camera_id=camera_id, ended_at__gt=since)
    return list(rows.order_by("-began_at").values_list("pk", "began_at", "ended_at"))


def contents(keys: list[int]) -> dict[int, bytes]:
    """What the pages of these keys hold."""
    rows = Row.objects.filter(pk__in=keys).values_list("pk", "content")
    return {key: bytes(content) for key, content in rows}
