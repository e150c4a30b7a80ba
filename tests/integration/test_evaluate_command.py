"""`manage.py evaluate`: what it refuses, what it writes, and that it says the same twice."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command

from detection.evaluation.judging import view
from detection.labelled_clips import LabelledClip
from tests.clips import grey_clip
from tests.conftest import CLIPS


@pytest.fixture(autouse=True)
def _shared_weights(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = site.ENVIRONMENT.model_copy(update={"model_dir": model_dir})
    monkeypatch.setattr(site, "ENVIRONMENT", environment)


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """A folder per label, of clips without anybody."""
    for label, level in (("theft", 100), ("normal", 20)):
        folder = tmp_path / "clips" / label
        folder.mkdir(parents=True)
        grey_clip(folder / f"{label}.mp4", pictures=15, level=level)
    return tmp_path / "clips"


def evaluate(*folders: Path, **options: object) -> str:
    out = StringIO()
    call_command("evaluate", *map(str, folders), processes=1, stdout=out, **options)
    return out.getvalue()


def refusal(*folders: Path, **options: object) -> str:
    with pytest.raises(CommandError) as caught:
        evaluate(*folders, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


# --- what is refused -----------------------------------------------------------------------------


def test_a_clip_that_cannot_be_read_is_named_and_nothing_is_written(grey: Path) -> None:
    (grey / "theft" / "torn.mp4").write_bytes(b"no video")
    told = refusal(grey, json=grey / "card.json", plots=grey / "plots")
    assert "theft/torn.mp4: it cannot be read" in told
    assert not (grey / "card.json").exists() and not (grey / "plots").exists()


def test_every_unreadable_clip_is_named_with_its_line(grey: Path) -> None:
    (grey / "a.mp4").write_bytes(b"no video")
    (grey / "b.mp4").write_bytes(b"")
    (grey / "labels.csv").write_text("file,label,source\na.mp4,theft,s\nb.mp4,normal,t\n")
    told = refusal(grey)
    assert "labels.csv, line 2: a.mp4" in told and "labels.csv, line 3: b.mp4" in told


def test_an_unknown_label_is_named_with_what_there_is(grey: Path) -> None:
    (grey / "brawl").mkdir()
    told = refusal(grey)
    assert "unknown label 'brawl'" in told and "trespassing" in told and "no_fight" in told


def test_zones_that_cannot_be_read_are_named_with_their_file(grey: Path) -> None:
    (grey / "theft" / "zones.json").write_text('[{"name": "yard", "kind": "garden"}]')
    assert "zones.json: zone 1 “yard”" in refusal(grey)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(grey: Path) -> None:
    clip = grey / "theft" / "theft.mp4"
    assert "cannot be written" in refusal(grey, json=clip / "card.json")
    assert "is no folder" in refusal(grey, plots=clip)
    assert "is a folder" in refusal(grey, json=grey)


def test_options_out_of_range_are_refused(grey: Path) -> None:
    assert "--seed starts at 0" in refusal(grey, seed=-1)
    assert "takes one DIR" in refusal(grey, grey, cross_validated=True)
    # A model is tested on sources it has not seen, so the list must name them.
    assert "labels.csv cannot be read" in refusal(grey, cross_validated=True)


# --- what is said --------------------------------------------------------------------------------


def test_a_clip_in_which_nothing_is_seen(grey: Path) -> None:
    clip = LabelledClip(grey / "normal" / "normal.mp4", "normal.mp4", "normal", "s")
    found = view(clip)
    # 15 frames at 15 a second, each fifth judged.
    assert found.pictures == 3
    assert found.seconds == pytest.approx(1.0)
    assert (found.height, found.confidences, found.steps) == (None, (), ())
    assert found.brightness == pytest.approx(20, abs=6)
    assert found.light == "night"


def test_the_card_is_the_same_bytes_twice_and_in_every_form(grey: Path, tmp_path: Path) -> None:
    said = evaluate(
        grey, quiet=[grey / "normal"], json=tmp_path / "one.json", plots=tmp_path / "plots"
    )
    evaluate(grey, quiet=[grey / "normal"], json=tmp_path / "two.json", plots=tmp_path / "again")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    card = json.loads((tmp_path / "one.json").read_text())
    assert set(card) == {"theft", "about"}
    assert (card["theft"]["clips"], card["theft"]["auc"], card["theft"]["recall"]) == (3, 0.5, 0.0)
    assert card["about"]["clips"] == 3
    assert "1 of 3" in said and "less than an hour" in said
    for name in ("roc.png", "confidence-theft.png"):
        assert (tmp_path / "plots" / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert (tmp_path / "plots" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert "| clips showing it | 1 of 2 |" in evaluate(grey, markdown=True)


@pytest.mark.parametrize("real_clip", ["fights/labels.csv"], indirect=True)
def test_real_fights_are_judged_and_told_to_be_those_trained_on(
    real_clip: Path, tmp_path: Path
) -> None:
    names = ("fight/fi094.mp4", "fight/fi001.mp4", "no_fight/nofi001.mp4", "no_fight/nofi011.mp4")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(CLIPS / "fights" / name)
    said = evaluate(tmp_path, json=tmp_path / "one.json")
    evaluate(tmp_path, json=tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    found = json.loads((tmp_path / "one.json").read_text())["fighting"]
    assert (found["clips"], found["showing it"], found["clips trained on"]) == (4, 2, 4)
    assert found["auc"] is not None and 0 <= found["accuracy"] <= 1
    assert "how well it remembers" in " ".join(said.split())
