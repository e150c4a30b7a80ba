"""The siren over the camera's own control port, by pytapo, on a session that is kept warm.

A constructor costs several requests (33 ms on loopback), an alarm on a kept session one. An expired
token costs a second, which `keep_warm` pays so that the alarm does not.
Library: https://github.com/JurajNyiri/pytapo
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import IPv4Network, IPv6Network
from threading import Lock
from typing import Any, Protocol

from crimeops.environment import Environment
from detection.ports import SourceError
from detection.sources.addresses import check_network
from integrations.ports import AlarmAddress, IntegrationError, LoginRefused

# A camera that refused a login is left alone: each further try lengthens its suspension.
REFUSED_LOGIN_SECONDS = 60.0
# A camera that did not answer is not pinged again at once; an alarm asks it all the same.
SILENT_CAMERA_REST_SECONDS = 60.0
# pytapo waits 10 s for each of several requests; a site's other sirens share the threads.
REQUEST_TIMEOUT_SECONDS = 3
# pytapo waits a second before each of its retries, of which a dropped connection costs two.
RETRY_PAUSE_SECONDS = 0.1
KNOCK_SECONDS = 2.0
_SUSPENDED = re.compile(r"Temporary Suspension.*?(\d+) seconds")
_UNSUPPORTED = (
    "does not support",
    "-40106",
    "-40105",
    "-40210",
    "UNSUPPORTED_METHOD",
    "Method does not exist",
    "METHOD_DO_NOT_EXIST",
)


class TapoClient(Protocol):
    """The part of pytapo's Tapo that is used."""

    def startManualAlarm(self) -> Any: ...
    def stopManualAlarm(self) -> Any: ...
    def setSirenStatus(self, status: bool) -> Any: ...
    def getBasicInfo(self) -> Any: ...


@dataclass(slots=True)
class _Session:
    """The warm client of one camera and what was learned of its firmware."""

    lock: Lock = field(default_factory=Lock)
    client: TapoClient | None = None
    address: AlarmAddress | None = None
    manual_alarm_works: bool = True
    logins_closed_until: float = 0.0
    rests_until: float = 0.0  # not warmed before: it did not answer lately


class TapoAlarm:
    """See Alarm. One instance in a process holds the warm sessions of all its cameras."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._networks = networks
        self._sessions: dict[int, _Session] = {}
        self._lock = Lock()

    @classmethod
    def from_environment(cls, environment: Environment) -> "TapoAlarm":
        """Pays for pytapo's import, a second, now and not with the first alarm."""
        import_module("pytapo")
        return cls(environment.camera_networks)

    def sound(self, address: AlarmAddress, seconds: float) -> None:
        """See Alarm. The firmware ends by itself; `seconds` is kept by whoever re-arms."""
        self._switch(address, on=True)

    def silence(self, address: AlarmAddress) -> None:
        self._switch(address, on=False)

    def keep_warm(self, address: AlarmAddress) -> bool:
        """See Alarm. Waits for nobody: a camera that hangs must not gather waiting threads."""
        session = self._session(address)
        if time.monotonic() < session.rests_until or not session.lock.acquire(blocking=False):
            return False
        try:
            self._ask(session, address, lambda client: client.getBasicInfo())
        finally:
            session.lock.release()
        return True

    def _switch(self, address: AlarmAddress, *, on: bool) -> None:
        session = self._session(address)
        with session.lock:
            if session.manual_alarm_works:
                try:
                    self._ask(session, address, _start if on else _stop)
                    return
                except _Unsupported:
                    session.manual_alarm_works = False  # some C200 firmware
            self._ask(session, address, lambda client: client.setSirenStatus(on))

    def _session(self, address: AlarmAddress) -> _Session:
        with self._lock:
            session = self._sessions.setdefault(address.camera_id, _Session())
            if session.address != address:  # moved, or another password: start afresh
                _discard(session.client)
                session = self._sessions[address.camera_id] = _Session(address=address)
            return session

    def _ask(self, session: _Session, address: AlarmAddress, request: Any) -> None:
        def check_login() -> None:
            address.check_logins(session.logins_closed_until - time.monotonic())

        try:
            if session.client is None:
                check_login()
                session.client = self._log_in(address)
                _check_before_each_login(session.client, check_login, address)
            request(session.client)
        except Exception as error:  # noqa: BLE001 — pytapo raises bare Exceptions; their text is all there is
            fault = error if isinstance(error, IntegrationError) else _translate(address, error)
            if not isinstance(fault, _Unsupported):
                _discard(session.client)
                session.client = None
                session.rests_until = time.monotonic() + SILENT_CAMERA_REST_SECONDS
            if isinstance(fault, LoginRefused):
                session.logins_closed_until = time.monotonic() + fault.retry_after_seconds
            raise fault from None

    def _log_in(self, address: AlarmAddress) -> TapoClient:
        # Imported on first use: pytapo costs a second, and most processes sound no siren.
        check_network(address.host, self._networks)  # a login shall not go to just any host
        _knock(address)
        from pytapo import Tapo
        from pytapo.transport.pytapo import pytapo as transport

        transport.CONNECTION_TIMEOUT = REQUEST_TIMEOUT_SECONDS  # it offers no option for these
        transport.RETRY_BACKOFF_SECONDS = RETRY_PAUSE_SECONDS
        # The account of the Tapo app is called admin on every camera; the camera account, where
        # there is no other, has a name of its own.
        user = "admin" if address.control_password else address.username
        password = address.control_password or address.password
        client: TapoClient = Tapo(
            address.host,
            user,
            password,
            cloudPassword=password,
            controlPort=address.port,
            retryStok=True,
            printWarnInformation=False,
        )
        return client


def _knock(address: AlarmAddress) -> None:
    """See within 2 s whether the camera speaks TLS at all: pytapo's probes take 29 s for it."""
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE  # self-signed
    unverified.set_ciphers("ALL:@SECLEVEL=0")  # cameras are old
    where = (address.host, address.port)
    with (
        socket.create_connection(where, timeout=KNOCK_SECONDS) as plain,
        unverified.wrap_socket(plain),
    ):
        pass


def _discard(client: TapoClient | None) -> None:
    """A client keeps an event loop, whose file descriptors nobody else would close."""
    handler = getattr(client, "asyncHandler", None)
    loop = getattr(handler, "_loop", None)
    if loop is not None and not loop.is_running():
        loop.close()


def _check_before_each_login(
    client: TapoClient, check: Callable[[], None], address: AlarmAddress
) -> None:
    """pytapo logs in again by itself where a token has expired, past every cool-down of ours."""
    transport = getattr(client, "transport", None)
    log_in_again = getattr(transport, "_refreshStok", None)
    if log_in_again is None:
        return

    def checked(*arguments: Any, **options: Any) -> Any:
        check()
        _knock(address)  # it may be the answer to a camera that hangs
        return log_in_again(*arguments, **options)

    transport._refreshStok = checked  # type: ignore[union-attr] # it offers no hook for this


class _Unsupported(IntegrationError):
    """This firmware does not know the request."""


def _start(client: TapoClient) -> None:
    client.startManualAlarm()


def _stop(client: TapoClient) -> None:
    client.stopManualAlarm()


def _translate(address: AlarmAddress, error: Exception) -> IntegrationError:
    text = str(error)
    if isinstance(error, SourceError):
        return IntegrationError(text, permanent=False)
    if any(sign in text for sign in _UNSUPPORTED):
        return _Unsupported("this firmware has no manual alarm", permanent=True)
    suspended = _SUSPENDED.search(text)
    if suspended:
        seconds = float(suspended.group(1))
        return LoginRefused(
            f"the camera at {address.host} has suspended logins for {seconds:.0f} s after wrong "
            "passwords: check the camera's password",
            seconds=seconds,
            suspended=True,
        )
    if "Invalid authentication" in text or "-40209" in text:
        return LoginRefused(
            f"the camera at {address.host} refuses the password: set the camera account's, or the "
            "Tapo password, in the admin",
            seconds=REFUSED_LOGIN_SECONDS,
            suspended=False,
        )
    return IntegrationError(
        f"the camera at {address.host}:{address.port} does not answer: {type(error).__name__}",
        permanent=False,
    )
