"""Choosing how a model is run on this machine is one decision, taken here from frozen options."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from detection.detectors.catalogue import obtain, sha256_of
from detection.detectors.openvino import OpenVinoDetector, has_end_to_end_head
from detection.detectors.yolo import (
    OPENVINO_SUFFIX,
    YoloDetector,
    cuda_is_available,
    export_to_openvino,
)
from detection.ports import Detector, DetectorError

logger = logging.getLogger(__name__)

Runtime = Literal["auto", "torch", "openvino", "onnx", "tensorrt"]
RUNTIMES: Final[tuple[str, ...]] = get_args(Runtime)
STRIDE: Final = 32  # the coarsest grid of a YOLO network: its input is a multiple of it
MOST_THREADS: Final = 8  # each costs the memory of one more set of activations
DISTRIBUTIONS: Final = ("ultralytics-opencv-headless", "ultralytics")
TAKEN_BY: Final[dict[str, tuple[str, ...]]] = {
    ".pt": ("torch", "openvino"),
    ".xml": ("openvino",),
    "": ("openvino",),  # a folder
    ".onnx": ("onnx",),
    ".engine": ("tensorrt",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorOptions:
    """What to run and how.

    `weights` is a name of the catalogue or a path, `folder` holds weights, exports and caches,
    `input_size` is width, height in pixels, `classes` the class numbers to keep (None: all),
    `threads` the CPU threads (None: as many as this process may use, at most 8).
    The confidence is low because ByteTrack makes use of uncertain boxes.
    """

    weights: str
    folder: Path
    runtime: str = "auto"
    input_size: tuple[int, int] = (640, 384)
    confidence: float = 0.1
    classes: tuple[int, ...] | None = None
    threads: int | None = None


def load_detector(options: DetectorOptions) -> Detector:
    """Obtain the weights and load them for this machine's best, or the asked, runtime.

    'auto' runs a .pt on the GPU in half precision where there is one, else exports it once to
    OpenVINO; any other file is run by what it was made for. Raises DetectorError.
    """
    _check(options)
    weights = obtain(options.weights, options.folder)
    runtime = _runtime(options.runtime, weights)
    detector: Detector
    if runtime == "openvino":
        detector = _load_openvino(weights, options)
    else:
        detector = _load_yolo(weights, options, gpu=runtime == "tensorrt" or cuda_is_available())
    unknown = sorted(set(options.classes or ()) - set(detector.class_names))
    if unknown and detector.class_names:
        raise DetectorError(
            f"{options.weights} has no class {unknown}; it knows {dict(detector.class_names)}"
        )
    logger.info("%s loaded: %s on %s", weights, type(detector).__name__, runtime)
    return detector


def warm_up(detector: Detector, batch_size: int = 1) -> float:
    """Run a blank batch, because a first one is slow; returns its seconds. Raises DetectorError."""
    width, height = detector.input_size
    started = time.perf_counter()
    detector.detect(np.zeros((batch_size, height, width, 3), dtype=np.uint8))
    return time.perf_counter() - started


def _check(options: DetectorOptions) -> None:
    if options.runtime not in RUNTIMES:
        raise DetectorError(f"no runtime {options.runtime!r}: choose one of {', '.join(RUNTIMES)}")
    if any(side < STRIDE or side % STRIDE for side in options.input_size):
        raise DetectorError(
            f"input size {options.input_size}: width and height must be multiples of {STRIDE}"
        )
    if not 0.0 <= options.confidence < 1.0:
        raise DetectorError(f"confidence {options.confidence}: choose one from 0 up to 1")
    if options.threads is not None and options.threads < 1:
        raise DetectorError(f"{options.threads} threads: choose at least 1, or leave it out")


def _runtime(asked: str, weights: Path) -> str:
    possible = TAKEN_BY.get("" if weights.is_dir() else weights.suffix, ())
    if not possible:
        raise DetectorError(
            f"{weights} is no model that can be run: give a .pt, .onnx or .engine file, or an "
            f"OpenVINO folder"
        )
    if asked == "auto":
        return "torch" if weights.suffix == ".pt" and cuda_is_available() else possible[-1]
    if asked not in possible:
        raise DetectorError(
            f"the runtime {asked!r} cannot run {weights}: choose {' or '.join(possible)}, or "
            f"export the model for it"
        )
    return asked


def _load_openvino(weights: Path, options: DetectorOptions) -> Detector:
    options.folder.mkdir(parents=True, exist_ok=True)
    # Two workers that start together export, and fill the compile cache, once.
    with _one_process_at_a_time(options.folder / ".openvino.lock"):
        if weights.suffix == ".pt":
            weights = _exported(weights, options.folder, options.input_size)
        if has_end_to_end_head(weights, options.input_size):
            return OpenVinoDetector(
                weights,
                input_size=options.input_size,
                confidence=options.confidence,
                classes=options.classes,
                threads=options.threads or min(MOST_THREADS, usable_cores()),
                cache_folder=options.folder / "openvino-cache",
            )
        exported = weights.parent if weights.is_file() else weights
        if not exported.name.endswith(OPENVINO_SUFFIX):
            raise DetectorError(
                f"{exported} has no end-to-end head, so Ultralytics must run it, which knows "
                f"OpenVINO folders by a name ending in {OPENVINO_SUFFIX}: rename the folder"
            )
        logger.info("%s has no end-to-end head: Ultralytics does its post-processing", exported)
        return _load_yolo(exported, options, gpu=False)


def _load_yolo(weights: Path, options: DetectorOptions, *, gpu: bool) -> YoloDetector:
    return YoloDetector(
        weights,
        folder=options.folder,
        input_size=options.input_size,
        confidence=options.confidence,
        classes=options.classes,
        device="cuda:0" if gpu else "cpu",
        half=gpu and weights.suffix == ".pt",
        threads=options.threads,
    )


def exported_to_openvino(weights: Path, folder: Path, input_size: tuple[int, int]) -> Path:
    """Return the OpenVINO folder of a .pt, made once by whichever process comes first.

    `input_size` is width, height in pixels. Raises DetectorError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _one_process_at_a_time(folder / ".openvino.lock"):
        return _exported(weights, folder, input_size)


def _exported(weights: Path, folder: Path, input_size: tuple[int, int]) -> Path:
    """The OpenVINO folder for these very bytes, this size and this Ultralytics; made if missing."""
    width, height = input_size
    name = f"{weights.stem}-{sha256_of(weights)[:16]}-u{_ultralytics_version()}-{width}x{height}"
    destination = folder / (name + OPENVINO_SUFFIX)
    if not destination.is_dir():
        started = time.perf_counter()
        export_to_openvino(weights, destination, input_size=input_size, folder=folder)
        logger.info("exported %s in %.1f s", destination, time.perf_counter() - started)
    return destination


def _ultralytics_version() -> str:
    for distribution in DISTRIBUTIONS:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "none"


@contextmanager
def _one_process_at_a_time(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released with the file, also when the process is killed
        yield


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux; elsewhere no process is confined to some
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
