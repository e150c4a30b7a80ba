"""The request bodies of the contract, strict: what the document does not show is refused."""

import json
import re
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from simulators.laravel.exchange import IncomingCall, invalid

Severity = Literal["low", "medium", "high", "critical"]
CrimeType = Literal[
    "theft",
    "assault",
    "vandalism",
    "break_in",
    "suspicious_activity",
    "robbery",
    "trespassing",
    "fighting",
]

# `datetime.fromisoformat` alone also takes week dates, naive times and a space for the `T`.
ISO_8601 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _read_time(value: object) -> datetime:
    if isinstance(value, str) and ISO_8601.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # the right shape, and no such day or hour: refused like any other nonsense
    raise PydanticCustomError("iso_8601", "must be an ISO 8601 time with Z or an offset.")


def _check_ip(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        raise PydanticCustomError("ip", "must be a valid IP address.") from None
    return value


Time = Annotated[datetime, BeforeValidator(_read_time)]
Confidence = Annotated[float, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1)]
IpAddress = Annotated[str, AfterValidator(_check_ip)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HeartbeatBody(Body):
    # May be empty: the document's own client sends what it holds, were it nothing.
    camera_ids: list[int]


class AlertBody(Body):
    camera_id: int
    confidence_score: Confidence
    alert_type: Literal["suspicious"]


class StopBody(Body):
    camera_id: int


class CrimeBody(Body):
    camera_id: int
    crime_type: CrimeType
    confidence_score: Confidence
    start_time: Time
    end_time: Time

    @field_validator("end_time")
    @classmethod
    def _ends_after_start(cls, end_time: datetime, info: ValidationInfo) -> datetime:
        start_time = info.data.get("start_time")
        if start_time is not None and end_time < start_time:
            raise PydanticCustomError("order", "must not be before start time.")
        return end_time


class AlarmStopBody(Body):
    ip: IpAddress
    username: Text
    password: Text
    action: Literal["stop"]


class AlarmStartBody(Body):
    ip: IpAddress
    username: Text
    password: Text
    action: Literal["start"]
    duration: Annotated[int, Field(gt=0)]
    # The document shows one value of each and lists no others: any other would be a guess.
    type: Literal["both"]
    volume: Literal["high"]


AnyBody = TypeVar("AnyBody", bound=Body)

LARAVEL_MESSAGES = {
    "missing": "The {field} field is required.",
    "string_too_short": "The {field} field is required.",
    "extra_forbidden": "The {field} field is not part of this request.",
    "int_type": "The {field} field must be an integer.",
    "float_type": "The {field} field must be a number.",
    "string_type": "The {field} field must be a string.",
    "list_type": "The {field} field must be an array.",
    "literal_error": "The selected {field} is invalid.",
    "greater_than": "The {field} field must be greater than 0.",
    "greater_than_equal": "The {field} field must be between 0 and 100.",
    "less_than_equal": "The {field} field must be between 0 and 100.",
}


def severity_of(confidence_score: float) -> Severity:
    if confidence_score < 40:
        return "low"
    if confidence_score < 60:
        return "medium"
    return "high" if confidence_score < 80 else "critical"


def parse_json(payload: bytes) -> Any:
    """Raises ValueError; NaN and Infinity, which Python would take, are not JSON."""
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested beyond reason") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_body(call: IncomingCall, model: type[AnyBody]) -> AnyBody:
    """The body as `model`; raises Refusal (422) with an error for each offending field."""
    fields = read_object(call)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(_by_field(error.errors(include_input=False))) from None


def read_object(call: IncomingCall) -> dict[str, Any]:
    """The body as a JSON object, typed so by its header; raises Refusal (422)."""
    refuse_query(call)
    if call.media_type != "application/json":
        raise invalid({"Content-Type": ["The Content-Type must be application/json."]})
    try:
        fields = parse_json(call.payload)
    except ValueError:
        raise invalid({"body": ["The body must be valid JSON."]}) from None
    if not isinstance(fields, dict):
        raise invalid({"body": ["The body must be a JSON object."]})
    return fields


def refuse_body(call: IncomingCall) -> None:
    """For the calls that the document sends without one."""
    refuse_query(call)
    if call.payload:
        raise invalid({"body": ["This request has no body."]})


def refuse_query(call: IncomingCall) -> None:
    # Laravel reads query parameters as input too: here they are unknown fields.
    template = LARAVEL_MESSAGES["extra_forbidden"]
    if call.query_names:
        raise invalid({name: [template.format(field=name)] for name in call.query_names})


def _by_field(details: list[ErrorDetails]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for detail in details:
        name = ".".join(str(part) for part in detail["loc"])
        words = name.replace("_", " ")
        template = LARAVEL_MESSAGES.get(detail["type"])
        message = template.format(field=words) if template else f"The {words} {detail['msg']}"
        errors.setdefault(name, []).append(message)
    return errors
