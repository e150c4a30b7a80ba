"""The shipped fight model with the real networks: what is refused, and what quiet places give."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command

from detection.behaviour.close_ups import close_ups_of
from detection.behaviour.fight_features import VECTOR_LENGTH
from detection.behaviour.sights import Sight, windows
from detection.detectors.catalogue import sha256_of
from detection.detectors.fights import CARD_FILE, MODEL_FILE, SHIPPED, FightClassifier, FightModel
from detection.domain.close_ups import CloseUp
from detection.domain.moments import WHOLE_PICTURE
from detection.ports import DetectorError
from detection.training.extraction import ClipVectors, Networks
from detection.training.fitting import Settings, fit
from detection.training.labelled_clips import LabelledClip
from detection.training.onnx_model import to_onnx
from detection.training.views import View, pictures
from tests.clips import grey_clip


@pytest.fixture(scope="module")
def networks(model_dir: Path) -> Networks:
    return Networks(model_dir)


# --- the two files of a model --------------------------------------------------------------------


def test_the_shipped_model_is_small_and_answers_with_probabilities() -> None:
    assert (SHIPPED / MODEL_FILE).stat().st_size < 5_000_000
    model = FightModel()
    vectors = np.random.default_rng(0).standard_normal((3, VECTOR_LENGTH)).astype(np.float32)
    vectors[1, :20] = np.nan
    answers = model.probabilities(vectors)
    assert answers.shape == (3,)
    assert ((answers >= 0) & (answers <= 1)).all()
    assert model.probabilities(vectors[1:2])[0] == pytest.approx(answers[1], abs=1e-6)


@pytest.mark.parametrize("fault", ["other model", "other features", "no card", "no json"])
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, fault: str) -> None:
    for name in (MODEL_FILE, CARD_FILE):
        shutil.copy(SHIPPED / name, tmp_path)
    FightModel(tmp_path)
    card = json.loads((tmp_path / CARD_FILE).read_text())
    if fault == "other model":
        (tmp_path / MODEL_FILE).write_bytes((tmp_path / MODEL_FILE).read_bytes() + b"\0")
    elif fault == "other features":
        card["features"]["version"] += 1
        (tmp_path / CARD_FILE).write_text(json.dumps(card))
    elif fault == "no json":
        (tmp_path / CARD_FILE).write_text("{")
    else:
        (tmp_path / CARD_FILE).unlink()
    with pytest.raises(DetectorError, match="train again"):
        FightModel(tmp_path)


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(DetectorError, match=f"takes \\(n, {VECTOR_LENGTH}\\)"):
        FightModel().probabilities(np.zeros((1, 3), np.float32))


def test_the_written_network_says_what_the_fitted_model_says(tmp_path: Path) -> None:
    randomness = np.random.default_rng(1)
    made = []
    for number in range(20):
        vectors = randomness.standard_normal((2, VECTOR_LENGTH)).astype(np.float32)
        vectors[:, 5] += 3 * (number % 2)
        vectors[0, 9] = np.nan
        clip = LabelledClip(Path("x"), str(number), bool(number % 2), f"s{number}", 2)
        made.append(ClipVectors(clip, vectors))
    fitted = fit(made, [Settings(0.01, 1.0)])
    (tmp_path / MODEL_FILE).write_bytes(to_onnx(fitted))
    assert to_onnx(fit(made, [Settings(0.01, 1.0)])) == to_onnx(fitted)
    shutil.copy(SHIPPED / CARD_FILE, tmp_path)
    card = json.loads((tmp_path / CARD_FILE).read_text())
    card["model"]["sha256"] = sha256_of(tmp_path / MODEL_FILE)
    (tmp_path / CARD_FILE).write_text(json.dumps(card))
    for some in made[:4]:
        expected = 1 / (1 + np.exp(-fitted.logits(some.vectors)))
        assert np.allclose(FightModel(tmp_path).probabilities(some.vectors), expected, atol=1e-5)


# --- the command ---------------------------------------------------------------------------------


def test_a_clip_that_cannot_be_read_is_named_and_nothing_is_written(
    tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey_clip(tmp_path / "good.mp4", pictures=12)
    (tmp_path / "torn.mp4").write_bytes(b"no video")
    (tmp_path / "labels.csv").write_text(
        "file,label,source\ngood.mp4,no_fight,a\ntorn.mp4,fight,b\n"
    )
    monkeypatch.setattr(site, "STATE_DIR", tmp_path / "state")
    environment = site.ENVIRONMENT.model_copy(update={"model_dir": model_dir})
    monkeypatch.setattr(site, "ENVIRONMENT", environment)
    out = tmp_path / "out"
    with pytest.raises(CommandError, match=r"labels\.csv, line 3: torn\.mp4: it cannot be decoded"):
        call_command("train_fights", str(tmp_path), out=out, processes=1)
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    grey_clip(tmp_path / "good.mp4", pictures=12)
    (tmp_path / "labels.csv").write_text("file,label,source\ngood.mp4,no_fight,a\n")
    with pytest.raises(CommandError, match=r"good\.mp4 is no folder that can be written"):
        call_command("train_fights", str(tmp_path), out=tmp_path / "good.mp4" / "models")


# --- real places ---------------------------------------------------------------------------------


def _judged(clip: Path, networks: Networks, seconds: float) -> Iterator[float]:
    """The probability of each place of nearness in each window of a clip's first seconds."""
    sights = []
    for at, picture in pictures(clip, View("judged", 5.0), 0):
        if at > seconds:
            break
        sights.append(networks.sight(at, picture))
    classifier = FightClassifier(networks.pose, FightModel())
    for window in windows(sights):
        for close_up in close_ups_of(window):
            yield classifier.look(close_up).opinions[0].probability


@pytest.mark.parametrize(
    "real_clip",
    ["scenes/plaza.avi", "scenes/people-one-by-one.mp4", "scenes/cars.mp4", "scenes/bottles.mp4"],
    indirect=True,
)
def test_no_window_of_a_quiet_place_is_a_fight(real_clip: Path, networks: Networks) -> None:
    assert max(_judged(real_clip, networks, seconds=20.0), default=0.0) < FightModel().threshold


@pytest.mark.parametrize("real_clip", ["fights/fight/fi094.mp4"], indirect=True)
def test_a_fight_is_one(real_clip: Path, networks: Networks) -> None:
    # A clip that the model was trained on: this holds the path together, not its accuracy.
    assert max(_judged(real_clip, networks, seconds=5.0)) > FightModel().threshold


@pytest.mark.parametrize("real_clip", ["fights/fight/fi094.mp4"], indirect=True)
def test_the_same_pictures_give_the_same_answer(real_clip: Path, networks: Networks) -> None:
    assert list(_judged(real_clip, networks, 5.0)) == list(_judged(real_clip, networks, 5.0))


def test_close_ups_of_another_size_are_refused(networks: Networks) -> None:
    close_up = CloseUp(WHOLE_PICTURE, WHOLE_PICTURE, (0.0,), np.zeros((1, 8, 8), np.uint8), ())
    with pytest.raises(DetectorError, match="run the same release everywhere"):
        FightClassifier(networks.pose, FightModel()).look(close_up)


# --- its price -----------------------------------------------------------------------------------


def test_four_people_at_five_pictures_a_second_leave_most_of_two_cores_free(
    networks: Networks,
) -> None:
    """CPU time, not wall time: other work on the machine must not decide this."""
    frame = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    couples = (
        [[200.0, 100, 240, 200], [250, 100, 290, 200]],
        [[450, 100, 490, 200], [500, 100, 540, 200]],
    )
    boxes = np.array([box for couple in couples for box in couple], np.float32)
    classifier = FightClassifier(networks.pose, FightModel())

    def one_camera_second(seconds: int) -> float:
        began = process_time()
        for number in range(5 * seconds):
            networks.sight(number / 5, frame)
        for _ in range(seconds):  # a window of two seconds, looked at each second
            grey = np.zeros((384, 640), np.uint8)
            close_ups = close_ups_of([Sight(n / 5, grey, boxes) for n in range(10)])
            assert len([classifier.look(close_up) for close_up in close_ups]) == 2
        return (process_time() - began) / seconds

    one_camera_second(1)  # first runs are slow
    price = one_camera_second(3)
    print(f"a camera with four people in two places: {price * 1000:.0f} ms CPU a second")
    assert price < 1.0
