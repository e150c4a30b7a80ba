"""Which stream addresses are allowed. They come from back ends, and a decoder opens anything."""

from pathlib import Path
from urllib.parse import urlsplit

from detection.ports import SourceError

RTSP = ("rtsp", "rtsps")
HTTP = ("http", "https")


def scheme_of(url: str) -> str:
    """`rtsp`, `http`, `file` …; a plain path is a file."""
    scheme = urlsplit(url).scheme.lower()
    return scheme if len(scheme) > 1 else "file"


def check_address(url: str, *, allow_files: bool) -> None:
    """Refuse what is not a camera.

    Raises:
        SourceError: reason `bad_address`, with what to do.
    """
    scheme = scheme_of(url)
    if scheme in RTSP + HTTP:
        if not urlsplit(url).hostname:
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
    return urlsplit(url).path if url.startswith("file://") else url
