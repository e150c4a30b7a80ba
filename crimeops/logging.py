"""Keeps secrets out of every log line.

Two nets: any password inside an address (`scheme://user:password@host`) by its shape, and every
secret this process has read or decrypted by its letters (`remember_secret`).
"""

import logging
import re
from collections import OrderedDict
from threading import Lock
from urllib.parse import quote

HIDDEN = "•••"
_ADDRESS_PASSWORD = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)[^\s/@'\"]+@")
_MOST_SECRETS = 5_000
_SHORTEST_SECRET = 4  # anything shorter would blank ordinary words

_secrets: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def remember_secret(value: str) -> None:
    """From now on this text, plain or as it stands in an address, is blanked in logs."""
    if len(value) < _SHORTEST_SECRET:
        return
    with _lock:
        for form in {value, quote(value, safe="")}:
            _secrets[form] = None
            _secrets.move_to_end(form)
        while len(_secrets) > _MOST_SECRETS:
            _secrets.popitem(last=False)


def redact(text: str) -> str:
    """The text without any known secret and without passwords in addresses."""
    text = _ADDRESS_PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", text)
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
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True
