"""The fitted model as plain ONNX operators, so that whatever runs ONNX can run it."""

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from detection.training.fitting import LARGEST_DEVIATION, LinearModel

OPSET: Final = 13
IR_VERSION: Final = 8


def to_onnx(model: LinearModel) -> bytes:
    """Input `windows` (n, features) float32 where nan is unknown, output `probabilities` (n,)."""
    count = len(model.mean)
    constants: dict[str, NDArray[Any]] = {
        "mean": model.mean.astype(np.float32),
        "scale": model.scale.astype(np.float32),
        "lowest": np.array(-LARGEST_DEVIATION, np.float32),
        "highest": np.array(LARGEST_DEVIATION, np.float32),
        "weights": model.weights.astype(np.float32).reshape(count, 1),
        "bias": np.array([model.bias], np.float32),
        "columns": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("IsNaN", ["windows"], ["unknown"]),
        helper.make_node("Where", ["unknown", "mean", "windows"], ["known"]),
        helper.make_node("Sub", ["known", "mean"], ["difference"]),
        helper.make_node("Div", ["difference", "scale"], ["deviation"]),
        helper.make_node("Clip", ["deviation", "lowest", "highest"], ["held"]),
        helper.make_node("MatMul", ["held", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["column"]),
        helper.make_node("Squeeze", ["column", "columns"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fights",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", count])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="crimeops"
    )
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
