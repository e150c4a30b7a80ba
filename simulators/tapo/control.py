"""The control port: HTTPS, the login and the encrypted requests that pytapo sends.

The firmware itself is in `firmware.py`, sessions and logins in `login.py`; here are the port,
the envelope and the faults of the connection.
"""

import asyncio
import base64
import binascii
import json
from typing import Any

from aiohttp import web

from simulators.tapo.behaviour import CameraBehaviour
from simulators.tapo.certificate import self_signed_context
from simulators.tapo.firmware import Firmware
from simulators.tapo.login import SESSION_EXPIRED, FrontDoor, Session

Json = dict[str, Any]

SHUTDOWN_SECONDS = 0.2


class ControlPort:
    def __init__(
        self, behaviour: CameraBehaviour, door: FrontDoor, firmware: Firmware, host: str
    ) -> None:
        self._behaviour = behaviour
        self._door = door
        self._firmware = firmware
        self._host = host
        self._ssl = self_signed_context()
        self._http: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._injected_errors: list[int] = []

    async def open(self, port: int) -> int:
        """Listen; answers the port, which the system chose when `port` is 0."""
        if self._listener is not None:
            return port
        if self._http is None:
            self._http = web.Server(self._handle, access_log=None)
        self._listener = await asyncio.get_running_loop().create_server(
            self._http, self._host, port, ssl=self._ssl
        )
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def is_open(self) -> bool:
        return self._listener is not None

    def refuse(self) -> None:
        """Close the port and all that is connected to it."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.drop_connections()

    async def close(self) -> None:
        self.refuse()
        if self._http is not None:
            await self._http.shutdown(SHUTDOWN_SECONDS)
            self._http = None

    def drop_connections(self) -> None:
        for connection in self._http.connections if self._http is not None else ():
            if connection.transport is not None:
                connection.transport.abort()

    def fail_next(self, count: int, error_code: int) -> None:
        self._injected_errors = [error_code] * count

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.text()
        status, answer = self._answer(request, body)
        if self._behaviour.latency_seconds:
            await asyncio.sleep(self._behaviour.latency_seconds)
        return web.json_response(answer, status=status)

    def _answer(self, request: web.BaseRequest, body: str) -> tuple[int, Json]:
        message = _json_object(body)
        if request.method != "POST" or message is None:
            return 400, {"error_code": -40209}
        if message.get("method") == "login":
            transport = request.transport
            peer = transport.get_extra_info("peername") if transport is not None else None
            return self._door.login(message.get("params") or {}, str(peer))
        token = request.path.removeprefix("/stok=").removesuffix("/ds")
        session = self._door.session(token)
        if session is None or message.get("method") != "securePassthrough":
            # -40407 is what cameras give as the reason for a token they no longer know.
            return 200, {"error_code": SESSION_EXPIRED, "result": {"data": {"code": -40407}}}
        status, inner = self._passthrough(session, request, body, message)
        sealed = base64.b64encode(session.encrypt(json.dumps(inner).encode())).decode()
        return status, {"error_code": 0, "result": {"response": sealed}}

    def _passthrough(
        self, session: Session, request: web.BaseRequest, body: str, message: Json
    ) -> tuple[int, Json]:
        expected_tag, expected_sequence = session.tag(body), str(session.sequence)
        if request.headers.get("Seq") != expected_sequence:
            return 500, _failure("Http seq illegaly")
        if request.headers.get("Tapo_tag") != expected_tag:
            return 500, _failure("Check tapo tag failed")
        session.sequence += 1
        if self._injected_errors:
            return 200, _failure("Injected fault", self._injected_errors.pop())
        try:
            sealed = base64.b64decode(str(message["params"]["request"]), validate=True)
            plain = _json_object(session.decrypt(sealed).decode())
        except (KeyError, TypeError, ValueError, binascii.Error):
            plain = None
        if plain is None:
            return 200, _failure("Request cannot be read")
        return 200, self._firmware.answer(plain)


def _failure(reason: str, error_code: int = -1) -> Json:
    # The words, misspelt, are the firmware's:
    # https://github.com/JurajNyiri/HomeAssistant-Tapo-Control/issues/438
    return {
        "error_code": error_code,
        "result": {"responses": [{"msg": reason, "error_code": error_code}]},
    }


def _json_object(text: str) -> Json | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
