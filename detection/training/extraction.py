"""From clips to vectors, remembered: the networks take minutes, and training is repeated often."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.behaviour.close_ups import close_ups_of
from detection.behaviour.fight_features import FEATURES_VERSION, VECTOR_LENGTH, fight_features
from detection.behaviour.sights import LEAST_CONFIDENCE, Sight, thinned, windows
from detection.detectors.catalogue import CATALOGUE, sha256_of
from detection.detectors.factory import DetectorOptions, load_detector
from detection.detectors.pose import WEIGHTS_SHA256, PoseNetwork
from detection.domain.letterbox import Letterbox
from detection.ports import Detector
from detection.training.labelled_clips import LabelledClip, TrainingError
from detection.training.views import UnreadableClip, View, pictures

DETECTOR_WEIGHTS: Final = "yolo26n.pt"
PERSON_CLASS: Final = 0  # in COCO
CACHE_VERSION: Final = 1
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class ClipVectors:
    """The vectors (n, features) of a clip's places of nearness; none where nobody was near."""

    clip: LabelledClip
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ExtractionOptions:
    model_folder: Path
    cache_folder: Path
    seed: int
    processes: int = 2


class Networks:
    """Detector and pose network, loaded once a process, on one thread each: the same figures."""

    def __init__(self, model_folder: Path) -> None:
        self.detector: Detector = load_detector(
            DetectorOptions(
                weights=DETECTOR_WEIGHTS,
                folder=model_folder,
                runtime="openvino",
                confidence=LEAST_CONFIDENCE,
                classes=(PERSON_CLASS,),
                threads=1,
            )
        )
        self.pose = PoseNetwork(model_folder, threads=1)
        self._letterboxes: dict[tuple[int, int], Letterbox] = {}

    def sight(self, at: float, picture: NDArray[np.uint8]) -> Sight:
        """Who is seen in a picture (h, w, 3) BGR of any size."""
        size = (picture.shape[1], picture.shape[0])
        if size not in self._letterboxes:
            self._letterboxes[size] = Letterbox(size, self.detector.input_size)
        pixels = self._letterboxes[size].apply(picture)
        return Sight.of(at, pixels, self.detector.detect(pixels[None])[0])

    def sights(self, path: Path, view: View, seed: int) -> list[Sight]:
        """Who was seen in a clip. Raises UnreadableClip."""
        return [self.sight(at, picture) for at, picture in pictures(path, view, seed)]


def extract(
    clips: Sequence[LabelledClip],
    views: Sequence[View],
    options: ExtractionOptions,
    progress: Progress,
) -> dict[str, list[ClipVectors]]:
    """The vectors of every clip by the name of the view. Raises TrainingError."""
    options.cache_folder.mkdir(parents=True, exist_ok=True)
    jobs = [(clip, view, options) for view in views for clip in clips]
    answers: dict[str, list[ClipVectors]] = {view.name: [] for view in views}
    # Spawned: neither OpenVINO's threads nor OpenCV's survive a fork.
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for done, ((clip, view, _), answer) in enumerate(
            zip(jobs, pool.map(_vectors_or_fault, jobs, chunksize=4), strict=True), start=1
        ):
            if isinstance(answer, str):
                pool.shutdown(cancel_futures=True)
                raise TrainingError(f"labels.csv, line {clip.line}: {clip.name}: {answer}")
            answers[view.name].append(ClipVectors(clip, answer))
            if done % len(clips) == 0:
                progress(f"{view.name}: {len(clips)} clips")
    return answers


_networks: Networks | None = None  # the loaded models: one set a process


def _vectors_or_fault(
    job: tuple[LabelledClip, View, ExtractionOptions],
) -> NDArray[np.float32] | str:
    """Runs in a process of the pool; a fault comes back as words."""
    global _networks
    clip, view, options = job
    cached = options.cache_folder / f"{_key(clip.path, view, options.seed)}.npy"
    if cached.is_file():
        return np.asarray(np.load(cached, allow_pickle=False), np.float32)
    if _networks is None:
        cv2.setNumThreads(1)
        _networks = Networks(options.model_folder)
    try:
        vectors = vectors_of(_networks, _networks.sights(clip.path, view, options.seed))
    except UnreadableClip as error:
        return str(error)
    scratch = cached.with_suffix(f".{os.getpid()}.npy")
    np.save(scratch, vectors)
    os.replace(scratch, cached)
    return vectors


def vectors_of(networks: Networks, sights: Sequence[Sight]) -> NDArray[np.float32]:
    """The vector of each place of nearness in each window, (n, features)."""
    vectors = []
    for window in windows(thinned(sights)):
        for close_up in close_ups_of(window):
            vectors.append(fight_features(close_up, networks.pose.look(close_up.crops)))
    return np.array(vectors, np.float32).reshape(-1, VECTOR_LENGTH)


def _key(path: Path, view: View, seed: int) -> str:
    """Whatever changes the vectors changes the key."""
    parts = (
        sha256_of(path),
        path.name,
        repr(view),
        seed,
        FEATURES_VERSION,
        CACHE_VERSION,
        VECTOR_LENGTH,
        CATALOGUE[DETECTOR_WEIGHTS].sha256,
        WEIGHTS_SHA256,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
