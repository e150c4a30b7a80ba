"""The Laravel back end as a registry of cameras: list, claim, release, heartbeat."""

import logging
from collections.abc import Sequence

from pydantic import ValidationError

from crimeops.environment import Environment
from detection.ports import CameraTaken, InstanceFull, ListedCamera, RegistryError
from integrations.laravel.answers import Answer, CameraAnswer, CameraListAnswer
from integrations.laravel.client import BackendError, LaravelClient, LaravelOptions

logger = logging.getLogger(__name__)

MOST_CAMERAS = 5_000  # a back end gone mad must not fill our database


class LaravelRegistry:
    """Claims belong to the address they are made from: call it from the host that watches."""

    def __init__(self, options: LaravelOptions) -> None:
        self._client = LaravelClient(options)

    @classmethod
    def from_environment(cls, environment: Environment) -> "LaravelRegistry":
        return cls(LaravelOptions.from_environment(environment))

    def list_cameras(self) -> list[ListedCamera]:
        """See CameraRegistry. A malformed camera is left out and named in the log."""
        try:
            answer = self._client.call("GET", "/api/model/cameras", CameraListAnswer)
        except BackendError as error:
            raise _registry_error(error) from error
        cameras = []
        if len(answer.data) > MOST_CAMERAS:
            logger.error(
                "the back end lists %d cameras; those after the first %d are left out",
                len(answer.data),
                MOST_CAMERAS,
            )
        for position, raw in enumerate(answer.data[:MOST_CAMERAS]):
            try:
                cameras.append(CameraAnswer.model_validate(raw).to_domain())
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                logger.error(
                    "the back end lists a camera (id %r, position %d) that cannot be used: %s: %s",
                    raw.get("id", "?") if isinstance(raw, dict) else "?",
                    position,
                    ".".join(map(str, first["loc"])),
                    first["msg"],
                )
        return cameras

    def claim(self, external_id: int) -> None:
        try:
            self._client.call(
                "POST", f"/api/model/cameras/{external_id}/claim", Answer, prompt=True
            )
        except BackendError as error:
            if error.status == 409 and not error.repeated:
                raise CameraTaken(str(error)) from error
            if error.status == 422:
                raise InstanceFull(str(error)) from error
            raise _registry_error(error) from error

    def release(self, external_id: int) -> None:
        try:
            self._client.call(
                "DELETE", f"/api/model/cameras/{external_id}/release", Answer, prompt=True
            )
        except BackendError as error:
            if error.status == 409:
                raise CameraTaken(str(error)) from error
            raise _registry_error(error) from error

    def heartbeat(self, external_ids: Sequence[int]) -> None:
        try:
            self._client.call(
                "POST", "/api/model/heartbeat", Answer, body={"camera_ids": list(external_ids)}
            )
        except BackendError as error:
            # Somebody else's camera, none at all, or a list that holds such a one.
            if error.status in (404, 409, 422):
                raise CameraTaken(str(error)) from error
            raise _registry_error(error) from error


def _registry_error(error: BackendError) -> RegistryError:
    """A refusal after a repeated request may only mean that the first one was obeyed."""
    refused = 300 <= error.status < 500 and not error.repeated
    return RegistryError(str(error), permanent=error.permanent, unanswered=not refused)
