"""An ONVIF camera that does not exist, as far as its relay output goes."""

import base64
import hashlib
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_FRESH = timedelta(seconds=5)


class SimulatedOnvif:
    """Answers three messages of the device service; use as a context manager."""

    def __init__(self, user: str, password: str, *, relays: tuple[str, ...] = ("relay_1",)) -> None:
        self.user, self.password, self.relays = user, password, relays
        self.clock_ahead = timedelta()
        self.on = False
        self.requests: list[str] = []
        self.refused = 0

    def __enter__(self) -> Self:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = camera.answer(body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, message: str) -> tuple[int, str]:
        found = re.search(r"<s:Body><tds:(\w+)", message)
        action = found.group(1) if found else ""
        self.requests.append(action)
        if action == "GetSystemDateAndTime":
            now = self._now()
            return 200, (
                "<tt:UTCDateTime><tt:Time>"
                f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
                f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}"
                f"</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
                "</tt:UTCDateTime>"
            )
        if not self._is_authentic(message):
            self.refused += 1
            return 400, "<s:Value>ter:NotAuthorized</s:Value>"
        if action == "GetRelayOutputs":
            return 200, "".join(f'<tds:RelayOutputs token="{name}"/>' for name in self.relays)
        state = re.search(r"<tds:LogicalState>(\w+)<", message)
        token = re.search(r"<tds:RelayOutputToken>([^<]+)<", message)
        if action != "SetRelayOutputState" or state is None or token is None:
            return 400, "<s:Value>ter:ActionNotSupported</s:Value>"
        if token.group(1) not in self.relays:
            return 400, "<s:Value>ter:RelayToken</s:Value>"
        self.on = state.group(1) == "active"
        return 200, "<tds:SetRelayOutputStateResponse/>"

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_ahead

    def _is_authentic(self, message: str) -> bool:
        parts = [
            re.search(rf"<[wu]:{name}\b[^>]*>([^<]*)<", message)
            for name in ("Username", "Password", "Nonce", "Created")
        ]
        if not all(parts):
            return False
        user, digest, nonce, created = (part.group(1) for part in parts if part)
        at = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        proof = hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.password.encode())
        fresh = abs(self._now() - at) < _FRESH
        return fresh and user == self.user and digest == base64.b64encode(proof.digest()).decode()
