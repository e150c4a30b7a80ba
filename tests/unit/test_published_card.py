"""The card in the documents is the one that the command wrote."""

import json
from pathlib import Path

from detection.evaluation.card import ABOUT
from detection.evaluation.tables import overview, split

REPOSITORY = Path(__file__).resolve().parents[2]
CARD = json.loads((REPOSITORY / "docs" / "accuracy.json").read_text())
README = (REPOSITORY / "README.md").read_text()
ACCURACY = (REPOSITORY / "docs" / "accuracy.md").read_text()


def test_the_readme_shows_the_card_of_the_shipped_defaults() -> None:
    assert overview(CARD).markdown() in README


def test_the_page_of_the_card_shows_its_parts() -> None:
    for crime in CARD.keys() - {ABOUT}:
        for by in ("light", "people"):
            assert split(CARD, crime, by).markdown() in ACCURACY


def test_what_is_published_is_said_of_clips_that_no_model_was_trained_on() -> None:
    assert CARD[ABOUT]["cross-validated"] is True
    assert CARD[ABOUT]["clips trained on"] == 0
