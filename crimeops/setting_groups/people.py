"""Settings of those who use the site: sessions, live pictures, the page of the jobs."""

from typing import Annotated

from pydantic import BaseModel, Field, field_validator

from crimeops.setting_groups.kinds import Amount, Count


class PeopleSettings(BaseModel):
    """Logins, and who may look for how long."""

    # --- People -----------------------------------------------------------------------------------
    session_hours: Amount = Field(12.0, description="Hours after which everybody logs in again.")
    session_idle_minutes: Amount = Field(
        30.0, description="Minutes without an act after which a session ends."
    )
    login_failures: Count = Field(
        5,
        description="Failed logins of one user that lock the user out; five times as many lock "
        "out an address.",
    )
    login_lock_minutes: Amount = Field(
        15.0, description="Minutes over which failed logins count, and for which they lock."
    )
    audit_days: Amount = Field(365.0, description="Days for which it is kept who saw and did what.")

    # --- Live view --------------------------------------------------------------------------------
    live_viewers: Count = Field(
        16, description="Live pictures that are watched at once at the site; each keeps a thread."
    )
    live_viewers_each: Count = Field(
        4, description="The same of one user: one more ends the oldest of them."
    )
    live_minutes: Amount = Field(
        5.0, description="Minutes after which a page asks whether somebody still watches."
    )


class FlowerSettings(BaseModel):
    """The page of the watching jobs."""

    # --- Flower -----------------------------------------------------------------------------------
    flower_basic_auth: str = Field(
        "", repr=False, description="user:password for Flower; without it Flower is not started."
    )
    flower_address: str = Field("127.0.0.1", description="Where Flower listens.")
    flower_port: Annotated[int, Field(ge=1, le=65535)] = Field(5555, description="Flower's port.")
    flower_url: str = Field(
        "",
        description="Where the web process finds Flower; empty: FLOWER_ADDRESS and FLOWER_PORT.",
    )

    @field_validator("flower_basic_auth")
    @classmethod
    def _user_and_password(cls, value: str) -> str:
        if value and not all(value.partition(":")):
            raise ValueError("give user:password")
        return value
