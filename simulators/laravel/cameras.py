"""The cameras the simulated back end owns, in the words and with the fields of the contract."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter


@dataclass(frozen=True, kw_only=True)
class SimulatedCamera:
    """The contract's camera object; `lang` is the longitude, spelt as on the wire."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    id: int
    name: str
    ip_address: str
    rtsp_url: str
    connection_ip: str | None = None
    connection_port: int = 554
    user_name: str = "admin"
    password: str = "pass123"
    lat: float = 30.0444
    lang: float = 31.2357
    storage_type: Literal["none", "sd_card", "cloud"] = "none"
    police_station_id: int = 1
    is_active: bool = True

    @property
    def control_ip(self) -> str:
        """The `effective_ip` of the contract's Option A."""
        return self.connection_ip or self.ip_address

    def as_listed(self) -> dict[str, object]:
        """The object of GET /cameras; `is_active` only selects, the document never sends it."""
        fields = asdict(self)
        del fields["is_active"]
        return fields


def by_id(cameras: Sequence[SimulatedCamera]) -> dict[int, SimulatedCamera]:
    """Raises ValueError when two cameras share an id."""
    indexed = {camera.id: camera for camera in cameras}
    if len(indexed) != len(cameras):
        raise ValueError("two simulated cameras share an id")
    return indexed


def load_cameras(path: Path) -> list[SimulatedCamera]:
    """Read a JSON list of camera objects; raises pydantic.ValidationError on anything else."""
    return TypeAdapter(list[SimulatedCamera]).validate_json(path.read_bytes())
