"""Settings of the site itself: keys, addresses, database, broker, where evidence is kept."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.fernet import Fernet, MultiFernet
from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from crimeops.setting_groups.kinds import (
    BASE_DIR,
    readable_address,
    split_by_comma,
)


class SiteSettings(BaseModel):
    """What Django, the database, the broker and the storage need."""

    # --- Django -------------------------------------------------------------------------------
    secret_key: str = Field(
        min_length=50, repr=False, description="Django's signing key; `make setup` writes one."
    )
    credentials_key: str = Field(
        min_length=44,
        repr=False,
        description="Fernet key(s) for camera passwords, newest first; `make setup` writes one.",
    )
    debug: bool = Field(False, description="Django's debug pages. Never on a real site.")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost"], description="Host names the admin answers to, comma-separated."
    )
    behind_tls: bool = Field(
        False, description="The admin is served over HTTPS: secure cookies, HSTS, redirects."
    )
    time_zone: str = Field("UTC", description="Time zone of the admin's pages and of schedules.")
    database_url: str = Field(
        f"sqlite:///{BASE_DIR / 'var' / 'crimeops.sqlite3'}",
        repr=False,
        description="postgres://user:password@host:port/name, or sqlite:///path for one host.",
    )
    database_timeout: Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        5.0, description="Seconds after which a statement is given up (PostgreSQL)."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="Broker, mailbox and doorbell: Redis or Valkey.",
    )
    evidence_dir: Path = Field(
        BASE_DIR / "var" / "evidence",
        description="Where evidence is kept, unless it is in a bucket; never served openly.",
    )
    evidence_bucket: str = Field(
        "", description="Bucket of S3, MinIO or the like that keeps evidence instead of a folder."
    )
    evidence_bucket_server: str = Field(
        "", description="Its server, as https://minio.example:9000; empty: Amazon's own."
    )
    evidence_bucket_region: str = Field("us-east-1", description="The bucket's region.")
    evidence_bucket_access_key: str = Field(
        "", repr=False, description="Access key for the bucket."
    )
    evidence_bucket_secret_key: str = Field("", repr=False, description="Its secret key.")
    evidence_bucket_path_style: bool = Field(
        True, description="The bucket's name stands in the path; off: in the host name."
    )
    evidence_bucket_timeout: Annotated[float, Field(ge=1, le=60)] = Field(
        5.0, description="Seconds to wait for the bucket to connect, and to answer."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the logs say."
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return split_by_comma(value)

    @field_validator("behind_tls")
    @classmethod
    def _no_debug_on_a_site(cls, value: bool, info: Any) -> bool:
        if value and info.data.get("debug"):
            raise ValueError("goes not with DEBUG, whose pages show settings: turn one off")
        return value

    @field_validator("evidence_bucket_server")
    @classmethod
    def _server_alone(cls, value: str) -> str:
        parts = urlsplit(readable_address(value))
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("is no server: begin with https://")
        if parts.username or parts.password:
            raise ValueError(
                "give the keys by EVIDENCE_BUCKET_ACCESS_KEY and EVIDENCE_BUCKET_SECRET_KEY"
            )
        return value

    @model_validator(mode="after")
    def _keys_of_the_bucket(self) -> Self:
        if self.evidence_bucket and not (
            self.evidence_bucket_access_key and self.evidence_bucket_secret_key
        ):
            raise ValueError(
                "EVIDENCE_BUCKET needs EVIDENCE_BUCKET_ACCESS_KEY and EVIDENCE_BUCKET_SECRET_KEY"
            )
        return self

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is no time zone; take one like Europe/Berlin")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is no Redis address: begin with redis:// or rediss://")
        if "ssl_cert_reqs=" in value and "ssl_cert_reqs=required" not in value:
            raise ValueError("must check the certificate: name who vouches by ?ssl_ca_certs=/path")
        return readable_address(value)

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: str) -> str:
        if not value.startswith(("postgres://", "postgresql://", "sqlite:///")):
            raise ValueError("is no database: begin with postgres:// or sqlite:///")
        return readable_address(value)

    @field_validator("credentials_key")
    @classmethod
    def _fernet_keys(cls, value: str) -> str:
        try:
            MultiFernet([Fernet(key.strip()) for key in value.split(",")])
        except ValueError:
            raise ValueError(
                "is no Fernet key: make one with `python -m crimeops.envfile --new-key`"
            ) from None
        return value
