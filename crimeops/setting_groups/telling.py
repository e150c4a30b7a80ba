"""Settings of what is told: the back end, sirens, reports."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, Field, field_validator

from crimeops.setting_groups.kinds import Count, Percent, Seconds


class BackendSettings(BaseModel):
    """The names and defaults of the back end's contract."""

    # --- Laravel back end (names and defaults of its contract) ----------------------------------
    backend_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://localhost:8000"),
        repr=False,
        description="Address of the Laravel back end.",
    )
    backend_ca_file: Path | None = Field(
        None, description="Certificates that vouch for the back end, where no public one does."
    )
    model_api_key: str = Field(
        "", repr=False, description="Sent as X-Model-Api-Key with every request."
    )
    max_cameras: Count = Field(10, description="Cameras an instance may hold.")
    alert_threshold: Percent = Field(50.0, description="Confidence % that raises an alert.")
    crime_threshold: Percent = Field(80.0, description="Confidence % that confirms a crime.")
    heartbeat_interval: Seconds = Field(60.0, description="Seconds between heartbeats.")
    rtsp_transport: Literal["tcp", "udp"] = Field("tcp", description="tcp is more reliable.")
    frame_skip: Count = Field(
        5,
        description="Analyse every N-th frame; at least 5 a second while people are near each "
        "other.",
    )

    @field_validator("backend_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is no file")
        return value

    @field_validator("crime_threshold")
    @classmethod
    def _crime_above_alert(cls, value: float, info: Any) -> float:
        if value <= info.data.get("alert_threshold", 0):
            raise ValueError("must be above ALERT_THRESHOLD")
        return value


class AlarmSettings(BaseModel):
    """Sirens and reports."""

    # --- Siren ------------------------------------------------------------------------------------
    siren_enabled: bool = Field(True, description="Sound the camera's siren on an alert.")
    siren_seconds: Seconds = Field(30.0, description="Longest time a siren sounds for one episode.")
    siren_rearm_seconds: Seconds = Field(
        2.0,
        description="A siren is sounded again after this long: new firmware is silent after 3 s.",
    )
    tapo_control_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        443, description="HTTPS control port of the cameras."
    )
    onvif_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        2020, description="ONVIF port of the cameras; many that are no Tapo take 80."
    )

    # --- Reports ----------------------------------------------------------------------------------
    backend_timeout: Seconds = Field(5.0, description="Seconds to wait for the back end.")
    delivery_max_backoff: Seconds = Field(
        60.0,
        description="Longest pause of a report that the back end, though there, does not take.",
    )
    deliveries_per_second: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = Field(
        10.0,
        description="Most reports a second to one back end, of all workers and hosts together.",
    )
