"""Tiny models as an operator may bring them, built here with weights that are known."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from detection.quiet_imports import import_ultralytics


def classification_model(path: Path, names: Sequence[str], leaning: Sequence[float]) -> Path:
    """A model that sees nothing: each class has the softmax of its leaning in any picture."""
    model = _built(path, "yolo11n-cls", "11/yolo11-cls.yaml", len(names))
    import torch

    with torch.no_grad():
        head = model.model.model[-1].linear
        head.weight.zero_()
        head.bias.copy_(torch.tensor(leaning))
    return _saved(model, path, names)


def detection_model(path: Path, names: Sequence[str]) -> Path:
    """A model with random weights, of which only the class names matter."""
    return _saved(_built(path, "yolo11n", "11/yolo11.yaml", len(names)), path, names)


def _built(path: Path, name: str, configuration: str, classes: int) -> Any:
    ultralytics = import_ultralytics(path.parent)
    found = find_spec("ultralytics")
    assert found is not None and found.origin is not None
    text = (Path(found.origin).parent / "cfg" / "models" / configuration).read_text()
    own = path.parent / f"{name}-{path.stem}.yaml"
    own.write_text(
        "".join(
            f"nc: {classes}\n" if line.startswith("nc:") else f"{line}\n"
            for line in text.splitlines()
        )
    )
    return ultralytics.YOLO(str(own))


def _saved(model: Any, path: Path, names: Sequence[str]) -> Path:
    model.model.names = dict(enumerate(names))
    model.save(str(path))
    return path
