"""Training refuses bad lists by line, and never tests on a video that it has seen."""

import json
from pathlib import Path

import numpy as np
import pytest

from detection.behaviour.fight_features import VECTOR_LENGTH
from detection.training import figures
from detection.training.cross_validation import folds, predict_unseen
from detection.training.extraction import ClipVectors
from detection.training.fitting import (
    Settings,
    alarm_threshold,
    calibrated,
    calibration,
    clip_probability,
    fit,
)
from detection.training.labelled_clips import LabelledClip, TrainingError, read_labelled_clips

REPOSITORY = Path(__file__).resolve().parents[2]
ONE = [Settings(0.01, 1.0)]


def _list(folder: Path, *lines: str, header: str = "file,label,source") -> Path:
    (folder / "a.mp4").touch()
    (folder / "b.mp4").touch()
    (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_a_good_list_is_read_in_its_order(tmp_path: Path) -> None:
    found = read_labelled_clips(_list(tmp_path, "b.mp4,no_fight,s1", "a.mp4,fight,s2"))
    assert [(c.name, c.is_fight, c.source, c.line) for c in found] == [
        ("b.mp4", False, "s1", 2),
        ("a.mp4", True, "s2", 3),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("b.mp4,brawl,s1", "line 3: unknown label 'brawl', use fight or no_fight"),
        ("c.mp4,fight,s1", "line 3: there is no clip 'c.mp4'"),
        ("b.mp4,fight", "line 3: expected a file, a label and a source"),
        ("b.mp4,fight,s1,more", "line 3: expected a file, a label and a source"),
        ("../b.mp4,fight,s1", "line 3: '../b.mp4' lies outside the folder"),
        ("a.mp4,fight,s1", "line 3: 'a.mp4' is listed before"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(TrainingError) as caught:
        read_labelled_clips(_list(tmp_path, "a.mp4,fight,s1", line))
    assert told in str(caught.value)


def test_every_faulty_line_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"line 2: .*; line 3: "):
        read_labelled_clips(_list(tmp_path, "a.mp4,x,s1", "c.mp4,fight,s1"))


def test_other_columns_and_a_missing_list_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_labelled_clips(tmp_path)
    with pytest.raises(TrainingError, match=r"line 1: the columns must be file,label,source"):
        read_labelled_clips(_list(tmp_path, header="clip,label"))


# --- folds and fitting, on made vectors ---------------------------------------------------------


def _made(sources: int = 10, seed: int = 0, shift: float = 3.0) -> list[ClipVectors]:
    """A fight and another clip of each source; fights are `shift` higher in 20 features."""
    randomness = np.random.default_rng(seed)
    made = []
    for source in range(sources):
        for is_fight in (True, False):
            vectors = randomness.standard_normal((2, VECTOR_LENGTH)).astype(np.float32)
            vectors[:, 70:90] += shift * is_fight
            vectors[0, 3] = np.nan
            name = f"{is_fight}-{source}.mp4"
            clip = LabelledClip(Path(name), name, is_fight, f"s{source}", 2)
            made.append(ClipVectors(clip, vectors))
    return made


def test_no_source_is_trained_and_tested_on_and_each_clip_is_tested_once() -> None:
    clips = [made.clip for made in _made()]
    tested: list[int] = []
    for train, test in folds(clips, 5, seed=1):
        assert not {clips[n].source for n in train} & {clips[n].source for n in test}
        tested += test
    assert sorted(tested) == list(range(len(clips)))


def test_too_few_sources_are_refused() -> None:
    with pytest.raises(TrainingError, match="'fight' clips come from 4 sources, 5 are needed"):
        folds([made.clip for made in _made(sources=4)], 5, seed=0)


def test_answers_that_only_the_source_tells_are_not_learned() -> None:
    # Each source has a feature of its own that tells its label; unseen, it tells nothing.
    randomness = np.random.default_rng(3)
    made = []
    for source in range(20):
        mark = randomness.standard_normal(VECTOR_LENGTH).astype(np.float32) * 3
        for number in range(2):
            vectors = (mark + randomness.standard_normal(VECTOR_LENGTH) / 10).astype(np.float32)
            clip = LabelledClip(Path("x"), f"{source}-{number}", source % 2 == 0, f"s{source}", 2)
            made.append(ClipVectors(clip, vectors[None]))
    said = predict_unseen({"plain": made}, ["plain"], "plain", seed=0).probabilities["plain"]
    assert figures.auc(np.array([m.clip.is_fight for m in made]), said) < 0.8


def test_what_all_sources_share_is_learned_and_twice_the_same() -> None:
    made = _made(sources=15)
    said = predict_unseen({"plain": made}, ["plain"], "plain", seed=0).probabilities["plain"]
    assert figures.auc(np.array([m.clip.is_fight for m in made]), said) > 0.8
    assert np.array_equal(fit(made, ONE).weights, fit(made, ONE).weights)


def test_a_clip_without_a_pair_is_no_fight() -> None:
    model = fit(_made(), ONE)
    clip = LabelledClip(Path("x"), "x", True, "s", 2)
    assert clip_probability(model, ClipVectors(clip, np.empty((0, VECTOR_LENGTH), np.float32))) == 0


def test_of_a_fight_with_bystanders_the_fight_is_learned() -> None:
    made = _made(sources=20)
    # A second place in each clip of a fight, where people only stand.
    for number, one in enumerate(made):
        if one.clip.is_fight:
            calm = made[number + 1].vectors
            made[number] = ClipVectors(one.clip, np.concatenate([one.vectors, calm, calm]))
    model = fit(made, ONE)
    calm_logits = np.concatenate([one.vectors for one in made if not one.clip.is_fight])
    assert np.mean(model.logits(calm_logits) < 0) > 0.95


def test_a_calibrated_probability_is_a_share() -> None:
    # Logits twice too bold and one too high: of those said 0.9 far fewer are fights.
    randomness = np.random.default_rng(0)
    truth = randomness.normal(0, 1.5, 4000)
    fights = randomness.random(4000) < 1 / (1 + np.exp(-truth))
    slope, shift = calibration(truth * 2 + 1, fights)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert shift == pytest.approx(-0.5, abs=0.1)
    model = fit(_made(), ONE)
    vectors = _made()[0].vectors
    expected = model.logits(vectors) * slope + shift
    assert np.allclose(calibrated(model, slope, shift).logits(vectors), expected)


def test_the_alarm_threshold_lets_one_in_twenty_others_through() -> None:
    others = np.arange(40) / 100  # 0.00 to 0.39
    said = np.concatenate([others, [0.9, 0.1]])
    fights = np.array([False] * 40 + [True] * 2)
    threshold = alarm_threshold(said, fights)
    assert threshold == pytest.approx(0.38)
    assert (others >= threshold).sum() <= 2


# --- figures, worked out by hand -----------------------------------------------------------------

FIGHTS = np.array([True, True, False, False])
SAID = np.array([0.9, 0.4, 0.6, 0.1])


def test_the_figures_of_four_clips() -> None:
    assert figures.auc(FIGHTS, SAID) == 0.75
    assert figures.accuracy(FIGHTS, SAID) == 0.5
    assert figures.precision(FIGHTS, SAID) == 0.5
    assert figures.recall(FIGHTS, SAID) == 0.5


def test_within_a_source_only_its_own_pairs_count() -> None:
    assert figures.auc_within_sources(FIGHTS, SAID, ["a", "b", "a", "b"]) == (1.0, 2)
    assert figures.auc_within_sources(FIGHTS, SAID, ["a", "b", "b", "a"]) == (0.5, 2)


def test_sources_are_drawn_and_not_clips() -> None:
    # All clips of a source are equal: drawn whole, a perfect answer stays perfect.
    assert figures.interval(figures.auc, FIGHTS, FIGHTS * 1.0, ["a", "b", "c", "d"], 0) == (1, 1)
    low, high = figures.interval(figures.auc, FIGHTS, SAID, ["a", "b", "c", "d"], 0)
    assert low == 0 and high == 1


# --- the card ------------------------------------------------------------------------------------


def test_the_document_says_what_the_card_says() -> None:
    card = json.loads((REPOSITORY / "detection/detectors/models/fights.json").read_text())
    text = (REPOSITORY / "docs/models/fights.md").read_text()
    found, views = card["figures"], card["other views"]
    for value in (
        found["auc"],
        found["accuracy"],
        found["precision"],
        found["recall"],
        *found["auc 95 %"],
        *found["accuracy 95 %"],
        found["auc within sources"],
        *(views[name][figure] for name in views for figure in ("auc", "accuracy")),
        *(found["at the alarm threshold"][name] for name in ("accuracy", "precision", "recall")),
    ):
        assert f"{value:.3f}" in text, value
    assert f"alarm threshold is {card['threshold']:.2f}" in text
    assert f"{card['without a pair']['fights']} of the {card['data']['fights']} fights" in text
