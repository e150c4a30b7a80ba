"""Keeps secrets out of every log line.

Two nets: any password inside an address (`scheme://user:password@host`, `?password=…`) by its
shape, and every secret this process has read or decrypted by its letters (`remember_secret`).
"""

import json
import logging
import re
from collections import OrderedDict
from threading import Lock
from urllib.parse import quote

HIDDEN = "•••"
# Up to the last @ of the word: people type passwords with @, / or quotation marks unencoded. Where
# that @ stands in a path, the log loses a host name, which is the smaller harm.
_ADDRESS_PASSWORD = re.compile(r"://(?:(?!://)\S)*@")
_QUERY_PASSWORD = re.compile(
    r"(?P<name>[?&](?:pass|passwd|password|pwd|token|key|api_?key|secret)=)[^\s&'\"]+",
    re.IGNORECASE,
)
_MOST_SECRETS = 5_000
_SHORTEST_SECRET = 4  # anything shorter would blank ordinary words

_secrets: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def remember_secret(value: str) -> None:
    """From now on this text is blanked in logs: plain, as in an address, a repr, or JSON."""
    if len(value) < _SHORTEST_SECRET:
        return
    with _lock:
        for form in {value, quote(value, safe=""), repr(value)[1:-1], json.dumps(value)[1:-1]}:
            _secrets[form] = None
            _secrets.move_to_end(form)
        while len(_secrets) > _MOST_SECRETS:
            _secrets.popitem(last=False)


def redact(text: str) -> str:
    """The text without any known secret and without passwords in addresses."""
    text = _ADDRESS_PASSWORD.sub(f"://{HIDDEN}@", text)
    text = _QUERY_PASSWORD.sub(rf"\g<name>{HIDDEN}", text)
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


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
