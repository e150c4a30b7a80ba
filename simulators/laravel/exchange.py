"""What goes in and out of the simulated back end, free of any HTTP library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MODEL_PREFIX = "/api/model"


def full_path(path: str) -> str:
    """`/alert` is short for `/api/model/alert`; a path below `/api/` stands for itself."""
    return path if path.startswith("/api/") else MODEL_PREFIX + path


@dataclass(frozen=True, kw_only=True)
class IncomingCall:
    """One request; `at` is epoch seconds, `monotonic` the steady clock of the same moment."""

    at: float
    monotonic: float
    method: str
    path: str
    query_names: tuple[str, ...]
    instance: str
    api_key: str | None = field(repr=False)
    media_type: str | None
    headers: Mapping[str, str]
    payload: bytes = field(repr=False)
    json: Any

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("Idempotency-Key") or None


@dataclass(frozen=True)
class Answer:
    """A status and a JSON object; `replayed` when an Idempotency-Key brought it back."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


def done(message: str, status: int = HTTPStatus.OK, **more: object) -> Answer:
    return Answer(status, {"status": True, "message": message, **more})


class Refusal(Exception):
    """A 4xx; `is_violation` is false where the document itself foresees the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Mapping[str, list[str]] | None = None,
        *,
        is_violation: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = dict(errors or {})
        self.is_violation = is_violation

    def as_answer(self) -> Answer:
        body: dict[str, Any] = {"status": False, "message": self.message}
        if self.errors:
            body["errors"] = self.errors
        return Answer(self.status, body)


def invalid(errors: Mapping[str, list[str]]) -> Refusal:
    """Laravel's 422: the first message, and how many more there are."""
    messages = [message for of_field in errors.values() for message in of_field]
    more = len(messages) - 1
    suffix = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, messages[0] + suffix, errors)
