"""Where evidence is kept in tests: a folder, or a bucket of a real S3 server."""

from pathlib import Path
from typing import Any

from pytest_django import Settings

from crimeops.settings import evidence_storage
from tests.services import Bucket


def keep_in_folder(settings: Settings, folder: Path) -> None:
    _use(settings, evidence_dir=folder)


def keep_in_bucket(settings: Settings, bucket: Bucket, **changes: Any) -> None:
    given: dict[str, Any] = {
        "evidence_bucket": bucket.name,
        "evidence_bucket_server": bucket.server,
        "evidence_bucket_access_key": bucket.access_key,
        "evidence_bucket_secret_key": bucket.secret_key,
        "evidence_bucket_timeout": 10.0,
    }
    _use(settings, **(given | changes))


def _use(settings: Settings, **changes: Any) -> None:
    environment = settings.ENVIRONMENT.model_copy(update=changes)
    settings.ENVIRONMENT = environment
    settings.STORAGES = {**settings.STORAGES, "default": evidence_storage(environment)}
