"""The pose network on crops of people near each other, by OpenVINO on the CPU.

Besides the poses it gives its inner layers, in which motion of bodies stands out (see
detection/behaviour/motion.py).
"""

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.fight_features import Look
from detection.behaviour.regions import CROP_SIDE
from detection.detectors.catalogue import CATALOGUE, obtain
from detection.detectors.factory import exported_to_openvino
from detection.detectors.openvino import model_file
from detection.ports import DetectorError
from detection.quiet_imports import silence_telemetry

if TYPE_CHECKING:
    import openvino as ov

WEIGHTS: Final = "yolo11n-pose.pt"
WEIGHTS_SHA256: Final = CATALOGUE[WEIGHTS].sha256
LAYERS: Final = (4, 6, 10)  # of yolo11n-pose's backbone, at strides 8, 16 and 32
LARGEST_COLOUR: Final = 255.0


class PoseNetwork:
    """Looks at grey crops (256, 256). Safe to call from several threads; they wait."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Obtain the weights, export them once into `folder`, compile. Raises DetectorError."""
        silence_telemetry()
        weights = obtain(WEIGHTS, folder)
        exported = exported_to_openvino(weights, folder, (CROP_SIDE, CROP_SIDE))
        # Here, not above: half a second that the web and reports processes must not pay for.
        import openvino as ov

        core = ov.Core()
        try:
            model = core.read_model(model_file(exported))
            model.reshape([1, 3, CROP_SIDE, CROP_SIDE])
            _tap_layers(model)
            compiled = core.compile_model(
                _taking_grey_bytes(model),
                "CPU",
                {
                    "NUM_STREAMS": 1,
                    "INFERENCE_NUM_THREADS": threads,
                    "ENABLE_CPU_PINNING": False,
                    # Half precision, where a CPU has it, would give it figures of its own.
                    "INFERENCE_PRECISION_HINT": "f32",
                },
            )
        except RuntimeError as error:
            raise DetectorError(
                f"OpenVINO cannot use {exported}: {error}. Delete the folder to have it made again."
            ) from error
        self._request = compiled.create_infer_request()
        self._lock = Lock()

    def look(self, crops: NDArray[np.uint8]) -> list[Look]:
        """Look at each of the crops (n, 256, 256). Raises DetectorError."""
        with self._lock:
            try:
                return [self._look(crop) for crop in crops]
            except RuntimeError as error:
                raise DetectorError(f"OpenVINO could not look at a crop: {error}") from error

    def _look(self, crop: NDArray[np.uint8]) -> Look:
        self._request.infer({0: np.ascontiguousarray(crop)[None, :, :, None]})
        outputs: list[NDArray[np.float32]] = [
            self._request.get_output_tensor(number).data[0].copy()
            for number in range(1 + len(LAYERS))
        ]
        return Look(poses=np.ascontiguousarray(outputs[0].T), maps=tuple(outputs[1:]))


def _tap_layers(model: "ov.Model") -> None:
    nodes: dict[str, Any] = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    for layer in LAYERS:
        convolution = nodes.get(f"__module.model.{layer}.cv2.conv/aten::_convolution/Add")
        if convolution is None:
            raise DetectorError(
                f"the export of {WEIGHTS} has no layer {layer} by its usual name: install the "
                f"Ultralytics version that requirements/base.txt pins"
            )
        (activation,) = convolution.output(0).get_target_inputs()
        model.add_outputs(activation.get_node().output(0))


def _taking_grey_bytes(model: "ov.Model") -> "ov.Model":
    """One grey channel in, three equal colours for the network.

    https://docs.openvino.ai/2026/openvino-workflow/running-inference/optimize-inference/optimize-preprocessing.html
    """
    import openvino as ov  # see PoseNetwork
    from openvino import opset13 as ops

    grey = ops.parameter([1, CROP_SIDE, CROP_SIDE, 1], ov.Type.u8, name="grey")
    scaled = ops.divide(ops.convert(grey, "f32"), np.float32(LARGEST_COLOUR))
    plane = ops.reshape(scaled, np.array([1, 1, CROP_SIDE, CROP_SIDE]), special_zero=False)
    colours = ops.concat([plane, plane, plane], axis=1)
    old = model.get_parameters()[0]
    for target in old.output(0).get_target_inputs():
        target.replace_source_output(colours.output(0))
    return ov.Model(model.get_results(), [grey], "pose")
