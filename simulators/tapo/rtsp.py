"""The RTSP server of one camera: its connections, sessions and refusals."""

import asyncio
import re
import secrets
from collections import Counter

from simulators.tapo import rtp
from simulators.tapo.behaviour import CameraBehaviour, EventSink
from simulators.tapo.broadcast import Broadcast
from simulators.tapo.digest import DigestChallenge
from simulators.tapo.rtsp_message import MalformedRequest, Request, read_request, response
from simulators.tapo.sender import RtpSender
from simulators.tapo.transport import Datagrams, Interleaved, MediaTransport

STREAMS = ("/stream1", "/stream2")
METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "GET_PARAMETER")
PROTECTED = ("DESCRIBE", "SETUP", "PLAY")
SESSION_TIMEOUT_SECONDS = 60

Reply = tuple[int, dict[str, str], str]


class RtspServer:
    def __init__(
        self, behaviour: CameraBehaviour, broadcast: Broadcast, host: str, emit: EventSink
    ) -> None:
        self.behaviour = behaviour
        self.broadcast = broadcast
        self.host = host
        self.emit = emit
        self.occupied: Counter[str] = Counter()
        self.active_clients = 0
        self.total_sessions = 0
        self.teardowns = 0
        self._listener: asyncio.Server | None = None
        self._connections: dict[RtspConnection, asyncio.Task[None]] = {}

    async def open(self, port: int) -> int:
        """Listen; answers the port, which the system chose when `port` is 0."""
        if self._listener is not None:
            return port
        self._listener = await asyncio.start_server(self._serve, self.host, port)
        return int(self._listener.sockets[0].getsockname()[1])

    def refuse(self) -> None:
        """Close the port; those who are connected stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def drop_clients(self) -> None:
        for connection in tuple(self._connections):
            connection.hang_up()

    async def close(self) -> None:
        self.refuse()
        tasks = tuple(self._connections.values())
        self.drop_clients()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = RtspConnection(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None  # a coroutine that runs has a task
        self._connections[connection] = task
        try:
            await connection.serve()
        finally:
            del self._connections[connection]
            connection.end_session()
            writer.close()


class RtspConnection:
    """One TCP connection with at most one session, which ends with it."""

    def __init__(
        self, server: RtspServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._challenge = DigestChallenge()
        self._peer, self._peer_port = writer.get_extra_info("peername")[:2]
        self._session = secrets.token_hex(4).upper()
        self._sender: RtpSender | None = None
        self._stream = ""
        self._playing = False

    async def serve(self) -> None:
        try:
            while (request := await read_request(self._reader)) is not None:
                status, headers, body = self._answer(request)
                sequence = request.headers.get("cseq", "0")
                self._writer.write(response(status, sequence, headers, body))
                await self._writer.drain()
                if request.method == "PLAY" and status == 200:
                    self._begin()
                if request.method == "TEARDOWN":
                    return
        except (MalformedRequest, ConnectionError):
            return

    def hang_up(self) -> None:
        self._writer.transport.abort()

    def end_session(self) -> None:
        sender, self._sender = self._sender, None
        if sender is None:
            return
        self._server.occupied[self._stream] -= 1
        sender.media.close()
        if self._playing:
            self._playing = False
            self._server.broadcast.leave(sender)
            self._server.active_clients -= 1
            self._emit("client_gone")

    def _answer(self, request: Request) -> Reply:
        behaviour = self._server.behaviour
        if request.method in PROTECTED and not self._challenge.accepts(
            request.headers.get("authorization", ""),
            method=request.method,
            user=behaviour.user,
            password=behaviour.password,
        ):
            return 401, {"WWW-Authenticate": self._challenge.header}, ""
        if request.method in PROTECTED and (
            behaviour.video_unavailable or request.stream not in STREAMS
        ):
            return 404, {}, ""
        match request.method:
            case "OPTIONS":
                return 200, {"Public": ", ".join(METHODS)}, ""
            case "DESCRIBE":
                base = request.url.rstrip("/") + "/"
                headers = {"Content-Type": "application/sdp", "Content-Base": base}
                return 200, headers, self._description()
            case "SETUP":
                return self._set_up(request)
            case "PLAY":
                return self._play(request)
            case "TEARDOWN":
                self._server.teardowns += self._sender is not None
                self.end_session()
                return 200, {}, ""
            case "GET_PARAMETER":
                return (454 if self._sender is None else 200), {}, ""
        return 501, {}, ""

    def _description(self) -> str:
        lines = (
            "v=0",
            f"o=- {int(self._session, 16)} 1 IN IP4 {self._server.host}",
            "s=Simulated Tapo",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=range:npt=0-",
            f"m=video 0 RTP/AVP {rtp.PAYLOAD_TYPE}",
            f"a=rtpmap:{rtp.PAYLOAD_TYPE} H264/{rtp.CLOCK_RATE}",
            f"a=fmtp:{rtp.PAYLOAD_TYPE} {self._server.broadcast.clip.sdp_format}",
            "a=control:track1",
        )
        return "\r\n".join(lines) + "\r\n"

    def _set_up(self, request: Request) -> Reply:
        if self._sender is not None:
            return 455, {}, ""
        server = self._server
        if server.occupied[request.stream] >= server.behaviour.max_clients:
            return 453, {}, ""
        wanted = request.headers.get("transport", "")
        channels = re.search(r"interleaved=(\d+)-(\d+)", wanted)
        ports = re.search(r"client_port=(\d+)-(\d+)", wanted)
        if "/TCP" in wanted:
            pair = (int(channels[1]), int(channels[2])) if channels else (0, 1)
            media: MediaTransport = Interleaved(self._writer, pair)
        elif ports and "multicast" not in wanted:
            pair = int(ports[1]), int(ports[2])
            media = Datagrams(server.behaviour, server.host, self._peer, pair)
        else:
            return 461, {}, ""
        self._sender = RtpSender(media, self.hang_up)
        self._stream = request.stream
        server.occupied[self._stream] += 1
        server.total_sessions += 1
        session = f"{self._session};timeout={SESSION_TIMEOUT_SECONDS}"
        return 200, {"Transport": media.header, "Session": session}, ""

    def _play(self, request: Request) -> Reply:
        if self._sender is None:
            return 454, {}, ""
        timestamp = self._server.broadcast.next_key_timestamp()
        url = request.url.rstrip("/")
        headers = {
            "Session": self._session,
            "Range": "npt=0.000-",
            "RTP-Info": f"url={url}/track1;seq={self._sender.sequence};rtptime={timestamp}",
        }
        return 200, headers, ""

    def _begin(self) -> None:
        if self._playing or self._sender is None:
            return
        self._playing = True
        self._sender.key_frames_denied = self._server.behaviour.key_frames_suppressed
        self._sender.damages = lambda: self._server.behaviour.pictures_damaged
        self._server.active_clients += 1
        self._server.broadcast.join(self._sender)
        self._server.broadcast.report_to(self._sender)
        self._emit("client_connected")

    def _emit(self, event: str) -> None:
        self._server.emit(
            {"event": event, "peer": f"{self._peer}:{self._peer_port}", "stream": self._stream}
        )
