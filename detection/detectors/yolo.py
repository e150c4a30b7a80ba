"""Whatever Ultralytics can load runs here: PyTorch on a GPU, TensorRT, ONNX, any head."""

import ctypes
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.ports import DetectorError
from detection.quiet_imports import import_ultralytics

OPENVINO_SUFFIX: Final = "_openvino_model"  # by which Ultralytics knows an OpenVINO folder


def cuda_is_available() -> bool:
    """Whether PyTorch sees an NVIDIA GPU that it can use."""
    try:
        # Without the driver there is nothing to ask PyTorch, whose import costs two seconds and
        # half a gigabyte that OpenVINO alone does not need.
        ctypes.CDLL("libcuda.so.1")
        import torch  # here, not above: see import_ultralytics
    except (OSError, ImportError):
        return False
    return bool(torch.cuda.is_available())


def export_to_openvino(
    weights: Path, destination: Path, *, input_size: tuple[int, int], folder: Path
) -> None:
    """Export a .pt to the OpenVINO folder `destination`, which appears whole or not at all.

    Takes the end-to-end head where the network has one. Raises DetectorError.
    """
    ultralytics = import_ultralytics(folder)
    width, height = input_size
    # Ultralytics writes beside the weights, so it is given a link to them in a scratch folder.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=destination.parent) as scratch:
        linked = Path(scratch) / weights.name
        linked.symlink_to(weights.resolve())
        try:
            with warnings.catch_warnings():
                # What tracing is worth and that it is deprecated, torch tells Ultralytics, not us.
                warnings.simplefilter("ignore")
                exported = ultralytics.YOLO(str(linked)).export(
                    format="openvino", imgsz=(height, width), dynamic=True, nms=False, verbose=False
                )
        except Exception as error:  # Ultralytics raises whatever its libraries do
            raise DetectorError(
                f"{weights} cannot be exported to OpenVINO: {error}. Choose the runtime 'torch' or "
                f"give a model exported elsewhere."
            ) from error
        os.replace(exported, destination)


class YoloDetector:
    """Runs any model through Ultralytics' own `predict`."""

    def __init__(
        self,
        path: Path,
        *,
        folder: Path,
        input_size: tuple[int, int],
        confidence: float,
        classes: tuple[int, ...] | None,
        device: str,
        half: bool = False,
        threads: int | None = None,
    ) -> None:
        """Load the model. `device` is 'cpu' or 'cuda:0' and so on; `half` asks for 16-bit floats.

        Raises DetectorError.
        """
        ultralytics = import_ultralytics(folder)
        width, height = input_size
        self.input_size = input_size
        self._lock = Lock()  # one model object is not thread-safe
        self._settings: dict[str, Any] = {
            "imgsz": (height, width),
            "conf": confidence,
            "classes": None if classes is None else list(classes),
            "device": device,
            "nms": False,  # take the end-to-end head where there is one
            "quantize": 16 if half else None,
            "verbose": False,
            "save": False,
        }
        try:
            self._model = ultralytics.YOLO(str(path), task="detect")
            self.class_names: Mapping[int, str] = dict(self._model.names)
        except Exception as error:  # a runtime's loader raises what it likes
            raise DetectorError(
                f"{path} cannot be loaded: {error}. Check that it is a detection model, and that "
                f"the runtime for {path.suffix or 'OpenVINO'} models is installed."
            ) from error
        if threads is not None and device == "cpu":
            import torch  # here, not above: see import_ultralytics

            torch.set_num_threads(threads)

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return per frame rows (k, 6) in input pixels for (n, height, width, 3) BGR.

        Safe to call from several threads; they wait for each other. Raises DetectorError.
        """
        width, height = self.input_size
        if batch.dtype != np.uint8 or batch.shape[1:] != (height, width, 3):
            raise DetectorError(
                f"the network takes (n, {height}, {width}, 3) uint8, got {batch.shape} "
                f"{batch.dtype}: letterbox the frames to the detector's input_size"
            )
        if not len(batch):
            return []
        try:
            with self._lock:
                results = self._model.predict(list(batch), **self._settings)
        except Exception as error:  # CUDA, ONNX and TensorRT have no common error
            raise DetectorError(f"the model could not run a batch: {error}") from error
        return [_rows(result) for result in results]


def _rows(result: Any) -> NDArray[np.float32]:
    if result.boxes is None:
        raise DetectorError("the model finds no boxes: give a detection model")
    return np.asarray(result.boxes.data.cpu().numpy(), dtype=np.float32)
