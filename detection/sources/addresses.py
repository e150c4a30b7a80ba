"""Which stream addresses are allowed. They come from back ends, and a decoder opens anything."""

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from detection.ports import SourceError

RTSP = ("rtsp", "rtsps")
HTTP = ("http", "https")
_HOST = re.compile(r"[\w.-]+|\[?[0-9a-fA-F:.]+(%\w+)?\]?")
# Two letters at least: a Windows drive is a path. FFmpeg also knows schemes without slashes.
_SCHEME = re.compile(r"([a-zA-Z][\w+.-]+):")
_END_OF_AUTHORITY = re.compile(r"[/?#]")


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


def check_network(
    host: str, networks: Sequence[IPv4Network | IPv6Network], *, described: str = "camera"
) -> None:
    """Refuse a host outside the cameras' networks, by the addresses that its name has now.

    Without networks, any is allowed but those at which no camera can be: link-local ones, where
    clouds serve their hosts' credentials, multicast and unspecified ones. A name that cannot be
    resolved is left to whoever opens it. Raises SourceError: reason `bad_address`.
    """
    if not _HOST.fullmatch(host):
        raise SourceError("bad_address", f"the {described}'s address is no host: correct it")
    for address in _addresses_of(host):
        if networks and not any(address in network for network in networks):
            said = "lies outside of CAMERA_NETWORKS: correct it, or add its network"
        elif not networks and (
            address.is_link_local or address.is_multicast or address.is_unspecified
        ):
            said = "is no address of a camera: correct it, or allow it by CAMERA_NETWORKS"
        else:
            continue
        raise SourceError("bad_address", f"{address} {said}")


def host_of(url: str) -> str:
    """The host that a stream address names; empty for a file."""
    return "" if scheme_of(url) == "file" else _host_of(url)


def _addresses_of(host: str) -> set[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    addresses = (ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return {getattr(address, "ipv4_mapped", None) or address for address in addresses}


def with_login(url: str, user: str, password: str) -> str:
    """The address with a login, unless it holds one already or is a file."""
    scheme, separator, rest = url.partition("://")
    if not separator or not user or "@" in rest or scheme_of(url) not in RTSP + HTTP:
        return url
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def path_of(url: str) -> str:
    """The path of a file address."""
    return unquote(urlsplit(url).path) if url.startswith("file://") else url


def _host_of(url: str) -> str:
    """The host to which FFmpeg connects: what follows the last @ before the first of / ? #.

    An @ behind that is of the path, or `http://inner.host/?@camera` would pass for the camera. A
    password may hold brackets, which `urlsplit` takes for IPv6: it gets the host alone.
    https://github.com/FFmpeg/FFmpeg/blob/n7.1/libavformat/utils.c (av_url_split)
    """
    scheme, _, rest = url.partition("://")
    authority = _END_OF_AUTHORITY.split(rest, maxsplit=1)[0].rpartition("@")[2]
    try:
        return urlsplit(f"{scheme}://{authority}").hostname or ""
    except ValueError:
        return ""
