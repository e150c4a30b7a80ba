"""One file of evidence as an answer: whole or in part, and only as it was kept.

Whoever calls has made sure that the file may be seen, and writes down that it was.
"""

import hashlib
import logging
from collections.abc import Iterator

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from crimeops.byte_ranges import Unsatisfiable, wanted_range
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import EvidenceFile

logger = logging.getLogger(__name__)

SHOWN = {200, 206, 304}  # the answers after which somebody has the file
# Small enough to be compared with its hash before anybody sees it. Of a video, its size is.
COMPARED_BYTES = 4 * 2**20


class NotShown(Exception):
    """There is nothing to show; the text says why, the status is the answer's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def serve(request: HttpRequest, file: EvidenceFile) -> HttpResponseBase:
    """The file, a part of it, “not modified”, or a page of text that says why there is none."""
    etag = f'"{file.sha256 or file.link}"'
    try:
        size = _checked_size(file)
        if _has_it(request, etag):
            return _dressed(HttpResponse(status=304), file, etag)
        wanted = wanted_range(request, size=size, etag=etag)
        first, length = (wanted.first, wanted.length) if wanted else (0, size)
        content = () if request.method == "HEAD" else _content(file, first, length)
    except Unsatisfiable:
        refused = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        return _dressed(refused, file, etag)
    except NotShown as reason:
        return said(reason.status, str(reason))
    answer = StreamingHttpResponse(content, status=206 if wanted else 200)
    answer.headers["Content-Length"] = str(length)
    if wanted:
        answer.headers["Content-Range"] = f"bytes {wanted.first}-{wanted.last}/{size}"
    return _dressed(answer, file, etag)


def said(status: int, text: str) -> HttpResponse:
    """A page that says why there is no file, for people who followed a link."""
    return HttpResponse(
        f"{text}\n",
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "private, no-store"},
    )


def no_longer_kept(file: EvidenceFile) -> str:
    """What is said of a file that was removed."""
    assert file.removed_at is not None
    return _("This file is no longer kept since %(when)s. %(why)s.") % {
        "when": f"{localtime(file.removed_at):%Y-%m-%d %H:%M:%S %Z}",
        "why": file.get_removed_why_display(),
    }


def _has_it(request: HttpRequest, etag: str) -> bool:
    known = {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}
    return etag in known or f"W/{etag}" in known


def _dressed(answer: HttpResponseBase, file: EvidenceFile, etag: str) -> HttpResponseBase:
    is_recording = file.content_type == "application/gzip"
    answer.headers["Content-Type"] = "application/json" if is_recording else file.content_type
    if is_recording and answer.status_code != 416:
        answer.headers["Content-Encoding"] = "gzip"
    for name, value in {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private, max-age=60",
        "Content-Disposition": f'inline; filename="{file.name.rpartition("/")[2]}"',
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items():
        answer.headers[name] = value
    return answer


def _checked_size(file: EvidenceFile) -> int:
    """The size of what lies there. Raises NotShown where it is not what was kept."""
    if file.removed_at is not None:
        raise NotShown(410, no_longer_kept(file))
    store = DjangoEvidenceStore()
    try:
        size = store.size(file.name)
    except SuspiciousOperation:  # a name that leads out of the evidence
        raise _missing(file) from None
    except FileNotFoundError:
        raise (_missing(file) if store.is_there() else _away()) from None
    except OSError as error:
        logger.error("evidence %s cannot be read: %s", file.name, error)
        raise _away() from error
    if file.sha256 and size != file.size:
        raise _changed(file)
    return size


def _content(file: EvidenceFile, first: int, length: int) -> Iterator[bytes]:
    store = DjangoEvidenceStore()
    try:
        if file.sha256 and file.size <= COMPARED_BYTES:
            content = b"".join(store.stream(file.name))
            if hashlib.sha256(content).hexdigest() != file.sha256:
                raise _changed(file)
            return iter((content[first : first + length],))
        return store.stream(file.name, first, length)
    except OSError as error:
        logger.error("evidence %s cannot be read: %s", file.name, error)
        raise _away() from error


def away_text() -> str:
    return _("The evidence cannot be reached at the moment. It is not lost: try again in a while.")


def _away() -> NotShown:
    return NotShown(503, away_text())


def _missing(file: EvidenceFile) -> NotShown:
    logger.error("evidence %s is missing", file.name)
    text = _("This file is missing, though nobody was to remove it. Tell your administrator.")
    return NotShown(404, text)


def _changed(file: EvidenceFile) -> NotShown:
    logger.error("evidence %s is not as it was kept", file.name)
    text = _("This file is not as it was kept and is not shown. Tell your administrator.")
    return NotShown(410, text)
