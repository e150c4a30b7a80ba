"""HTTP around the simulated back end: reads calls, sends answers, and spoils them on demand."""

import asyncio
import socket
import struct
import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from simulators.laravel.api import ModelApi
from simulators.laravel.contract import parse_json
from simulators.laravel.control import CONTROL_PREFIX, ControlApi
from simulators.laravel.exchange import Answer, IncomingCall
from simulators.laravel.faults import Fault, FaultBook, cut_short, without_field
from simulators.laravel.records import NOT_ANSWERED, Journal

# Never the API key.
RECORDED_HEADERS = ("Idempotency-Key", "Content-Type", "User-Agent")
SERVER_ERROR = {"message": "Server Error"}
HTML_PAGE = "<!doctype html><html><body><h1>We will be back soon</h1></body></html>"


class Transport:
    """One running server; `stopping` ends the answers that are being held back."""

    def __init__(
        self,
        api: ModelApi,
        control: ControlApi,
        faults: FaultBook,
        journal: Journal,
        stopping: asyncio.Event,
    ) -> None:
        self._api = api
        self._control = control
        self._faults = faults
        self._journal = journal
        self._stopping = stopping

    def application(self) -> web.Application:
        # No limit on the body: the contract states none, and only our own processes call.
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        call = await _read_call(request)
        if call.path.startswith(CONTROL_PREFIX):
            answer = self._control.answer(call, request.query.get("since", "0"))
            return web.json_response(answer.body, status=answer.status)
        fault = self._faults.take(call.path, call.json)
        if fault is None:
            return self._send(call, self._api.answer(call), None)
        return await self._misbehave(request, call, fault)

    async def _misbehave(
        self, request: web.Request, call: IncomingCall, fault: Fault
    ) -> web.Response:
        answer = self._api.answer(call) if fault.after else None
        match fault.kind:
            case "hang":
                return await self._hang(request, call, fault, answer)
            case "reset":
                return self._reset(request, call, fault, answer)
            case "status":
                failure = Answer(int(fault.argument or 500), SERVER_ERROR, _replayed(answer))
                return self._send(call, failure, fault)
            case "echo":
                return self._send(call, _echo(request, call, fault), fault)
            case "redirect":
                self._note(call, 307, answer, fault)
                return web.Response(status=307, headers={"Location": str(fault.argument)})
            case "html":
                self._note(call, 200, answer, fault)
                return web.Response(text=HTML_PAGE, content_type="text/html")
        return self._spoil(call, fault, answer or self._api.answer(call))

    def _spoil(self, call: IncomingCall, fault: Fault, answer: Answer) -> web.Response:
        if fault.kind == "missing_field":
            body = without_field(answer.body, fault.argument)
            return self._send(call, Answer(answer.status, body, answer.replayed), fault)
        self._note(call, answer.status, answer, fault)
        text = cut_short(answer.body)
        return web.Response(text=text, status=answer.status, content_type="application/json")

    async def _hang(
        self, request: web.Request, call: IncomingCall, fault: Fault, answer: Answer | None
    ) -> web.Response:
        """A caller that gives up meanwhile is noted at once, and nothing is done for it."""
        try:
            await asyncio.wait_for(self._stopping.wait(), fault.seconds)
        except TimeoutError:
            # The work is done late too, or a beat held back would count as of its arrival.
            late = replace(call, at=time.time(), monotonic=time.monotonic())
            return self._send(call, answer or self._api.answer(late), fault)
        except asyncio.CancelledError:
            self._note(call, NOT_ANSWERED, answer, fault)
            raise
        return self._reset(request, call, fault, answer)

    def _reset(
        self, request: web.Request, call: IncomingCall, fault: Fault, answer: Answer | None
    ) -> web.Response:
        self._note(call, NOT_ANSWERED, answer, fault)
        if request.transport is not None:
            connection = request.transport.get_extra_info("socket")
            # To linger for no time at all makes the kernel send RST instead of a clean end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        return web.Response()

    def _send(self, call: IncomingCall, answer: Answer, fault: Fault | None) -> web.Response:
        # Noted before it leaves, so that whoever holds the answer finds the record.
        self._note(call, answer.status, answer, fault)
        return web.json_response(answer.body, status=answer.status)

    def _note(
        self, call: IncomingCall, status: int, answer: Answer | None, fault: Fault | None
    ) -> None:
        self._journal.note_call(
            call,
            status,
            replayed=_replayed(answer),
            fault=None if fault is None else fault.label,
        )


def _echo(request: web.Request, call: IncomingCall, fault: Fault) -> Answer:
    """What a framework with its debug mode on says: the whole request, key and all."""
    said = f"{call.payload.decode(errors='replace')} key {call.api_key} {dict(request.headers)}"
    body = {"message": f"Exception in {call.path}: {said}", "errors": {"request": [said]}}
    return Answer(int(fault.argument or 500), body)


def _replayed(answer: Answer | None) -> bool:
    return answer is not None and answer.replayed


async def _read_call(request: web.Request) -> IncomingCall:
    at, monotonic = time.time(), time.monotonic()
    payload = await request.read()
    return IncomingCall(
        at=at,
        monotonic=monotonic,
        method=request.method,
        path=request.path,
        query_names=tuple(request.query),
        instance=request.remote or "unknown",
        api_key=request.headers.get("X-Model-Api-Key"),
        media_type=request.content_type if "Content-Type" in request.headers else None,
        headers={
            name: request.headers[name] for name in RECORDED_HEADERS if name in request.headers
        },
        payload=payload,
        json=_json_or_none(payload),
    )


def _json_or_none(payload: bytes) -> Any:
    try:
        return parse_json(payload)
    except ValueError:
        return None
