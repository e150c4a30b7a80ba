"""Which stream addresses are allowed. They come from back ends, and a decoder opens anything."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from detection.ports import SourceError

RTSP = ("rtsp", "rtsps")
HTTP = ("http", "https")
# Two letters at least: a Windows drive is a path. FFmpeg also knows schemes without slashes.
_SCHEME = re.compile(r"([a-zA-Z][\w+.-]+):")


def scheme_of(url: str) -> str:
    """`rtsp`, `http`, `file` …; a plain path is a file."""
    scheme = _SCHEME.match(url)
    return scheme[1].lower() if scheme else "file"


def check_address(url: str, *, allow_files: bool) -> None:
    """Refuse what is not a camera.

    Raises:
        SourceError: reason `bad_address`, with what to do.
    """
    scheme = scheme_of(url)
    if scheme in RTSP + HTTP:
        if not _host_of(url):
            raise SourceError("bad_address", "the stream address names no host: correct it")
        return
    if scheme != "file":
        raise SourceError(
            "bad_address", f"{scheme}:// is no camera stream; use rtsp://, http:// or https://"
        )
    if not allow_files:
        raise SourceError("bad_address", "files are no cameras here (ALLOW_FILE_SOURCES is off)")
    if not Path(path_of(url)).is_file():
        raise SourceError("bad_address", f"there is no file {path_of(url)}")


def path_of(url: str) -> str:
    """The path of a file address."""
    return unquote(urlsplit(url).path) if url.startswith("file://") else url


def _host_of(url: str) -> str:
    """A password may hold brackets, which `urlsplit` takes for IPv6: it gets the host alone."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0] if "@" not in rest else rest.rpartition("@")[2]
    try:
        return urlsplit(f"{scheme}://{authority}").hostname or ""
    except ValueError:
        return ""
