"""The endpoints of the contract: each checks its request, tells the back end, words the answer."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from simulators.laravel.backend import BackEnd
from simulators.laravel.contract import (
    AlarmStartBody,
    AlarmStopBody,
    AlertBody,
    CrimeBody,
    HeartbeatBody,
    StopBody,
    read_body,
    read_object,
    refuse_body,
)
from simulators.laravel.exchange import Answer, IncomingCall, Refusal, done, invalid
from simulators.laravel.records import Journal, ReceivedAlarm

CAMERA_PATH = re.compile(r"/api/model/cameras/([^/]+)/(claim|release)")
CAMERA_ID = re.compile(r"[0-9]{1,18}")
ALARM_PATH = "/api/camera/alarm"

Handler = Callable[[IncomingCall], Answer]


@dataclass(frozen=True)
class _FirstAnswer:
    path: str
    body: Any
    answer: Answer


class ModelApi:
    """Answers one call at a time; every refusal the document does not foresee is noted."""

    def __init__(self, api_key: str, back_end: BackEnd, journal: Journal) -> None:
        if not api_key:
            raise ValueError("the simulated back end needs an API key")
        self._api_key = api_key.encode()
        self._back_end = back_end
        self._journal = journal
        self._first_answers: dict[str, _FirstAnswer] = {}
        self._routes: dict[str, tuple[str, Handler]] = {
            "/api/model/cameras": ("GET", self._list_cameras),
            "/api/model/heartbeat": ("POST", self._heartbeat),
            "/api/model/alert": ("POST", self._alert),
            "/api/model/alert/stop": ("POST", self._stop),
            "/api/model/crime": ("POST", self._crime),
            ALARM_PATH: ("POST", self._alarm),
        }

    def answer(self, call: IncomingCall) -> Answer:
        # Due releases come first, so that a late call never finds a claim that should be gone.
        self._back_end.release_silent(at=call.at, monotonic=call.monotonic)
        try:
            handler = self._handler(call)
            # The document sends no key to the camera control API.
            if call.path != ALARM_PATH:
                self._refuse_wrong_key(call)
            return handler(call)
        except Refusal as refusal:
            if refusal.is_violation:
                self._journal.note_refusal(call, refusal)
            return refusal.as_answer()

    def _handler(self, call: IncomingCall) -> Handler:
        if match := CAMERA_PATH.fullmatch(call.path):
            camera_id, verb = match.groups()
            method = "POST" if verb == "claim" else "DELETE"
            act = self._claim if verb == "claim" else self._release
            handler: Handler = partial(act, camera_id)
        elif call.path in self._routes:
            method, handler = self._routes[call.path]
        else:
            raise Refusal(HTTPStatus.NOT_FOUND, "Route not found")
        if call.method != method:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"Only {method} is supported here")
        return handler

    def _refuse_wrong_key(self, call: IncomingCall) -> None:
        if not hmac.compare_digest(_as_sent(call.api_key or ""), self._api_key):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Invalid or missing model API key")

    def _list_cameras(self, call: IncomingCall) -> Answer:
        refuse_body(call)
        listed = [camera.as_listed() for camera in self._back_end.available_cameras()]
        return Answer(HTTPStatus.OK, {"status": True, "data": listed})

    def _claim(self, camera_id: str, call: IncomingCall) -> Answer:
        refuse_body(call)
        self._back_end.claim(_camera_id(camera_id), call)
        return done("Camera claimed successfully")

    def _release(self, camera_id: str, call: IncomingCall) -> Answer:
        refuse_body(call)
        self._back_end.release(_camera_id(camera_id), call)
        return done("Camera released successfully")

    def _heartbeat(self, call: IncomingCall) -> Answer:
        body = read_body(call, HeartbeatBody)
        not_held = self._back_end.heartbeat(body.camera_ids, call)
        if not_held:
            # The document names no refusal for it: let through, and remembered.
            self._journal.note_violation(
                call, HTTPStatus.OK, f"Heartbeat names cameras not held: {not_held}"
            )
        return done("Heartbeat received")

    def _alert(self, call: IncomingCall) -> Answer:
        body = read_body(call, AlertBody)

        def receive() -> Answer:
            self._back_end.alert(body, call)
            return done("Alert received")

        return self._once(call, receive)

    def _stop(self, call: IncomingCall) -> Answer:
        body = read_body(call, StopBody)

        def receive() -> Answer:
            self._back_end.stop(body, call)
            return done("Alert stopped")

        return self._once(call, receive)

    def _crime(self, call: IncomingCall) -> Answer:
        body = read_body(call, CrimeBody)

        def receive() -> Answer:
            crime = self._back_end.crime(body, call)
            return done(
                "Crime reported successfully",
                HTTPStatus.CREATED,
                data={
                    "crime_id": crime.crime_id,
                    "status": crime.status,
                    "severity": crime.severity,
                },
            )

        return self._once(call, receive)

    def _alarm(self, call: IncomingCall) -> Answer:
        is_stop = read_object(call).get("action") == "stop"
        body: AlarmStartBody | AlarmStopBody
        body = read_body(call, AlarmStopBody) if is_stop else read_body(call, AlarmStartBody)
        fields = body.model_dump(exclude={"username", "password"})
        alarm = ReceivedAlarm(at=call.at, instance=call.instance, **fields)
        self._back_end.alarm(alarm, body.username, body.password)
        return done("Alarm stopped" if is_stop else "Alarm started")

    def _once(self, call: IncomingCall, act: Callable[[], Answer]) -> Answer:
        """Only successes are remembered: after a refusal the same key may be tried again."""
        key = call.idempotency_key
        if key is None:
            return act()
        first = self._first_answers.get(key)
        if first is None:
            answer = act()
            self._first_answers[key] = _FirstAnswer(call.path, call.json, answer)
            return answer
        if (first.path, first.body) != (call.path, call.json):
            raise invalid({"Idempotency-Key": ["This key was used for another request."]})
        return replace(first.answer, replayed=True)


def _as_sent(header: str) -> bytes:
    # How aiohttp keeps bytes that are no UTF-8: they must not match, and not crash either.
    return header.encode("utf-8", "surrogateescape")


def _camera_id(text: str) -> int:
    if not CAMERA_ID.fullmatch(text):
        raise Refusal(HTTPStatus.NOT_FOUND, "Camera not found")
    return int(text)
