"""The siren on a relay output of an ONVIF camera, asked for by SOAP.

Few cameras offer auxiliary commands, and those differ; relay outputs are the one way to switch
something that the standard defines for all. The messages are three, so no WSDL library is needed.
ONVIF Core Specification, 8.6 (relay outputs) and 5.9 (authentication):
https://www.onvif.org/specs/core/ONVIF-Core-Specification.pdf
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from threading import Lock
from typing import Final
from xml.sax.saxutils import escape

import requests
from urllib3.exceptions import HTTPError

from crimeops.environment import Environment
from detection.ports import SourceError
from detection.sources.addresses import check_network
from integrations.ports import AlarmAddress, IntegrationError

PATH: Final = "/onvif/device_service"
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
LONGEST_ANSWER_BYTES: Final = 65_536
REFUSED_LOGIN_SECONDS: Final = 60.0
# Clocks are told in whole seconds, and an answer takes its time.
SAME_CLOCK: Final = timedelta(seconds=2)
_TOKEN = re.compile(r"<(?:\w+:)?RelayOutputs\b[^>]*\btoken=[\"']([^\"']+)[\"']")
_UTC = re.compile(
    r"UTCDateTime>.*?Hour>(\d+)<.*?Minute>(\d+)<.*?Second>(\d+)<"
    r".*?Year>(\d+)<.*?Month>(\d+)<.*?Day>(\d+)<",
    re.DOTALL,
)
_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl">{header}<s:Body>{body}</s:Body></s:Envelope>'
)
_HEADER = (
    '<s:Header><w:Security s:mustUnderstand="1" xmlns:w="http://docs.oasis-open.org/wss/2004/01/'
    'oasis-200401-wss-wssecurity-secext-1.0.xsd" xmlns:u="http://docs.oasis-open.org/wss/2004/01/'
    'oasis-200401-wss-wssecurity-utility-1.0.xsd"><w:UsernameToken><w:Username>{user}</w:Username>'
    '<w:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-'
    'profile-1.0#PasswordDigest">{digest}</w:Password><w:Nonce>{nonce}</w:Nonce>'
    "<u:Created>{created}</u:Created></w:UsernameToken></w:Security></s:Header>"
)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What a camera has said of itself: its relay, and how far its clock is from ours."""

    relay: str
    clock_ahead: timedelta


class OnvifAlarm:
    """See Alarm. The first relay output is taken for the siren's."""

    def __init__(self, port: int, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._port = port
        self._networks = networks
        self._learnt: dict[AlarmAddress, _Learnt] = {}
        self._closed_until: dict[AlarmAddress, float] = {}
        self._lock = Lock()

    @classmethod
    def from_environment(cls, environment: Environment) -> "OnvifAlarm":
        return cls(environment.onvif_port, environment.camera_networks)

    def sound(self, address: AlarmAddress, seconds: float) -> None:
        """See Alarm. A relay stays on: `seconds` is kept by whoever re-arms."""
        self._switch(address, "active")

    def silence(self, address: AlarmAddress) -> None:
        self._switch(address, "inactive")

    def keep_warm(self, address: AlarmAddress) -> bool:
        """See Alarm. Which relay there is need be learnt once only, but clocks are set."""
        known = self._learn(address)
        self._keep(address, replace(known, clock_ahead=self._clock_ahead(address)))
        return True

    def _switch(self, address: AlarmAddress, state: str) -> None:
        learnt = self._learn(address)
        self._ask(
            address,
            learnt.clock_ahead,
            f"<tds:SetRelayOutputState><tds:RelayOutputToken>{escape(learnt.relay)}"
            f"</tds:RelayOutputToken><tds:LogicalState>{state}</tds:LogicalState>"
            "</tds:SetRelayOutputState>",
        )

    def _learn(self, address: AlarmAddress) -> _Learnt:
        with self._lock:
            known = self._learnt.get(address)
        if known is not None:
            return known
        ahead = self._clock_ahead(address)
        answer = self._ask(address, ahead, "<tds:GetRelayOutputs/>")
        relay = _TOKEN.search(answer)
        if relay is None:
            raise IntegrationError(
                f"the camera at {address.host} has no ONVIF relay output", permanent=True
            )
        known = _Learnt(relay.group(1), ahead)
        self._keep(address, known)
        return known

    def _keep(self, address: AlarmAddress, known: _Learnt) -> None:
        with self._lock:
            self._learnt = {
                a: k for a, k in self._learnt.items() if a.camera_id != address.camera_id
            }
            self._learnt[address] = known

    def _clock_ahead(self, address: AlarmAddress) -> timedelta:
        """A camera refuses a message that is not of now, by its own clock."""
        said = _UTC.search(self._post(address, "", "<tds:GetSystemDateAndTime/>"))
        if said is None:
            return timedelta()
        hour, minute, second, year, month, day = map(int, said.groups())
        try:
            theirs = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:  # a clock that was never set
            return timedelta()
        return theirs - datetime.now(UTC)

    def _ask(self, address: AlarmAddress, clock_ahead: timedelta, body: str) -> str:
        address.check_logins(self._closed_until.get(address, 0.0) - time.monotonic())
        try:
            return self._post_at_its_time(address, clock_ahead, body)
        except _AccountRefused:
            self._closed_until[address] = time.monotonic() + REFUSED_LOGIN_SECONDS
            raise

    def _post_at_its_time(self, address: AlarmAddress, clock_ahead: timedelta, body: str) -> str:
        """A camera that has set its clock since refuses as if the password were wrong."""
        try:
            return self._post(address, _credentials(address, clock_ahead), body)
        except _AccountRefused:
            now_ahead = self._clock_ahead(address)
            if abs(now_ahead - clock_ahead) <= SAME_CLOCK:
                raise
            answer = self._post(address, _credentials(address, now_ahead), body)
        known = self._learnt.get(address)
        if known is not None:
            self._keep(address, replace(known, clock_ahead=now_ahead))
        return answer

    def _check_host(self, address: AlarmAddress) -> None:
        """A digest that can be guessed at shall not go to just any host."""
        try:
            check_network(address.host, self._networks)
        except SourceError as error:
            raise IntegrationError(str(error), permanent=False) from None

    def _post(self, address: AlarmAddress, header: str, body: str) -> str:
        url = f"http://{address.host}:{self._port}{PATH}"
        message = _ENVELOPE.format(header=header, body=body)
        self._check_host(address)
        try:
            with (
                requests.Session() as session,
                _without_surroundings(session).post(
                    url,
                    data=message.encode(),
                    headers={"Content-Type": "application/soap+xml; charset=utf-8"},
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                text = answer.raw.read(LONGEST_ANSWER_BYTES, decode_content=True).decode(
                    "utf-8", "replace"
                )
                status = answer.status_code
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise IntegrationError(
                f"the camera at {address.host}:{self._port} does not answer by ONVIF: "
                f"{type(error).__name__}",
                permanent=False,
            ) from None
        if status == requests.codes.unauthorized or "NotAuthorized" in text:
            raise _AccountRefused(
                f"the camera at {address.host} refuses the camera account by ONVIF: check it in "
                "the admin",
                permanent=False,
                retry_after_seconds=REFUSED_LOGIN_SECONDS,
            )
        if status != requests.codes.ok:
            raise IntegrationError(
                f"the camera at {address.host} refused by ONVIF with {status}", permanent=False
            )
        return text


def _without_surroundings(session: requests.Session) -> requests.Session:
    """No proxy and no .netrc of the process shall see what is meant for a camera."""
    session.trust_env = False
    return session


class _AccountRefused(IntegrationError):
    """Many cameras keep ONVIF accounts apart: it says nothing of a login at the control port."""


def _credentials(address: AlarmAddress, clock_ahead: timedelta) -> str:
    """WS-UsernameToken with a digest: the password itself does not travel."""
    nonce = secrets.token_bytes(16)
    created = (datetime.now(UTC) + clock_ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(  # noqa: S324 — the profile knows no other
        nonce + created.encode() + address.password.encode()
    ).digest()
    return _HEADER.format(
        user=escape(address.username),
        digest=base64.b64encode(digest).decode(),
        nonce=base64.b64encode(nonce).decode(),
        created=created,
    )
