"""The simulator's own endpoints, for a demo that runs it as another process."""

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from simulators.laravel.backend import BackEnd
from simulators.laravel.exchange import Answer, IncomingCall, Refusal, done
from simulators.laravel.faults import FaultBook, parse_fault
from simulators.laravel.records import Journal, RecordedCall

CONTROL_PREFIX = "/_simulator/"


class FaultRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    path: str | None = None
    times: int | None = None
    after: bool = False
    exact: bool = False
    camera_id: int | None = None


class ControlApi:
    """Neither recorded nor faulted; camera passwords never leave through here."""

    def __init__(self, back_end: BackEnd, journal: Journal, faults: FaultBook) -> None:
        self._back_end = back_end
        self._journal = journal
        self._faults = faults

    def answer(self, call: IncomingCall, since: str) -> Answer:
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "state"): self._state,
            ("GET", "calls"): lambda: self._calls(since),
            ("POST", "fault"): lambda: self._add_fault(call.json),
            ("DELETE", "fault"): self._clear_faults,
        }
        act = routes.get((call.method, call.path.removeprefix(CONTROL_PREFIX)))
        try:
            if act is None:
                raise Refusal(HTTPStatus.NOT_FOUND, "Route not found")
            return act()
        except Refusal as refusal:
            return refusal.as_answer()

    def _state(self) -> Answer:
        back_end = self._back_end
        violations = self._journal.violations()
        with back_end.lock:
            state = {
                "cameras": self._cameras(),
                "claims": {str(id_): holder for id_, holder in sorted(back_end.claims.items())},
                "counts": {
                    "calls": len(self._journal.calls()),
                    "alerts": len(back_end.alerts),
                    "crimes": len(back_end.crimes),
                    "stops": len(back_end.stops),
                    "alarms": len(back_end.alarms),
                    "releases": len(back_end.releases),
                    "violations": len(violations),
                },
                "releases": [asdict(release) for release in back_end.releases],
                "violations": [asdict(violation) for violation in violations],
            }
        return Answer(HTTPStatus.OK, state)

    def _cameras(self) -> list[dict[str, object]]:
        back_end = self._back_end
        return [
            {
                "id": camera.id,
                "name": camera.name,
                "is_active": camera.is_active,
                "claimed_by": back_end.claims.get(camera.id),
                "has_active_alert": camera.id in back_end.active_alerts,
            }
            for camera in back_end.cameras.values()
        ]

    def _calls(self, since: str) -> Answer:
        if not (since.isascii() and since.isdigit()):
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "since must be a number")
        calls = self._journal.calls()
        listed = [
            {"index": index, **_shown(calls[index])} for index in range(int(since), len(calls))
        ]
        return Answer(HTTPStatus.OK, {"calls": listed, "next": len(calls)})

    def _add_fault(self, fields: Any) -> Answer:
        try:
            wanted = FaultRequest.model_validate(fields)
            self._faults.add(
                parse_fault(
                    wanted.kind,
                    wanted.path,
                    wanted.times,
                    after=wanted.after,
                    exact=wanted.exact,
                    camera_id=wanted.camera_id,
                )
            )
        # pydantic's ValidationError is one too.
        except ValueError as error:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        return done("Fault added")

    def _clear_faults(self) -> Answer:
        self._faults.clear()
        return done("Faults cleared")


def _shown(call: RecordedCall) -> dict[str, Any]:
    fields = asdict(call)
    if isinstance(call.body, dict) and "password" in call.body:
        fields["body"] = {**call.body, "password": "***"}
    return fields
