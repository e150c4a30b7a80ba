"""The Laravel back end as a receiver of reports: alert, crime, alert/stop."""

from datetime import UTC, datetime
from typing import Any

from crimeops.environment import Environment
from integrations.laravel.answers import Answer, CrimeAnswer
from integrations.laravel.client import LaravelClient, LaravelOptions
from integrations.ports import AlertReport, CrimeReport, Report, StopReport

PATHS: dict[type[Report], tuple[str, type[Answer]]] = {
    AlertReport: ("/api/model/alert", Answer),
    CrimeReport: ("/api/model/crime", CrimeAnswer),
    StopReport: ("/api/model/alert/stop", Answer),
}


class LaravelReporter:
    """See Reporter."""

    def __init__(self, options: LaravelOptions) -> None:
        self._client = LaravelClient(options)

    @classmethod
    def from_environment(cls, environment: Environment) -> "LaravelReporter":
        return cls(LaravelOptions.from_environment(environment))

    def send(self, report: Report, idempotency_key: str) -> dict[str, Any]:
        path, model = PATHS[type(report)]
        answer = self._client.call(
            "POST", path, model, body=_body(report), idempotency_key=idempotency_key
        )
        return answer.model_dump(mode="json")


def _body(report: Report) -> dict[str, Any]:
    body: dict[str, Any] = {"camera_id": report.camera_external_id}
    if isinstance(report, AlertReport):
        body |= {"confidence_score": round(report.confidence, 1), "alert_type": "suspicious"}
    if isinstance(report, CrimeReport):
        body |= {
            "crime_type": report.crime_type,
            "confidence_score": round(report.confidence, 1),
            "start_time": _iso(report.started_at),
            "end_time": _iso(report.confirmed_at),
        }
    return body


def _iso(moment: datetime) -> str:
    """ISO 8601 with `Z`, to the millisecond: the evidence video is cut by it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
