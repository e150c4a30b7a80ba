"""The back end's own memory: who holds which camera, what was reported, who fell silent."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from threading import RLock

from simulators.laravel.cameras import SimulatedCamera, by_id
from simulators.laravel.contract import AlertBody, CrimeBody, StopBody, severity_of
from simulators.laravel.exchange import IncomingCall, Refusal
from simulators.laravel.records import (
    HeartbeatRelease,
    ReceivedAlarm,
    ReceivedAlert,
    ReceivedCrime,
    ReceivedStop,
)

# The document's "max 10 cameras per request", whatever an instance may hold.
LIST_LIMIT = 10

# A heartbeat may be on its way while a camera is released or taken back.
CROSSING_SECONDS = 1.0

logger = logging.getLogger(__name__)


class BackEnd:
    """Its verbs raise Refusal; its lists are for reading through `LaravelSimulator`."""

    def __init__(
        self,
        cameras: Sequence[SimulatedCamera],
        max_cameras_per_instance: int,
        heartbeat_timeout_seconds: float,
    ) -> None:
        self.lock = RLock()
        self.cameras = by_id(cameras)
        self.claims: dict[int, str] = {}
        self.active_alerts: set[int] = set()
        self.alerts: list[ReceivedAlert] = []
        self.stops: list[ReceivedStop] = []
        self.crimes: list[ReceivedCrime] = []
        self.alarms: list[ReceivedAlarm] = []
        self.reach_camera: Callable[[ReceivedAlarm], None] = lambda alarm: None
        self.releases: list[HeartbeatRelease] = []
        self._max_cameras_per_instance = max_cameras_per_instance
        self._heartbeat_timeout_seconds = heartbeat_timeout_seconds
        self._last_beats: dict[str, float] = {}
        self._unclaimed: dict[tuple[int, str], float] = {}  # monotonic, by camera and instance

    def available_cameras(self) -> list[SimulatedCamera]:
        with self.lock:
            return [
                camera
                for camera_id, camera in sorted(self.cameras.items())
                if camera.is_active and camera_id not in self.claims
            ][:LIST_LIMIT]

    def claim(self, camera_id: int, call: IncomingCall) -> None:
        with self.lock:
            camera = self._known(camera_id)
            # Also for the instance that holds it: the document rejects a claim wherever
            # `model_ip_address` is set, and tells a restarted one to wait for the time-out.
            if camera_id in self.claims:
                raise _expected_conflict("Camera is already claimed by another model instance")
            # No violation: it may have been switched off since it was listed.
            if not camera.is_active:
                raise _expected_conflict("Camera is not active")
            self._refuse_beyond_limit(call.instance)
            self.claims[camera_id] = call.instance
            self._last_beats.setdefault(call.instance, call.monotonic)

    def release(self, camera_id: int, call: IncomingCall) -> None:
        """A camera nobody holds is released again: a DELETE may be repeated after a lost answer."""
        with self.lock:
            self._known(camera_id)
            if camera_id in self.claims:
                if not self._holds(camera_id, call.instance):
                    message = "Camera is not claimed by this model instance"
                    raise Refusal(HTTPStatus.CONFLICT, message)
                self._unclaim(camera_id)

    def heartbeat(self, camera_ids: Sequence[int], call: IncomingCall) -> list[int]:
        """The camera ids named that the instance does not hold, nor held when it was sent."""
        with self.lock:
            if call.instance in self._last_beats:
                self._last_beats[call.instance] = call.monotonic
            return [
                id_
                for id_ in camera_ids
                if not self._holds(id_, call.instance) and not self._crossed(id_, call)
            ]

    def _crossed(self, camera_id: int, call: IncomingCall) -> bool:
        """Whether it was released, or taken back, while this heartbeat was on its way."""
        released = self._unclaimed.get((camera_id, call.instance), float("-inf"))
        return call.monotonic - released < CROSSING_SECONDS

    def alert(self, body: AlertBody, call: IncomingCall) -> None:
        with self.lock:
            self._known(body.camera_id)
            self.active_alerts.add(body.camera_id)
            self.alerts.append(
                ReceivedAlert(
                    at=call.at,
                    instance=call.instance,
                    camera_id=body.camera_id,
                    held=self._holds(body.camera_id, call.instance),
                    confidence_score=body.confidence_score,
                    alert_type=body.alert_type,
                    idempotency_key=call.idempotency_key,
                )
            )

    def stop(self, body: StopBody, call: IncomingCall) -> None:
        with self.lock:
            self._known(body.camera_id)
            self.stops.append(
                ReceivedStop(
                    at=call.at,
                    instance=call.instance,
                    camera_id=body.camera_id,
                    held=self._holds(body.camera_id, call.instance),
                    had_alert=body.camera_id in self.active_alerts,
                    idempotency_key=call.idempotency_key,
                )
            )
            self.active_alerts.discard(body.camera_id)

    def crime(self, body: CrimeBody, call: IncomingCall) -> ReceivedCrime:
        with self.lock:
            self._known(body.camera_id)
            crime = ReceivedCrime(
                at=call.at,
                instance=call.instance,
                crime_id=len(self.crimes) + 1,
                camera_id=body.camera_id,
                held=self._holds(body.camera_id, call.instance),
                crime_type=body.crime_type,
                confidence_score=body.confidence_score,
                start_time=body.start_time,
                end_time=body.end_time,
                severity=severity_of(body.confidence_score),
                status="pending",
                idempotency_key=call.idempotency_key,
            )
            self.crimes.append(crime)
            return crime

    def alarm(self, alarm: ReceivedAlarm, username: str, password: str) -> None:
        with self.lock:
            # Several cameras may share a public address behind port forwarding.
            there = [camera for camera in self.cameras.values() if camera.control_ip == alarm.ip]
            if not there:
                raise Refusal(HTTPStatus.NOT_FOUND, "No camera has this address")
            if all((c.user_name, c.password) != (username, password) for c in there):
                message = "The camera refuses this username and password."
                raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, message, {"username": [message]})
            try:
                self.reach_camera(alarm)
            except ConnectionError:
                message = "The camera does not answer"
                raise Refusal(HTTPStatus.BAD_GATEWAY, message, is_violation=False) from None
            self.alarms.append(alarm)

    def release_silent(self, *, at: float, monotonic: float) -> None:
        """Take back every camera of each instance whose last beat is older than the time-out."""
        with self.lock:
            for instance, last_beat in list(self._last_beats.items()):
                if monotonic - last_beat > self._heartbeat_timeout_seconds:
                    self._release_instance(instance, at)

    def take_back(self, camera_id: int) -> None:
        """Unclaim from the back end's side; raises KeyError for an unknown camera."""
        with self.lock:
            _ = self.cameras[camera_id]
            if camera_id in self.claims:
                self._unclaim(camera_id)

    def deactivate(self, camera_id: int) -> None:
        """Raises KeyError for an unknown camera. A claim on it stands."""
        with self.lock:
            self.cameras[camera_id] = replace(self.cameras[camera_id], is_active=False)

    def _known(self, camera_id: int) -> SimulatedCamera:
        if camera_id not in self.cameras:
            raise Refusal(HTTPStatus.NOT_FOUND, "Camera not found")
        return self.cameras[camera_id]

    def _holds(self, camera_id: int, instance: str) -> bool:
        # For reports only noted: the document names no such check, so they may come from any
        # worker's host, and also after the release.
        return self.claims.get(camera_id) == instance

    def _refuse_beyond_limit(self, instance: str) -> None:
        limit = self._max_cameras_per_instance
        if list(self.claims.values()).count(instance) >= limit:
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"Maximum camera limit reached ({limit}). "
                "Release cameras before claiming new ones.",
                is_violation=False,
            )

    def _unclaim(self, camera_id: int) -> None:
        # Its alert stays active: the document knows no other end of it than /alert/stop.
        instance = self.claims.pop(camera_id)
        self._unclaimed[camera_id, instance] = time.monotonic()
        if instance not in self.claims.values():
            self._last_beats.pop(instance, None)

    def _release_instance(self, instance: str, at: float) -> None:
        held = tuple(sorted(id_ for id_, holder in self.claims.items() if holder == instance))
        for camera_id in held:
            self._unclaim(camera_id)
        self.releases.append(HeartbeatRelease(at, instance, held))
        logger.warning("No heartbeat from %s: released cameras %s", instance, held)


def _expected_conflict(message: str) -> Refusal:
    return Refusal(HTTPStatus.CONFLICT, message, is_violation=False)
