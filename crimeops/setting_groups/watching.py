"""Settings of what is seen: cameras, detector, episodes and rules."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator
from pydantic_settings import NoDecode

from crimeops.setting_groups.kinds import (
    BASE_DIR,
    Count,
    CrimeWord,
    Seconds,
    split_by_comma,
)


class WatchingSettings(BaseModel):
    """How cameras are watched and judged."""

    # --- Watching -------------------------------------------------------------------------------
    instance_address: str = Field(
        "",
        description="Local address that claims, beats and releases; empty: the system chooses.",
    )
    camera_refresh_interval: Seconds = Field(
        30.0, description="Seconds between looks at the list of claimable cameras."
    )
    allow_file_sources: bool = Field(
        False, description="Let a camera's stream address be a file on this host (demo, tests)."
    )
    camera_networks: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        [],
        description="Networks in which cameras are, like 10.1.0.0/16, comma-separated; empty: any "
        "but link-local ones.",
    )
    open_timeout: Seconds = Field(5.0, description="Seconds to wait for a camera to answer.")
    read_timeout: Seconds = Field(5.0, description="Seconds without data after which a read fails.")
    stall_seconds: Seconds = Field(
        8.0, description="Age of the last frame at which a camera counts as stalled."
    )
    max_read_failures: Count = Field(
        10, description="Failures in a row before the camera is released."
    )
    retry_after: Seconds = Field(
        30.0, description="Seconds before a released camera is tried again."
    )
    frame_max_age: Seconds = Field(1.0, description="Seconds after which a frame is not analysed.")

    canary_interval: Seconds = Field(
        5.0, description="Seconds between the messages by which a worker tests its own hearing."
    )
    deaf_seconds: Seconds = Field(
        30.0, description="Seconds without one after which a worker restarts itself."
    )
    canary_file: str = Field(
        "", description="File touched while a worker is well, for health checks; empty: none."
    )

    # --- Detector -------------------------------------------------------------------------------
    model_weights: str = Field(
        "yolo26n.pt",
        description="A name of the catalogue, or a path: .pt, .onnx, OpenVINO folder, .engine.",
    )
    detector_runtime: Literal["auto", "torch", "openvino", "onnx", "tensorrt"] = Field(
        "auto", description="auto: half precision on a GPU, OpenVINO on a CPU."
    )
    model_dir: Path = Field(
        BASE_DIR / "var" / "models", description="Where weights and exports are kept."
    )
    batch_size: Annotated[int, Field(ge=1, le=64)] = Field(
        16, description="Most frames in one run of the model."
    )
    classifier_weights: str = Field(
        "",
        description="A classification model of your own (Ultralytics) that judges frames with "
        "people beside the detector; empty: none.",
    )
    crime_classes: Annotated[dict[str, CrimeWord], NoDecode] = Field(
        {},
        description="What classes of your own models mean, like gun=weapon,violence=fighting: a "
        "crime, or a weapon.",
    )
    fight_detection: bool = Field(
        True, description="Look closely at people near each other: poses and the fight model."
    )

    # --- Episodes and rules -----------------------------------------------------------------------
    persistence_seconds: Seconds = Field(
        0.6, description="How long suspicion must last before it raises an alert."
    )
    confirm_seconds: Seconds = Field(
        2.0, description="How long the crime threshold must hold before a crime is reported."
    )
    clear_seconds: Seconds = Field(
        5.0, description="How long it must be calm before the alert is stopped."
    )
    blind_grace_seconds: Seconds = Field(
        15.0, description="How long a camera may be blind before its episode is closed as lost."
    )
    trespassing_dwell_seconds: Seconds = Field(
        4.0, description="Dwell in a restricted zone that makes trespassing a crime."
    )
    loitering_dwell_seconds: Seconds = Field(
        60.0, description="Stay in one place after which a person is suspicious."
    )

    @field_validator("camera_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return split_by_comma(value)

    @field_validator("crime_classes", mode="before")
    @classmethod
    def _split_classes(cls, value: object) -> object:
        return _read_classes(value) if isinstance(value, str) else value

    @field_validator("deaf_seconds")
    @classmethod
    def _several_canaries(cls, value: float, info: Any) -> float:
        if value < 3 * info.data.get("canary_interval", 0):
            raise ValueError("must be at least three times CANARY_INTERVAL")
        return value


def _read_classes(text: str) -> dict[str, str]:
    """Raises ValueError for what is no `class=crime`, an unknown crime, or a class given twice."""
    classes: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, meaning = (part.strip() for part in pair.rpartition("="))
        if not name:
            raise ValueError(f"“{pair}” is no class=crime, like gun=weapon")
        if meaning not in get_args(CrimeWord):
            known = ", ".join(get_args(CrimeWord))
            raise ValueError(f"{name}={meaning}: no crime “{meaning}”; there are {known}")
        if name.casefold() in map(str.casefold, classes):
            raise ValueError(f"“{name}” is given twice")
        classes[name] = meaning
    return classes
