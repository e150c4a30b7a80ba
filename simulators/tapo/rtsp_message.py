"""RTSP requests and answers as bytes (RFC 2326), and the RTCP that arrives between them."""

import asyncio
from dataclasses import dataclass

MAX_BODY_BYTES = 65_536

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
}


class MalformedRequest(ValueError):
    """What arrived is not RTSP; the connection is of no use any more."""


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: dict[str, str]
    """Names in lower case."""

    @property
    def stream(self) -> str:
        """`/stream2` of `rtsp://host:554/stream2/track1`."""
        path = self.url.split("://", 1)[-1].partition("/")[2]
        return "/" + path.split("?")[0].split("/")[0]


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None at the end of the connection."""
    try:
        while (first := await reader.readexactly(1)) == b"$":
            # A receiver report: we have no use for it.
            head = await reader.readexactly(3)
            await reader.readexactly(int.from_bytes(head[1:]))
        head = first + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise MalformedRequest("a request without an end") from error
    lines = head.decode("utf-8", "replace").strip().split("\r\n")
    words = lines[0].split()
    if len(words) != 3 or not words[2].startswith("RTSP/"):
        raise MalformedRequest(lines[0])
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise MalformedRequest(f"Content-Length: {length}")
    try:
        await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(words[0], words[1], headers)


def response(status: int, sequence: str, headers: dict[str, str], body: str = "") -> bytes:
    lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {sequence}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
