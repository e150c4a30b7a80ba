"""HTTP digest authentication as RTSP cameras ask for it: MD5, a realm, a nonce, no `qop`.

RFC 2617; `Basic` is not accepted, as on a Tapo.
"""

import hashlib
import re
import secrets

REALM = "TP-LINK IP-Camera"

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


class DigestChallenge:
    """The nonce of one connection."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(16)

    @property
    def header(self) -> str:
        return f'Digest realm="{REALM}", nonce="{self._nonce}"'

    def accepts(self, authorization: str, *, method: str, user: str, password: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "digest":
            return False
        given = {name.lower(): a or b for name, a, b in _PARAMETER.findall(rest)}
        if (given.get("username"), given.get("nonce")) != (user, self._nonce):
            return False
        secret = _md5(f"{user}:{REALM}:{password}")
        request = _md5(f"{method}:{given.get('uri', '')}")
        expected = _md5(f"{secret}:{self._nonce}:{request}")
        return secrets.compare_digest(given.get("response", "").encode(), expected.encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
