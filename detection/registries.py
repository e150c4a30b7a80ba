"""Cameras that an operator added by hand: nobody else can claim them, nobody needs a heartbeat."""

from collections.abc import Sequence

from crimeops.environment import Environment
from detection.ports import ListedCamera


class LocalRegistry:
    """See CameraRegistry. Everything is granted; the lease alone keeps watchers apart."""

    @classmethod
    def from_environment(cls, _: Environment) -> "LocalRegistry":
        return cls()

    def list_cameras(self) -> list[ListedCamera]:
        return []

    def claim(self, external_id: int) -> None:
        pass

    def release(self, external_id: int) -> None:
        pass

    def heartbeat(self, external_ids: Sequence[int]) -> None:
        pass
