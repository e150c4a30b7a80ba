"""One HTTP session to the Laravel back end: key, time-outs, retries, and one kind of error.

Contract: the Laravel model API, sections “API Authentication” and “Network Failures”.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
from pydantic import BaseModel, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.util.retry import Retry

from crimeops.environment import Environment
from integrations.ports import IntegrationError

# Refusals that may be taken back: time-out, state conflict, too early, too many.
LONGEST_ANSWER_BYTES = 5_000_000
TRANSIENT_REFUSALS = {408, 409, 425, 429}

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

    @classmethod
    def from_environment(cls, environment: Environment) -> "LaravelOptions":
        return cls(
            base_url=str(environment.backend_url).rstrip("/"),
            api_key=environment.model_api_key,
            timeout_seconds=environment.backend_timeout,
            source_address=environment.instance_address,
        )


class BackendError(IntegrationError):
    """The back end's refusal or silence; `status` is the HTTP status, 0 where there was none."""

    def __init__(self, message: str, *, permanent: bool, status: int = 0) -> None:
        super().__init__(message, permanent=permanent)
        self.status = status


class _BoundAdapter(HTTPAdapter):
    """Sends from a given local address: the back end knows an instance by it."""

    def __init__(self, source_address: str, **kwargs: Any) -> None:
        self._source_address = source_address
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._source_address:
            kwargs["source_address"] = (self._source_address, 0)
        super().init_poolmanager(*args, **kwargs)


class LaravelClient:
    """Safe to share among the threads of a worker: the session's state is only read."""

    def __init__(self, options: LaravelOptions) -> None:
        self._options = options
        retry = Retry(
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
    ) -> AnswerT:
        """Send one request and read its answer as the given model.

        Raises:
            BackendError: refused, unreachable, or answered with something else than the contract's.
        """
        try:
            response = self._session.request(
                method,
                f"{self._options.base_url}{path}",
                json=body,
                headers={"Idempotency-Key": idempotency_key} if idempotency_key else None,
                timeout=self._options.timeout_seconds,
                allow_redirects=False,  # the key goes to nobody but the back end
                stream=True,
            )
            content = self._read(response)
        except requests.RequestException as error:
            raise BackendError(
                f"cannot reach the back end at {self._options.base_url}: {_cause(error)}; "
                "check BACKEND_URL and that it is up",
                permanent=False,
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
        """The whole answer, unless it is endless: a time-out alone only bounds each packet."""
        deadline = time.monotonic() + 2 * self._options.timeout_seconds
        content = bytearray()
        with response:
            for piece in response.iter_content(65_536):
                content += piece
                if len(content) > LONGEST_ANSWER_BYTES:
                    raise _too_much(f"longer than {LONGEST_ANSWER_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise _too_much("too slow")
        return bytes(content)


def _too_much(what: str) -> BackendError:
    return BackendError(f"the back end's answer is {what} and was cut off", permanent=False)


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
    return BackendError(text, permanent=permanent, status=status)


def _message_of(response: requests.Response, content: bytes) -> str:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return response.reason or "no reason given"
    message = told.get("message") if isinstance(told, dict) else None
    errors = told.get("errors") if isinstance(told, dict) else None
    said = message if isinstance(message, str) else response.reason
    return f"{said} {errors}"[:500] if errors else f"{said}"[:500]


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
    reason = getattr(error.args[0], "reason", None) if error.args else None  # after the retries
    if isinstance(reason, NewConnectionError):  # urllib3 counts it among the time-outs
        return "connection refused"
    if isinstance(error, requests.Timeout) or isinstance(reason, Urllib3Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified"
    if isinstance(error, requests.exceptions.RetryError):
        return "it keeps answering with errors"
    if isinstance(error, requests.ConnectionError):
        return "connection broken"
    return type(error).__name__
