"""Weights are used only when their bytes are the expected ones, wherever they came from."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from detection.detectors.catalogue import (
    CATALOGUE,
    CatalogueModel,
    Fetcher,
    FetchError,
    WeightsError,
    obtain,
)
from detection.ports import DetectorError

OFFICIAL = b"the official weights"
OTHER = b"something else"
MODEL = CatalogueModel("tiny.pt", hashlib.sha256(OFFICIAL).hexdigest(), (), ())
KNOWN = {"tiny.pt": MODEL}


def _brings(content: bytes) -> Fetcher:
    def fetch_fake(model: CatalogueModel, destination: Path) -> None:
        destination.write_bytes(content)

    return fetch_fake


def _fails(model: CatalogueModel, destination: Path) -> None:
    raise FetchError("the registry did not answer")


def _obtain(folder: Path, *fetchers: Fetcher, said: Callable[[str], None] | None = None) -> Path:
    return obtain("tiny.pt", folder, said, fetchers=fetchers, catalogue=KNOWN)


def test_right_weights_in_place_are_used_without_fetching(tmp_path: Path) -> None:
    (tmp_path / "tiny.pt").write_bytes(OFFICIAL)
    assert _obtain(tmp_path, _fails) == tmp_path / "tiny.pt"


def test_missing_weights_are_fetched_into_a_folder_that_need_not_exist(tmp_path: Path) -> None:
    steps: list[str] = []
    path = _obtain(tmp_path / "models", _brings(OFFICIAL), said=steps.append)
    assert path == tmp_path / "models" / "tiny.pt"
    assert path.read_bytes() == OFFICIAL
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.pt"]
    assert steps[0] == "tiny.pt: fetching it (fake)"
    assert "SHA-256 checked" in steps[-1]


def test_the_next_way_is_tried_where_one_fails_or_brings_other_bytes(tmp_path: Path) -> None:
    path = _obtain(tmp_path, _fails, _brings(OTHER), _brings(OFFICIAL))
    assert path.read_bytes() == OFFICIAL


def test_other_bytes_are_refused_and_never_put_in_place(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as refused:
        _obtain(tmp_path, _brings(OTHER))
    message = str(refused.value)
    assert MODEL.sha256 in message
    assert hashlib.sha256(OTHER).hexdigest() in message
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_in_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    wrong = tmp_path / "tiny.pt"
    wrong.write_bytes(OTHER)
    with pytest.raises(WeightsError) as refused:
        _obtain(tmp_path, _brings(OFFICIAL))
    message = str(refused.value)
    assert str(wrong) in message
    assert MODEL.sha256 in message
    assert hashlib.sha256(OTHER).hexdigest() in message
    assert "Delete it" in message
    assert wrong.read_bytes() == OTHER


def test_nothing_reachable_says_where_to_put_the_file(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as refused:
        _obtain(tmp_path, _fails)
    assert "the registry did not answer" in str(refused.value)
    assert f"at {tmp_path / 'tiny.pt'} by hand" in str(refused.value)


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file where a folder should be")
    with pytest.raises(WeightsError, match="could not write"):
        _obtain(tmp_path / "models" / "deeper", _brings(OFFICIAL))


def test_an_operators_own_file_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / "guns.pt"
    own.write_bytes(OTHER)
    with caplog.at_level(logging.WARNING):
        assert obtain(str(own), tmp_path / "models", fetchers=()) == own
    assert "runs code" in caplog.text


def test_an_operators_own_file_is_found_by_name_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "guns.onnx").write_bytes(OTHER)
    assert obtain("guns.onnx", tmp_path, fetchers=()) == tmp_path / "guns.onnx"


def test_an_unknown_name_is_refused_with_the_names_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no model 'yolo99\.pt'.*yolo26n\.pt"):
        obtain("yolo99.pt", tmp_path, fetchers=())


def test_the_default_model_can_be_had_in_two_ways() -> None:
    model = CATALOGUE["yolo26n.pt"]
    assert model.sha256 == "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef"
    assert model.urls
    assert model.wheels


@pytest.mark.parametrize("model", CATALOGUE.values(), ids=lambda model: str(model.name))
def test_every_entry_has_a_whole_digest_and_an_address(model: CatalogueModel) -> None:
    assert len(bytes.fromhex(model.sha256)) == 32
    assert all(url.startswith("https://") and url.endswith(model.name) for url in model.urls)
    assert all("==" in wheel.requirement for wheel in model.wheels)
