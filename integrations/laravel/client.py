"""One HTTP session to the Laravel back end: key, time-outs, retries, and one kind of error.

Contract: the Laravel model API, sections “API Authentication” and “Network Failures”.
"""

import json
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import requests
from pydantic import BaseModel, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError, ResponseError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.util.retry import Retry
from urllib3.util.timeout import Timeout

from crimeops.environment import Environment
from crimeops.logging import redact
from integrations.laravel.timely import POOLS
from integrations.ports import IntegrationError

# Refusals that may be taken back: time-out, state conflict, too early, too many.
LONGEST_ANSWER_BYTES = 5_000_000
TRANSIENT_REFUSALS = {408, 409, 425, 429}
# What it answers whatever is asked: a wrong key, too many of us, a proxy without its server.
# A bare 500 is not among them: it may be the fault of this one report.
AWAY = {401, 403, 429, 502, 503, 504}
# A prompt call is over in this time with all its repetitions: before the lease that it is about.
# Where the back end is silent it is one attempt: a release at SIGTERM has no more time than that.
PROMPT_SECONDS = 7.5
PROMPT_ATTEMPT_SECONDS = 4.0

AnswerT = TypeVar("AnswerT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class LaravelOptions:
    """Where the back end is and how patient we are with it."""

    base_url: str
    api_key: str = field(repr=False)
    timeout_seconds: float = 5.0
    retries: int = 3
    backoff_factor: float = 0.5
    source_address: str = ""
    ca_file: str = ""

    @classmethod
    def from_environment(cls, environment: Environment) -> "LaravelOptions":
        return cls(
            base_url=str(environment.backend_url).rstrip("/"),
            api_key=environment.model_api_key,
            timeout_seconds=environment.backend_timeout,
            source_address=environment.instance_address,
            ca_file=str(environment.backend_ca_file or ""),
        )


class BackendError(IntegrationError):
    """The back end's refusal or silence; `status` is the HTTP status, 0 where there was none.

    `repeated` where it had been sent before, and an answer was lost or an error.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        status: int = 0,
        repeated: bool = False,
        away: bool = False,
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(
            message, permanent=permanent, away=away, retry_after_seconds=retry_after_seconds
        )
        self.status = status
        self.repeated = repeated


_last_attempt_at: ContextVar[float] = ContextVar("last_attempt_at", default=float("inf"))


class _RetryInTime(Retry):
    """Begins no attempt after `_last_attempt_at` of the call that it is for."""

    def increment(  # type: ignore[no-untyped-def]  # urllib3's own six arguments, handed on
        self, method=None, url=None, response=None, error=None, _pool=None, _stacktrace=None
    ) -> Self:
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        if time.monotonic() + following.get_backoff_time() > _last_attempt_at.get():
            raise MaxRetryError(_pool, url, error or ResponseError("no time is left"))
        return following


class _BoundAdapter(HTTPAdapter):
    """Sends from a given local address: the back end knows an instance by it. Reads in time."""

    def __init__(self, source_address: str, **kwargs: Any) -> None:
        self._source_address = source_address
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._source_address:
            kwargs["source_address"] = (self._source_address, 0)
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS


class LaravelClient:
    """Safe to share among the threads of a worker: the session's state is only read."""

    def __init__(self, options: LaravelOptions) -> None:
        self._options = options
        retry = _RetryInTime(
            total=options.retries,
            read=0,  # what may have arrived is not posted again blindly: the outbox has the key
            backoff_factor=options.backoff_factor,
            status_forcelist=[500, 502, 503],
            allowed_methods=None,  # POSTs too: they carry an Idempotency-Key or are harmless twice
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        adapter = _BoundAdapter(options.source_address, max_retries=retry, pool_maxsize=16)
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or .netrc of the host must not see the key
        self._session.verify = options.ca_file or True
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers.update(
            {"X-Model-Api-Key": options.api_key, "Accept": "application/json"}
        )

    def call(
        self,
        method: str,
        path: str,
        answer: type[AnswerT],
        *,
        body: dict[str, Any] | None = None,
        idempotency_key: str = "",
        prompt: bool = False,
    ) -> AnswerT:
        """Send one request and read its answer as the given model; `prompt`: see PROMPT_SECONDS.

        Raises:
            BackendError: refused, unreachable, or answered with something else than the contract's.
        """
        attempt_seconds = min(self._options.timeout_seconds, PROMPT_ATTEMPT_SECONDS)
        latest = time.monotonic() + PROMPT_SECONDS - attempt_seconds if prompt else float("inf")
        _last_attempt_at.set(latest)
        try:
            response = self._session.request(
                method,
                f"{self._options.base_url}{path}",
                json=body,
                headers={"Idempotency-Key": idempotency_key} if idempotency_key else None,
                timeout=Timeout(total=attempt_seconds)  # type: ignore[arg-type]  # unknown to stubs
                if prompt
                else self._options.timeout_seconds,
                allow_redirects=False,  # the key goes to nobody but the back end
                stream=True,
            )
            content = self._read(response)
        except requests.RequestException as error:
            raise BackendError(
                f"cannot reach the back end at {self._options.base_url}: {_cause(error)}; "
                "check BACKEND_URL and that it is up",
                permanent=False,
                away=True,
            ) from None
        if not response.ok or response.is_redirect:
            raise _refusal(response, content, path)
        parsed = _parse(response, content, path, answer)
        if getattr(parsed, "status", True) is False:
            raise BackendError(
                f"{path} answered {response.status_code}, but with status false: "
                f"{_message_of(response, content)}",
                permanent=False,
                status=response.status_code,
            )
        return parsed

    def _read(self, response: requests.Response) -> bytes:
        """The whole answer, unless it is endless."""
        content = bytearray()
        with response:
            for piece in response.iter_content(65_536):
                content += piece
                if len(content) > LONGEST_ANSWER_BYTES:
                    raise BackendError(
                        f"the back end's answer is longer than {LONGEST_ANSWER_BYTES} bytes "
                        "and was cut off",
                        permanent=False,
                    )
        return bytes(content)


def _refusal(response: requests.Response, content: bytes, path: str) -> BackendError:
    status = response.status_code
    said = _message_of(response, content)
    if status in (401, 403):
        text = f"the back end refuses the API key ({status}): check MODEL_API_KEY"
    elif response.is_redirect:
        text = f"{path} is redirected ({status}): check BACKEND_URL (http or https?)"
    else:
        text = f"{path} answered {status}: {said}"
    # A wrong key or address is mended by an operator, and then the reports must still be there.
    operator_can_mend = status in (401, 403, 404) or response.is_redirect
    permanent = 400 <= status < 500 and status not in TRANSIENT_REFUSALS and not operator_can_mend
    return BackendError(
        text,
        permanent=permanent,
        status=status,
        repeated=_was_repeated(response),
        away=status in AWAY or response.is_redirect,
        retry_after_seconds=_retry_after_seconds(response),
    )


def _retry_after_seconds(response: requests.Response) -> float:
    """The header's seconds; a date there is not worth reading."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def _was_repeated(response: requests.Response) -> bool:
    """Whether an earlier request reached it: one that found no connection changed nothing."""
    retries = getattr(response.raw, "retries", None)
    history = retries.history if retries is not None else ()
    return any(not isinstance(entry.error, NewConnectionError) for entry in history)


def _message_of(response: requests.Response, content: bytes) -> str:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return redact(response.reason or "no reason given")[:500]
    message = told.get("message") if isinstance(told, dict) else None
    errors = told.get("errors") if isinstance(told, dict) else None
    said = message if isinstance(message, str) else response.reason
    # Redacted before it is cut: half a key would not be known again.
    return redact(f"{said} {errors}" if errors else f"{said}")[:500]


def _parse(
    response: requests.Response, content: bytes, path: str, answer: type[AnswerT]
) -> AnswerT:
    try:
        return answer.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BackendError(
            f"{path} answered {response.status_code}, but not as the contract says: "
            f"{where}: {first['msg']}",
            permanent=False,
            status=response.status_code,
        ) from None


def _cause(error: requests.RequestException) -> str:
    """What went wrong, without the nested reprs of urllib3 and without the address's secrets."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None) or inner  # the former after the retries
    if isinstance(reason, NewConnectionError):  # urllib3 counts it among the time-outs
        return "connection refused"
    if isinstance(error, requests.Timeout) or isinstance(reason, Urllib3Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified (BACKEND_CA_FILE names those that vouch for it)"
    if isinstance(error, requests.exceptions.RetryError):
        return "it keeps answering with errors"
    if isinstance(error, requests.ConnectionError):
        return "connection broken"
    return type(error).__name__
