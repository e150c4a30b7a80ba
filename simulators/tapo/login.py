"""The camera's front door: the two-step login, its sessions and the suspension after bad logins.

The client proves that it knows the password and the camera proves the same (`device_confirm`),
so a client with a wrong password gives up by itself and never sends step 2. The camera therefore
counts every login-phase request that no success follows.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from simulators.tapo.behaviour import CameraBehaviour

Answer = dict[str, Any]

DEVICE_BLOCKED = -40404
LOGIN_REFUSED = -40411
INVALID_NONCE = -40413
SESSION_EXPIRED = -40401

# Answered to clients that try the login without encryption, which this firmware does not have.
UNAUTHORISED_STATUS = 401


@dataclass
class Session:
    """One token, and the key, vector and request number that go with it."""

    key: bytes = field(repr=False)
    vector: bytes = field(repr=False)
    tag_secret: str = field(repr=False)
    sequence: int
    opened_at: float

    def decrypt(self, secret: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.vector)).decryptor()
        unpadder = PKCS7(128).unpadder()
        padded = decryptor.update(secret) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()

    def encrypt(self, plain: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.vector)).encryptor()
        padder = PKCS7(128).padder()
        padded = padder.update(plain) + padder.finalize()
        return encryptor.update(padded) + encryptor.finalize()

    def tag(self, body: str) -> str:
        """The `Tapo_tag` that the body of the next request must carry."""
        return _sha256(self.tag_secret + body + str(self.sequence))


class FrontDoor:
    def __init__(self, behaviour: CameraBehaviour) -> None:
        self._behaviour = behaviour
        self._sessions: dict[str, Session] = {}
        self._nonces: dict[str, str] = {}
        self._attempts = 0
        self._unproven: dict[str, int] = {}
        self._suspended_until = 0.0
        self.logins = 0
        self.failed_logins = 0
        """Login-phase requests on connections that have not logged in since."""

    @property
    def suspended_seconds(self) -> float:
        return max(0.0, self._suspended_until - time.monotonic())

    def suspend(self, seconds: float) -> None:
        self._suspended_until = time.monotonic() + seconds

    def session(self, token: str) -> Session | None:
        session = self._sessions.get(token)
        if session is None:
            return None
        if time.monotonic() - session.opened_at > self._behaviour.session_seconds:
            del self._sessions[token]
            return None
        return session

    def expire_sessions(self) -> None:
        self._sessions.clear()

    def login(self, params: dict[str, Any], connection: str) -> tuple[int, Answer]:
        """The HTTP status and the answer to one login-phase request.

        `connection` tells connections apart: a login forgives the probes before it on its own.
        """
        if self.suspended_seconds:
            self._count_failure(connection)
            return 200, self._suspension()
        self._attempts += 1
        if params.get("sub_method") == "discover":
            # The newer clients' question for the newer login; it names nobody, so nobody failed.
            answer = 200, _challenge({"encrypt_type": ["3"], **self._tally()})
        elif params.get("encrypt_type") != "3":
            self._count_failure(connection)
            answer = UNAUTHORISED_STATUS, self._refusal()
        elif "digest_passwd" in params:
            answer = 200, self._second_step(params, connection)
        else:
            self._count_failure(connection)
            answer = 200, self._first_step(str(params.get("cnonce", "")))
        if self._attempts >= self._behaviour.lock_out_after:
            self._attempts = 0
            self.suspend(self._behaviour.lock_out_seconds)
        return answer

    def _first_step(self, client_nonce: str) -> Answer:
        nonce = secrets.token_hex(8).upper()
        if len(self._nonces) > 64:
            self._nonces.clear()
        self._nonces[client_nonce] = nonce
        proof = _sha256(client_nonce + self._password_digest() + nonce)
        return _challenge(
            {
                "encrypt_type": ["3"],
                "nonce": nonce,
                "device_confirm": proof + nonce + client_nonce,
                **self._tally(),
            }
        )

    def _second_step(self, params: dict[str, Any], connection: str) -> Answer:
        client_nonce = str(params.get("cnonce", ""))
        nonce = self._nonces.pop(client_nonce, "")
        password = self._password_digest()
        proof = _sha256(password + client_nonce + nonce) + client_nonce + nonce
        if (
            not nonce
            or params.get("username") != self._behaviour.user
            or not secrets.compare_digest(str(params["digest_passwd"]), proof)
        ):
            self._count_failure(connection)
            return self._refusal()
        self._attempts = 0
        self.failed_logins -= self._unproven.pop(connection, 0)
        self.logins += 1
        token = secrets.token_hex(16)
        hashed_key = _sha256(client_nonce + password + nonce)
        self._sessions[token] = session = Session(
            key=_token("lsk", client_nonce, nonce, hashed_key),
            vector=_token("ivb", client_nonce, nonce, hashed_key),
            tag_secret=_sha256(password + client_nonce),
            sequence=secrets.randbelow(800) + 100,
            opened_at=time.monotonic(),
        )
        return {
            "error_code": 0,
            "result": {"stok": token, "start_seq": session.sequence, "user_group": "root"},
        }

    def _count_failure(self, connection: str) -> None:
        self.failed_logins += 1
        self._unproven[connection] = self._unproven.get(connection, 0) + 1

    def _password_digest(self) -> str:
        password = self._behaviour.password.encode()
        return hashlib.new(self._behaviour.password_hash, password).hexdigest().upper()

    def _tally(self) -> Answer:
        return {"time": self._attempts, "max_time": self._behaviour.lock_out_after}

    def _refusal(self) -> Answer:
        data = {"code": LOGIN_REFUSED, "encrypt_type": ["3"], **self._tally()}
        return {"error_code": LOGIN_REFUSED, "result": {"data": data}}

    def _suspension(self) -> Answer:
        seconds = max(1, round(self.suspended_seconds))
        data = {"code": DEVICE_BLOCKED, **self._tally(), "sec_left": seconds}
        return {"error_code": DEVICE_BLOCKED, "data": data}


def _challenge(data: Answer) -> Answer:
    return {"error_code": INVALID_NONCE, "result": {"data": {"code": INVALID_NONCE, **data}}}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest().upper()


def _token(kind: str, client_nonce: str, nonce: str, hashed_key: str) -> bytes:
    return hashlib.sha256((kind + client_nonce + nonce + hashed_key).encode()).digest()[:16]
