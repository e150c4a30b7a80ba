"""The back end's answers, typed.

Contract: the Laravel model API, sections “API Reference” and “Data Contracts”.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from detection.ports import ListedCamera

LARGEST_ID = 2**63 - 1  # what the database can hold


def _without_nul(text: str) -> str:
    """PostgreSQL holds no NUL, and no camera has one in its name."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


NO_NUL = AfterValidator(_without_nul)


class Answer(BaseModel):
    """What every answer has. Fields we do not know are left alone: the back end may grow."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    status: bool
    message: str = ""


class CameraAnswer(BaseModel):
    """A camera as the list shows it."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    id: Annotated[int, Field(ge=0, le=LARGEST_ID)]
    name: Annotated[str, Field(max_length=200), NO_NUL]
    ip_address: Annotated[str, Field(max_length=255), NO_NUL]
    rtsp_url: Annotated[str, Field(min_length=1, max_length=2000), NO_NUL]
    user_name: Annotated[str, Field(max_length=500), NO_NUL] = ""
    password: Annotated[str, Field(max_length=500), NO_NUL] = ""
    tapo_password: Annotated[str, Field(max_length=500), NO_NUL] | None = None
    connection_ip: Annotated[str, Field(max_length=255), NO_NUL] | None = None
    connection_port: int | None = None  # forwards RTSP only, which rtsp_url already says
    lat: float | None = None
    lang: float | None = None  # the contract's spelling of longitude
    storage_type: Annotated[str, Field(max_length=32), NO_NUL] = "none"
    police_station_id: Annotated[int, Field(ge=0, le=LARGEST_ID)] | None = None

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
