"""The back end's answers, typed.

Contract: the Laravel model API, sections “API Reference” and “Data Contracts”.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from detection.ports import ListedCamera


class Answer(BaseModel):
    """What every answer has. Fields we do not know are left alone: the back end may grow."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    status: bool
    message: str = ""


class CameraAnswer(BaseModel):
    """A camera as the list shows it."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    id: int
    name: str
    ip_address: str
    rtsp_url: str = Field(min_length=1)
    user_name: str = ""
    password: str = ""
    tapo_password: str | None = None
    connection_ip: str | None = None
    connection_port: int | None = None  # forwards RTSP only, which rtsp_url already says
    lat: float | None = None
    lang: float | None = None  # the contract's spelling of longitude
    storage_type: str = "none"
    police_station_id: int | None = None

    def to_domain(self) -> ListedCamera:
        return ListedCamera(
            external_id=self.id,
            name=self.name,
            stream_url=self.rtsp_url,
            address=self.ip_address,
            public_address=self.connection_ip or "",
            username=self.user_name,
            password=self.password,
            control_password=self.tapo_password or "",
            latitude=self.lat,
            longitude=self.lang,
            station_id=self.police_station_id,
            storage_type=self.storage_type,
        )


class CameraListAnswer(Answer):
    """The cameras stay raw here: one malformed camera must not hide the others."""

    data: list[Any]


class CrimeReceipt(BaseModel):
    """What became of a reported crime."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    crime_id: int
    status: str
    severity: str


class CrimeAnswer(Answer):
    data: CrimeReceipt
