"""The siren by way of the back end's camera API, where the camera itself cannot be reached.

Contract: the Laravel model API, section “Camera Alarm”, option A.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from crimeops.environment import Environment
from integrations.laravel.client import LaravelClient, LaravelOptions
from integrations.ports import AlarmAddress

PATH = "/api/camera/alarm"


class _AnyAnswer(BaseModel):
    """The document shows no answer for this call: an object will do."""

    model_config = ConfigDict(extra="allow")


class BackendAlarm:
    """See Alarm."""

    def __init__(self, options: LaravelOptions) -> None:
        self._client = LaravelClient(options)

    @classmethod
    def from_environment(cls, environment: Environment) -> "BackendAlarm":
        return cls(LaravelOptions.from_environment(environment))

    def sound(self, address: AlarmAddress, seconds: float) -> None:
        self._send(
            address, action="start", duration=max(1, round(seconds)), type="both", volume="high"
        )

    def silence(self, address: AlarmAddress) -> None:
        self._send(address, action="stop")

    def keep_warm(self, address: AlarmAddress) -> bool:
        """Nothing to keep: each call is one request."""
        return True

    def _send(self, address: AlarmAddress, **order: Any) -> None:
        body = {
            "ip": address.public_host,
            "username": address.username,
            "password": address.password,
            **order,
        }
        self._client.call("POST", PATH, _AnyAnswer, body=body)
