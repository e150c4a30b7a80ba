"""Keeps secrets out of every log line, and of what is stored or shown of errors.

Two nets: any password inside an address (`scheme://user:password@host`, `?password=…`) or a header
by its shape, and every secret this process has read or decrypted by its letters
(`remember_secret`).
"""

import hashlib
import json
import logging
import re
import sys
import threading
import traceback
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "•••"
# Up to the last @ of the word: people type passwords with @, / or quotation marks unencoded. Where
# that @ stands in a path, the log loses a host name, which is the smaller harm.
_ADDRESS_PASSWORD = re.compile(r"://(?:(?!://)\S)*@")
_QUERY_PASSWORD = re.compile(
    r"(?P<name>[?&](?:pass|passwd|password|pwd|token|key|api_?key|secret)=)[^\s&'\"]+",
    re.IGNORECASE,
)
# A login as a header carries it, and the session of a camera in its address.
_CREDENTIALS = re.compile(
    r"(?P<name>\b(?:basic|bearer)\s+|\bdigest\s+(?=username=)|\bresponse=|/stok=)"
    r"(?:\"[^\"]*\"|[\w+/=.~-]{8,}|username=[^\r\n]*)",
    re.IGNORECASE,
)
_MOST_SECRETS = 2_000
_SHORTEST_SECRET = 4  # anything shorter would blank ordinary words


class _Memory:
    """Secrets with the forms in which they may turn up; of too many, the oldest are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._kept: dict[str, frozenset[str]] = {}
        self._longest_first: tuple[str, ...] | None = ()

    def add(self, secret: str, *, for_good: bool) -> None:
        with self._lock:
            if secret in self._secrets:
                self._secrets.move_to_end(secret)
            elif secret not in self._kept:
                (self._kept if for_good else self._secrets)[secret] = frozenset(_forms_of(secret))
                while len(self._secrets) > _MOST_SECRETS:
                    self._secrets.popitem(last=False)
                self._longest_first = None

    def forms(self) -> tuple[str, ...]:
        with self._lock:
            if self._longest_first is None:
                known = {
                    f for memory in (self._secrets, self._kept) for s in memory.values() for f in s
                }
                self._longest_first = tuple(sorted(known, key=len, reverse=True))
            return self._longest_first


def _forms_of(secret: str) -> Iterable[str]:
    """Plain, as in an address, a repr or JSON, and as cameras' logins and headers carry it."""
    raw = secret.encode(errors="surrogatepass")
    yield from (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])
    for encode in (quote, quote_plus):
        for safe in ("", "/"):
            encoded = encode(raw, safe=safe)
            yield from (encoded, re.sub(r"%[0-9A-F]{2}", lambda hit: hit[0].lower(), encoded))
    yield b64encode(raw).decode()
    for name in ("md5", "sha256"):
        digest = hashlib.new(name, raw, usedforsecurity=False).hexdigest()
        yield from (digest, digest.upper())


_memory = _Memory()


def remember_secret(value: str, *, for_good: bool = False) -> None:
    """From now on this text is blanked in logs, in every form in which it may turn up.

    `for_good`: however many others are remembered after it; for the few keys of the settings.
    """
    if len(value) >= _SHORTEST_SECRET:
        _memory.add(value, for_good=for_good)


def redact(text: str) -> str:
    """The text without any known secret and without passwords in addresses.

    And without what no database holds: it is stored and shown, and others said it.
    """
    text = text.replace("\0", "").encode(errors="backslashreplace").decode()  # half characters
    text = _ADDRESS_PASSWORD.sub(f"://{HIDDEN}@", text)
    text = _QUERY_PASSWORD.sub(rf"\g<name>{HIDDEN}", text)
    text = _CREDENTIALS.sub(rf"\g<name>{HIDDEN}", text)
    for secret in _memory.forms():
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def redact_json(value: Any) -> Any:
    """The same structure in JSON's types, redacted throughout, its keys too."""
    if isinstance(value, dict):
        return {redact(str(key)): redact_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact(str(value))


def redact_uncaught() -> None:
    """Errors that nobody catches are written to the terminal without secrets too."""

    def write(kind: type[BaseException], error: BaseException | None, trace: Any) -> None:
        sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = write
    threading.excepthook = lambda given: write(given.exc_type, given.exc_value, given.exc_traceback)


class RedactionFilter(logging.Filter):
    """Rewrites each record before any handler formats it; tracebacks too."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(_message_of(record))
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message_of(record: logging.LogRecord) -> str:
    """The message; a line that is wrong must not stop its writer, nor show what it was given."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 — whatever an argument's __str__ may raise
        said = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        return f"{said} (cannot be formatted: {type(error).__name__})"
