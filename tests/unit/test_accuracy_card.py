"""The card's figures, worked out by hand on clips that nobody has filmed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detection.domain.crimes import CrimeType
from detection.domain.episodes import Thresholds
from detection.evaluation import figures
from detection.evaluation.card import judged_types, make_card
from detection.evaluation.figures import Judged
from detection.evaluation.labels import crime_of, fault_of_label, is_wrong
from detection.evaluation.tables import notes, overview, split
from detection.evaluation.viewings import CONFIRMED, NAMED, OPENED, Step, Viewing, alarms
from detection.labelled_clips import LabelledClip

FIGHTING, ASSAULT, THEFT = CrimeType.FIGHTING, CrimeType.ASSAULT, CrimeType.THEFT
THRESHOLDS = {crime: Thresholds(50.0, 80.0) for crime in CrimeType}


def seen(
    label: str,
    *said: tuple[float, CrimeType, float],
    source: str = "s",
    steps: tuple[Step, ...] = (),
    seconds: float = 10.0,
    brightness: float = 120.0,
    height: float | None = 0.3,
    **clip: Any,
) -> Viewing:
    """A clip of ten seconds of which this was said."""
    name = f"{label}-{source}.mp4"
    labelled = LabelledClip(Path(name), name, label, source, **clip)
    return Viewing(
        clip=labelled,
        sha256=name,
        seconds=seconds,
        pictures=50,
        brightness=brightness,
        height=height,
        confidences=said,
        steps=steps,
    )


FOUR = [
    seen("fight", (1.0, FIGHTING, 90.0), source="a"),
    seen("fight", (1.0, FIGHTING, 40.0), source="b"),
    seen("normal", (1.0, FIGHTING, 60.0), source="c"),
    seen("no_fight", (1.0, FIGHTING, 10.0), source="d"),
]

# --- labels --------------------------------------------------------------------------------------


def test_plain_words_name_crimes_and_none() -> None:
    assert crime_of("Fight") is crime_of("fighting") is FIGHTING
    assert crime_of("break-in") is CrimeType.BREAK_IN
    assert crime_of("suspicious activity") is CrimeType.SUSPICIOUS_ACTIVITY
    assert crime_of("no_fight") is crime_of("Normal") is crime_of("none") is None
    assert "unknown label 'brawl'" in fault_of_label("brawl")


def test_a_suspicion_that_belongs_to_the_act_is_not_wrong() -> None:
    assert not is_wrong(ASSAULT, FIGHTING)
    assert not is_wrong(ASSAULT, CrimeType.ROBBERY)
    assert not is_wrong(CrimeType.SUSPICIOUS_ACTIVITY, THEFT)
    assert is_wrong(THEFT, FIGHTING)
    assert is_wrong(CrimeType.SUSPICIOUS_ACTIVITY, None)


# --- scores --------------------------------------------------------------------------------------


def test_the_score_is_the_surest_moment_of_the_rules() -> None:
    assert seen("fight", (1.0, FIGHTING, 55.0), (2.0, FIGHTING, 50.0)).score(FIGHTING) == 55
    assert seen("fight").score(FIGHTING) == 0


def test_assault_counts_where_the_label_says_fight() -> None:
    assert seen("fight", (1.0, ASSAULT, 70.0)).score(FIGHTING) == 70
    assert seen("fight", (1.0, THEFT, 70.0)).score(FIGHTING) == 0


def test_what_is_said_outside_the_act_does_not_count_as_seeing_it() -> None:
    early, late, within = (1.0, THEFT, 90.0), (9.6, THEFT, 80.0), (4.5, THEFT, 60.0)
    act: dict[str, Any] = {"began": 3.0, "ended": 4.0}
    assert seen("theft", early, late, **act).score(THEFT) == 0
    assert seen("theft", early, late, within, **act).score(THEFT) == 60  # up to 5 s after it


def test_a_clip_of_another_crime_is_not_judged_where_it_may_be_part_of_it() -> None:
    clips = [seen("robbery"), seen("fight"), seen("theft"), seen("normal")]
    used = Judged.of(FIGHTING, clips, 50.0)
    assert [viewing.clip.label for viewing in used.viewings] == ["fight", "theft", "normal"]
    assert used.truth.tolist() == [True, False, False]


# --- rates ---------------------------------------------------------------------------------------


def test_the_rates_of_four_clips() -> None:
    assert figures.rates(Judged.of(FIGHTING, FOUR, 50.0)) == {
        "clips": 4,
        "showing it": 2,
        "auc": 0.75,
        "accuracy": 0.5,
        "precision": 0.5,
        "recall": 0.5,
    }


def test_what_cannot_be_known_is_not_said() -> None:
    only = figures.rates(Judged.of(FIGHTING, FOUR[3:], 50.0))
    assert (only["auc"], only["precision"], only["recall"]) == (None, None, None)
    assert figures.intervals(Judged.of(FIGHTING, FOUR[:2], 50.0), 0)["auc"] is None


def test_sources_are_drawn_for_an_interval_and_not_clips() -> None:
    # Both clips of a source are alike: as clips 4 of 8 would hardly ever give 0 or 1.
    alike = [
        seen("fight", (1.0, FIGHTING, 90.0), source="a"),
        seen("fight", (1.0, FIGHTING, 90.0), source="a"),
        seen("fight", (1.0, FIGHTING, 10.0), source="b"),
        seen("fight", (1.0, FIGHTING, 10.0), source="b"),
        *(seen("normal", source="c") for _ in range(4)),
    ]
    ends = figures.intervals(Judged.of(FIGHTING, alike, 50.0), 0)
    assert ends["recall"] == [0.0, 1.0]
    assert ends == figures.intervals(Judged.of(FIGHTING, alike, 50.0), 0)


# --- episodes ------------------------------------------------------------------------------------


def test_delays_are_counted_from_where_the_act_began() -> None:
    clips = [
        seen("theft", began=2.0, steps=(Step(3.5, OPENED, THEFT), Step(6.0, CONFIRMED, THEFT))),
        seen("theft", steps=(Step(2.5, OPENED, THEFT),)),
        seen("theft", steps=(Step(1.0, OPENED, FIGHTING), Step(4.5, NAMED, THEFT))),
        seen("theft"),
        seen("normal", steps=(Step(1.0, OPENED, THEFT),)),
    ]
    told = figures.alerted(Judged.of(THEFT, clips, 50.0))
    assert told["alert"] == {
        "precision": 0.75,
        "recall": 0.75,
        "seconds": {"median": 2.5, "longest": 4.5, "clips": 3, "clips whose act is dated": 1},
    }
    assert told["crime"]["recall"] == 0.25
    assert told["crime"]["seconds"]["median"] == 4.0


def test_episodes_while_nothing_happens_are_false() -> None:
    hour: dict[str, Any] = {"seconds": 3600.0}
    clips = [
        seen("normal", steps=(Step(5.0, OPENED, THEFT), Step(50.0, OPENED, THEFT)), **hour),
        # Half an hour of it is the act: only what opened before it is false.
        seen(
            "theft",
            began=1800.0,
            steps=(Step(5.0, OPENED, FIGHTING), Step(1801.0, OPENED, THEFT)),
            **hour,
        ),
    ]
    all_types = figures.false_episodes(clips, frozenset(CrimeType))
    assert all_types["count"] == 3
    assert all_types["quiet hours"] == 1.5
    assert all_types["per camera-hour"] == 2.0
    assert figures.false_episodes(clips, frozenset({FIGHTING}))["count"] == 1


def test_no_false_episode_in_an_hour_may_still_be_three_in_the_next() -> None:
    quiet = figures.false_episodes([seen("normal", seconds=3600.0)], frozenset(CrimeType))
    # Poisson: with 3.69 an hour, none is seen in one hour of forty.
    assert quiet["per camera-hour 95 %"] == [0.0, pytest.approx(3.689, abs=0.001)]


def test_alarms_close_together_are_one() -> None:
    curve = ((1.0, 60.0), (2.0, 40.0), (5.0, 60.0), (10.5, 50.0), (11.0, 90.0))
    assert [alarms(curve, threshold) for threshold in (50.0, 80.0, 95.0)] == [2, 1, 0]


def test_recall_at_one_false_alarm_an_hour() -> None:
    quiet = seen("normal", (10.0, THEFT, 70.0), (900.0, THEFT, 60.0), seconds=3600.0)
    thefts = [seen("theft", (1.0, THEFT, value)) for value in (90.0, 65.0, 55.0, 0.0)]
    found = figures.recall_at_false_alarms(Judged.of(THEFT, [quiet, *thefts], 50.0))
    # At 65 quiet footage alarms once, at 55 twice.
    assert (found["recall"], found["threshold"], found["false alarms allowed"]) == (0.5, 65.0, 1)


def test_in_less_than_an_hour_no_false_alarm_is_allowed() -> None:
    quiet = seen("normal", (10.0, THEFT, 70.0), seconds=600.0)
    thefts = [seen("theft", (1.0, THEFT, value)) for value in (90.0, 65.0)]
    found = figures.recall_at_false_alarms(Judged.of(THEFT, [quiet, *thefts], 50.0))
    assert (found["recall"], found["false alarms allowed"]) == (0.5, 0)


# --- splits --------------------------------------------------------------------------------------


def test_light_is_measured_where_nobody_says_it() -> None:
    assert seen("normal", brightness=40.0).light == "night"
    assert seen("normal", brightness=40.0, light="day").light == "day"


@pytest.mark.parametrize(
    ("height", "size"),
    [(None, "nobody seen"), (0.1, "small"), (0.2, "medium"), (0.5, "large")],
)
def test_the_size_of_people_is_their_share_of_the_picture(height: float | None, size: str) -> None:
    assert seen("normal", height=height).size == size


# --- the card ------------------------------------------------------------------------------------


def test_the_card_has_each_type_that_has_clips_and_no_other() -> None:
    clips = [*FOUR, seen("theft", source="e")]
    types = judged_types(clips, THRESHOLDS)
    card = make_card(clips, types, frozenset(), 0)
    assert set(card) == {"fighting", "theft", "about"}
    assert card["fighting"]["clips"] == 5
    assert card["fighting"]["by"]["source"]["a"]["recall"] == 1.0
    assert set(card["fighting"]["by"]) == {"source", "light", "people"}
    assert json.dumps(card) == json.dumps(make_card(clips, types, frozenset(), 0))


def test_clips_that_the_model_was_trained_on_are_counted_and_said() -> None:
    types = judged_types(FOUR, THRESHOLDS)
    told = make_card(FOUR, types, frozenset({"fight-a.mp4", "normal-c.mp4"}), 0)
    assert told["fighting"]["clips trained on"] == 2
    told["about"]["cross-validated"] = False
    assert any("2 of these clips are those that the shipped" in note for note in notes(told))
    held_out = make_card(FOUR, types, frozenset({"another"}), 0)
    held_out["about"]["cross-validated"] = False
    assert not any("trained on" in note for note in notes(held_out))


def test_the_tables_say_what_the_card_says() -> None:
    card = make_card(FOUR, judged_types(FOUR, THRESHOLDS), frozenset(), 0)
    rows = {row[0]: row[1] for row in overview(card).rows}
    assert rows["clips showing it"] == "2 of 4"
    assert rows["AUC"].startswith("0.750 (")
    assert rows["alerts: recall"] == "0.000"
    assert rows["alerts: precision"] == "–"
    assert split(card, "fighting", "light").markdown().splitlines() == [
        "| light | clips showing it | AUC | accuracy | precision | recall |",
        "| --- | --- | --- | --- | --- | --- |",
        "| day | 2 of 4 | 0.750 | 0.500 | 0.500 | 0.500 |",
    ]


def test_scikit_learn_ranks_ties_by_half() -> None:
    tied = [seen("fight", source="a"), seen("normal", source="b")]
    assert figures.rates(Judged.of(FIGHTING, tied, 50.0))["auc"] == 0.5
    curve = figures.roc(Judged.of(FIGHTING, FOUR, 50.0))
    assert curve is not None
    assert np.allclose(curve, ([0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1]))
