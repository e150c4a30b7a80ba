"""The real network on its real runtimes: they agree, and they refuse what they cannot do."""

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.detectors.catalogue import obtain
from detection.detectors.factory import DetectorOptions, load_detector, warm_up
from detection.detectors.openvino import OpenVinoDetector
from detection.detectors.yolo import YoloDetector
from detection.domain.letterbox import Letterbox
from detection.ports import Detector, DetectorError

REPOSITORY = Path(__file__).parents[2]
MODELS = Path(os.environ.get("CRIMEOPS_MODEL_DIR", REPOSITORY / "var" / "models"))
PERSON, BUS = 0, 5


@pytest.fixture(scope="module")
def openvino_detector() -> Detector:
    return load_detector(DetectorOptions(weights="yolo26n.pt", folder=MODELS, runtime="openvino"))


@pytest.fixture(scope="module")
def torch_detector() -> Detector:
    return load_detector(DetectorOptions(weights="yolo26n.pt", folder=MODELS, runtime="torch"))


@pytest.fixture(scope="module")
def bus() -> NDArray[np.uint8]:
    """Ultralytics' own photograph, letterboxed: four people and a bus."""
    found = importlib.util.find_spec("ultralytics")
    assert found is not None and found.origin is not None
    photograph = cv2.imread(str(Path(found.origin).parent / "assets" / "bus.jpg"))
    assert photograph is not None
    return Letterbox((810, 1080), (640, 384)).apply(np.asarray(photograph, np.uint8))


def _sure(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[rows[:, 4] > 0.35]


def test_openvino_finds_the_people_and_the_bus(
    openvino_detector: Detector, bus: NDArray[np.uint8]
) -> None:
    assert isinstance(openvino_detector, OpenVinoDetector)
    (rows,) = openvino_detector.detect(bus[None])
    counted = Counter(int(row[5]) for row in _sure(rows))
    assert counted[BUS] == 1
    assert counted[PERSON] in (4, 5)
    assert openvino_detector.class_names[BUS] == "bus"
    assert openvino_detector.class_names[34] == "baseball bat"
    assert rows.dtype == np.float32
    assert (rows[:, 4] >= 0.1).all()


def test_torch_and_openvino_agree(
    openvino_detector: Detector, torch_detector: Detector, bus: NDArray[np.uint8]
) -> None:
    assert isinstance(torch_detector, YoloDetector)
    ours, theirs = (
        _sure(detector.detect(bus[None])[0]) for detector in (openvino_detector, torch_detector)
    )
    assert ours.shape == theirs.shape
    ours, theirs = (rows[np.lexsort((rows[:, 0], rows[:, 5]))] for rows in (ours, theirs))
    np.testing.assert_allclose(ours[:, :4], theirs[:, :4], atol=3.0)
    np.testing.assert_allclose(ours[:, 4], theirs[:, 4], atol=0.05)
    assert openvino_detector.class_names == torch_detector.class_names


def test_a_batch_of_sixteen_equals_sixteen_single_frames(
    openvino_detector: Detector, bus: NDArray[np.uint8]
) -> None:
    frames = np.stack([np.roll(bus, 13 * shift, axis=1) for shift in range(16)])
    together = openvino_detector.detect(frames)
    alone = [openvino_detector.detect(frame[None])[0] for frame in frames]
    assert len(together) == 16
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_empty_batch_gives_no_answers(
    openvino_detector: Detector, torch_detector: Detector
) -> None:
    nothing = np.empty((0, 384, 640, 3), np.uint8)
    assert openvino_detector.detect(nothing) == []
    assert torch_detector.detect(nothing) == []


def test_only_the_wanted_classes_come_out(bus: NDArray[np.uint8]) -> None:
    for runtime in ("openvino", "torch"):
        detector = load_detector(
            DetectorOptions(
                weights="yolo26n.pt", folder=MODELS, runtime=runtime, classes=(BUS,), threads=1
            )
        )
        assert set(detector.detect(bus[None])[0][:, 5]) == {BUS}


def test_frames_of_another_size_are_refused(
    openvino_detector: Detector, torch_detector: Detector
) -> None:
    for detector in (openvino_detector, torch_detector):
        with pytest.raises(DetectorError, match="letterbox the frames"):
            detector.detect(np.zeros((1, 360, 640, 3), np.uint8))


def test_warming_up_runs_the_network(openvino_detector: Detector) -> None:
    assert 0 < warm_up(openvino_detector, batch_size=2) < 60


def test_the_exported_folder_is_a_model_of_its_own(bus: NDArray[np.uint8]) -> None:
    load_detector(DetectorOptions(weights="yolo26n.pt", folder=MODELS, runtime="openvino"))
    exported = next(MODELS.glob("yolo26n-*_openvino_model"))
    detector = load_detector(DetectorOptions(weights=str(exported), folder=MODELS))
    assert isinstance(detector, OpenVinoDetector)
    assert BUS in detector.detect(bus[None])[0][:, 5]


def test_weights_with_the_wrong_digest_are_refused_before_they_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "yolo26n.pt").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(DetectorError, match="9b09cc8bf347f0fc"):
        load_detector(DetectorOptions(weights="yolo26n.pt", folder=tmp_path))


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"runtime": "abacus"}, "choose one of auto, torch, openvino"),
        ({"runtime": "onnx"}, "choose torch or openvino"),
        ({"input_size": (640, 360)}, "multiples of 32"),
        ({"confidence": 1.5}, "from 0 up to 1"),
        ({"threads": 0}, "at least 1"),
        ({"classes": (0, 999)}, r"no class \[999\]"),
        ({"weights": "nothing.pt"}, "no model 'nothing.pt'"),
    ],
)
def test_nonsense_is_refused_with_advice(changes: dict[str, object], advice: str) -> None:
    obtain("yolo26n.pt", MODELS)
    options: dict[str, object] = {"weights": "yolo26n.pt", "folder": MODELS, **changes}
    with pytest.raises(DetectorError, match=advice):
        load_detector(DetectorOptions(**options))  # type: ignore[arg-type]  # nonsense on purpose


@pytest.mark.parametrize("name", ["broken.onnx", "broken.pt", "broken_openvino_model/model.xml"])
def test_a_broken_model_of_the_operators_own_is_refused(tmp_path: Path, name: str) -> None:
    broken = tmp_path / name
    broken.parent.mkdir(exist_ok=True)
    broken.write_bytes(b"no model at all")
    with pytest.raises(DetectorError, match="broken"):
        load_detector(DetectorOptions(weights=str(broken), folder=tmp_path))


def test_nothing_heavy_is_imported_until_a_detector_is_loaded() -> None:
    code = (
        "import sys; import detection.detectors.factory;"
        "sys.exit(bool({'torch', 'ultralytics', 'openvino'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_vendors_write_nothing_into_the_users_home(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from detection.detectors.factory import *;"
        f"load_detector(DetectorOptions(weights='yolo26n.pt', folder=Path({str(MODELS)!r})));"
        "from detection.detectors.yolo import import_ultralytics;"
        f"u = import_ultralytics(Path({str(MODELS)!r}));"
        "from ultralytics.utils import AUTOINSTALL, ONLINE;"
        "assert not (ONLINE or AUTOINSTALL or u.settings['sync'])"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY, env=environment)
    assert not (tmp_path / ".config").exists()
    assert not (tmp_path / "intel").exists()
