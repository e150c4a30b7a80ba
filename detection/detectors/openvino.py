"""OpenVINO alone runs the network in a third of the time that PyTorch takes on a CPU.

The graph takes the camera's bytes as they are (uint8, BGR, channels last) and does the conversion
itself, and the end-to-end head leaves one threshold as all the post-processing there is.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.ports import DetectorError
from detection.quiet_imports import silence_telemetry

if TYPE_CHECKING:
    import openvino as ov

ROW_WIDTH: Final = 6  # x1 y1 x2 y2 confidence class
LARGEST_COLOUR: Final = 255.0


def model_file(path: Path) -> Path:
    """Return the .xml of an OpenVINO folder, or the path itself. Raises DetectorError."""
    if path.is_dir():
        found = sorted(path.glob("*.xml"))
        if len(found) != 1:
            raise DetectorError(
                f"{path} holds {len(found)} .xml files: name the folder of one OpenVINO model"
            )
        return found[0]
    return path


def has_end_to_end_head(path: Path, input_size: tuple[int, int]) -> bool:
    """Whether the network answers (n, k, 6) rows, so that `OpenVinoDetector` can run it.

    `input_size` is width, height in pixels. Raises DetectorError where the model cannot be read.
    """
    model, _ = _read(path, input_size)
    shape = model.outputs[0].partial_shape
    if len(model.outputs) != 1 or shape.rank.is_dynamic or len(shape) != 3:
        return False
    return bool(shape[2].is_static and shape[2].get_length() == ROW_WIDTH)


class OpenVinoDetector:
    """Runs an OpenVINO network with an end-to-end head, one frame to a thread.

    Each thread infers frames one by one on a request of its own. Two threads on two frames want a
    fifth less CPU time than two threads on one frame, and a fixed shape less than a flexible batch.
    The requests are synchronous: OpenVINO's queue of asynchronous ones has been seen to hang
    (https://github.com/ultralytics/ultralytics/issues/25923).
    """

    def __init__(
        self,
        path: Path,
        *,
        input_size: tuple[int, int],
        confidence: float,
        classes: tuple[int, ...] | None,
        threads: int,
        cache_folder: Path | None = None,
    ) -> None:
        """Compile the model at `path`, a folder or an .xml. Raises DetectorError.

        `input_size` is width, height; a compiled copy is kept in `cache_folder`.
        """
        model, core = _read(path, input_size)
        self.class_names: Mapping[int, str] = _class_names(path, model)
        self.input_size = input_size
        self._confidence = confidence
        self._classes = None if classes is None else np.asarray(classes, dtype=np.float32)
        self._lock = Lock()
        config: dict[str, Any] = {
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            # Pinned threads would fight with the decoders, and with a second worker, for a core.
            "ENABLE_CPU_PINNING": False,
        }
        if cache_folder is not None:
            config["CACHE_DIR"] = str(cache_folder)
        try:
            compiled = core.compile_model(_taking_camera_bytes(model), "CPU", config)
            self._requests = [compiled.create_infer_request() for _ in range(threads)]
            # One after the other, before any two run at once: the bindings' first use fills a table
            # under a C++ guard and gives up the interpreter lock meanwhile, and a second thread
            # that waits for the guard with the lock held would stop the process for ever.
            for request in self._requests:
                self._infer(request, np.zeros((1, input_size[1], input_size[0], 3), np.uint8))
        except RuntimeError as error:
            raise DetectorError(f"OpenVINO cannot compile {path}: {error}") from error
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="openvino")

    def detect(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return per frame rows (k, 6) in input pixels for (n, height, width, 3) BGR, any n.

        Safe to call from several threads; they wait for each other. Raises DetectorError.
        """
        width, height = self.input_size
        if batch.dtype != np.uint8 or batch.shape[1:] != (height, width, 3):
            raise DetectorError(
                f"the network takes (n, {height}, {width}, 3) uint8, got {batch.shape} "
                f"{batch.dtype}: letterbox the frames to the detector's input_size"
            )
        answers: list[NDArray[np.float32]] = [np.empty((0, ROW_WIDTH), np.float32)] * len(batch)
        parts = min(len(self._requests), len(batch))

        def infer_part(part: int) -> None:
            for index in range(part, len(batch), parts):
                answers[index] = self._infer(self._requests[part], batch[index : index + 1])

        with self._lock:
            try:
                if parts == 1:
                    infer_part(0)  # handing one frame to another thread only costs time
                else:
                    list(self._threads.map(infer_part, range(parts)))
            except RuntimeError as error:
                raise DetectorError(f"OpenVINO could not run a batch: {error}") from error
        return answers

    def _infer(self, request: "ov.InferRequest", frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        request.infer({0: np.ascontiguousarray(frame)}, share_inputs=True)
        rows: NDArray[np.float32] = request.get_output_tensor().data[0]
        wanted = rows[:, 4] >= self._confidence
        if self._classes is not None:
            wanted &= np.isin(rows[:, 5], self._classes)
        return rows[wanted]  # a copy: the tensor is overwritten by the next frame


def _read(path: Path, input_size: tuple[int, int]) -> "tuple[ov.Model, ov.Core]":
    silence_telemetry()
    try:
        # Here, not above: half a second that the web and reports processes must not pay for.
        import openvino as ov
    except ImportError as error:
        raise DetectorError(
            "OpenVINO is not installed: `pip install openvino`, or choose the runtime 'torch'"
        ) from error
    core = ov.Core()
    width, height = input_size
    try:
        model = core.read_model(model_file(path))
        # Fixed before compiling, so that the anchors become constants.
        model.reshape([1, 3, height, width])
    except RuntimeError as error:
        raise DetectorError(
            f"OpenVINO cannot use {path} at {width}x{height}: {error}. Export it again, dynamic or "
            f"for this size, or set the input size that it was exported for."
        ) from error
    return model, core


def _taking_camera_bytes(model: "ov.Model") -> "ov.Model":
    """https://docs.openvino.ai/2026/openvino-workflow/running-inference/optimize-inference/optimize-preprocessing.html"""
    import openvino as ov  # see _read
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    tensor = steps.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    tensor.set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    preprocess = steps.input().preprocess()
    preprocess.convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB)
    preprocess.scale(LARGEST_COLOUR)
    return steps.build()


def _class_names(path: Path, model: "ov.Model") -> dict[int, str]:
    """The names that the export wrote beside the model, else those inside it, else none."""
    metadata = model_file(path).with_name("metadata.yaml")
    if metadata.is_file():
        import yaml  # comes with ultralytics, whose export wrote the file; needed nowhere else

        names = (yaml.safe_load(metadata.read_text(encoding="utf-8")) or {}).get("names", {})
        return {int(number): str(name) for number, name in dict(names).items()}
    if model.has_rt_info(["model_info", "labels"]):
        labels = str(model.get_rt_info(["model_info", "labels"]).value).split()
        return {number: label.replace("_", " ") for number, label in enumerate(labels)}
    return {}
