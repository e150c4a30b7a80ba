"""Settings of what is kept: clips, pictures, episodes, and for how long."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from crimeops.setting_groups.kinds import BASE_DIR, Days, Seconds


class KeepingSettings(BaseModel):
    """Clips, and the end of everything."""

    # --- Clips ------------------------------------------------------------------------------------
    clips: bool = Field(True, description="Keep a video of each episode.")
    clip_max_seconds: Seconds = Field(
        600.0, description="Longest video of an episode; a longer episode's is cut there."
    )
    clip_memory_mb: Annotated[float, Field(ge=1, le=256, allow_inf_nan=False)] = Field(
        8.0,
        description="Most megabytes of a camera's last packets in memory: what a video can begin "
        "with. A stream of more than 2 Mbit/s needs more for the whole 10 s before.",
    )
    spool_dir: Path = Field(
        BASE_DIR / "var" / "spool",
        description="Where videos lie until they are finished; on this host, and not in memory.",
    )
    spool_max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        5.0, description="Most gigabytes there; beyond them no video is begun."
    )

    # --- What is kept for how long ----------------------------------------------------------------
    evidence_keep_days: Days = Field(90.0, description="Days for which pictures are kept.")
    evidence_max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        20.0, description="Most gigabytes of pictures; the oldest go first, confirmed crimes last."
    )
    episode_keep_days: Days = Field(365.0, description="Days for which episodes are kept.")
    confirmed_keep_days: Days = Field(
        1825.0,
        description="The same for crimes and their pictures, unless an officer dismissed them.",
    )
    delivery_keep_days: Days = Field(90.0, description="Days for which delivered reports are kept.")
    track_log_days: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = Field(
        2.0,
        description="Days for which is kept where people and vehicles were, to try zones out; 0 "
        "keeps nothing.",
    )
    history_keep_days: Days = Field(
        365.0, description="Days for which the admin's history of changes is kept."
    )
