"""Evidence in a bucket of S3, MinIO or the like: private objects, there as a whole or not at all.

Objects are read and written by this process alone; no address of the bucket is ever given away.
https://django-storages.readthedocs.io/en/latest/backends/amazon-S3.html
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import groupby
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from detection.evidence.storage import Kept, StoredFile

GONE = {"404", "NoSuchKey"}


@contextmanager
def _as_os_error(name: str) -> Iterator[None]:
    """Whatever is wrong is an OSError, as it is with a disk; what is not there, FileNotFoundError.

    The message names no address and no key.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if code in GONE:
            raise FileNotFoundError(f"{name} is not in the bucket") from error
        raise OSError(f"the bucket refuses {name}: {code}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(f"the bucket cannot be reached: {type(error).__name__}") from error


class _Body:
    """What is read of an object, with the errors of a file."""

    def __init__(self, name: str, body: Any) -> None:
        self._name = name
        self._body = body

    def read(self, size: int) -> bytes:
        with _as_os_error(self._name):
            piece: bytes = self._body.read(size)
        return piece

    def close(self) -> None:
        self._body.close()


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages carries no types
    """Django's storage API on a bucket, with ranged reads and listings that need no question per
    file. `timeout` is in seconds; each question is asked twice at most."""

    has_folders = False  # a name with a slash is all that they are

    def __init__(self, *, timeout: float, path_style: bool, **options: Any) -> None:
        client = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 2, "mode": "standard"},
            signature_version="s3v4",
            s3={"addressing_style": "path" if path_style else "virtual"},
            # Servers other than Amazon's do not know the newer check sums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(client_config=client, file_overwrite=True, **options)

    def open_range(self, name: str, start: int, length: int | None) -> _Body:
        """The bytes from `start` on, read as they are asked for. Raises OSError."""
        last = "" if length is None else str(start + length - 1)
        asked = {"Range": f"bytes={start}-{last}"} if (start or last) and length != 0 else {}
        with _as_os_error(name):
            return _Body(name, self._object(name).get(**asked)["Body"])

    def list_folders(self, folder: str) -> Iterator[Kept]:
        """What lies in each folder below this one: one question per thousand files."""
        with _as_os_error(folder):
            for name, files in groupby(self._listed(f"{folder}/"), key=lambda pair: pair[0]):
                yield Kept(name, tuple(file for _, file in files))

    def list_folder(self, folder: str) -> Kept:
        with _as_os_error(folder):
            parent, _, name = folder.rpartition("/")
            listed = self._listed(f"{parent}/", f"{name}/")
            return Kept(name, tuple(file for _, file in listed))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """As a disk does: a folder in which nothing is, is not there."""
        with _as_os_error(name):
            found: tuple[list[str], list[str]] = super().listdir(name)
        if not any(found):
            raise FileNotFoundError(f"nothing in the bucket is below {name}")
        return found

    def url(self, name: str, *_: Any, **__: Any) -> str:
        raise ImproperlyConfigured("evidence has no address: it is shown by an authorised page")

    def _save(self, name: str, content: "File[Any]") -> str:
        with _as_os_error(name):
            saved: str = super()._save(name, content)
            if self._object(saved).content_length != content.size:
                self._object(saved).delete()
                raise OSError(f"the bucket did not keep all of {name}")
        return saved

    def delete(self, name: str) -> None:
        with _as_os_error(name), suppress(FileNotFoundError):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _as_os_error(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with _as_os_error(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> datetime:
        with _as_os_error(name):
            modified: datetime = super().get_modified_time(name)
        return modified

    def _open(self, name: str, mode: str = "rb") -> Any:
        with _as_os_error(name):
            return super()._open(name, mode)

    def _object(self, name: str) -> Any:
        return self.bucket.Object(self._normalize_name(name))

    def _listed(self, parent: str, below: str = "") -> Iterator[tuple[str, StoredFile]]:
        """Each file with the name of its folder, in the order of their names."""
        root = self._normalize_name(parent).rstrip("/") + "/"
        for entry in self.bucket.objects.filter(Prefix=root + below):
            folder, _, name = entry.key.removeprefix(root).partition("/")
            if name and "/" not in name:
                yield folder, StoredFile(name, entry.size, entry.last_modified)
