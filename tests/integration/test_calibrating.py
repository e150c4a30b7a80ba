"""Verdicts become suggestions; a suggestion is applied by one call and undone by one."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from detection.domain.crimes import CrimeType
from detection.models import (
    AuditRecord,
    Camera,
    Episode,
    ReviewStep,
    Site,
    StationAccess,
    ThresholdSuggestion,
    WatchedTime,
)
from detection.services import retention, setups
from detection.services.calibration import calibrate
from detection.services.review_bulk import dismiss_episodes
from detection.services.review_flags import escalate_episode, hold_episode
from detection.services.review_steps import Actor
from detection.services.review_undoing import undo_step
from detection.services.suggestions import NotPossible, apply_suggestion, undo_suggestion

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def officer() -> User:
    return User.objects.create_user("officer", password="x")


@pytest.fixture
def yard() -> Camera:
    return a_camera(1, "Yard")


def a_camera(number: int, name: str, days: float = 10) -> Camera:
    """A camera that was watched for so many days."""
    camera = Camera.objects.create(registry="local", name=name, external_id=number)
    if days:
        began_at = NOW - timedelta(days=days)
        WatchedTime.objects.create(camera=camera, began_at=began_at, ended_at=NOW)
    return camera


def episodes(camera: Camera, count: int, confidence: float, **fields: Any) -> list[Episode]:
    at = fields.pop("started_at", NOW - timedelta(days=5))
    values: dict[str, Any] = {"crime_type": "trespassing", "status": "cleared", "ended_at": at}
    return [
        Episode.objects.create(
            camera=camera,
            claim_token=1,
            confidence=confidence,
            started_at=at,
            alerted_at=at,
            decided_at=at,
            **values | fields,
        )
        for _ in range(count)
    ]


def history(camera: Camera, crime_type: str = "trespassing") -> list[Episode]:
    """Five false alarms a day in ten days at 55 %, five in all at 65 %, crimes at 60 and 90 %.

    Returns the two crimes at 60 %.
    """
    about = {"crime_type": crime_type}
    episodes(camera, 50, 55, verdict="dismissed", **about)
    episodes(camera, 5, 65, verdict="dismissed", **about)
    episodes(camera, 20, 90, verdict="confirmed", **about)
    return episodes(camera, 2, 60, verdict="confirmed", **about)


def alert_of(camera: Camera) -> float:
    return setups.load_setup(camera.pk).settings.thresholds_of(CrimeType.TRESPASSING).alert


# --- suggestions ---------------------------------------------------------------------------------


def test_the_lowest_threshold_that_keeps_the_budget_is_suggested(yard: Camera) -> None:
    history(yard)
    (made,) = calibrate(at=NOW, budget=2)
    assert (made.today, made.suggested) == (50, 56)
    assert (made.confirmed, made.dismissed, made.is_pooled) == (22, 55, False)
    assert made.days_watched == 10
    assert made.effect == {
        "dismissed": 55,
        "dismissed_gone": 50,
        "confirmed": 22,
        "confirmed_lost": [],
        "per_day_today": 5.5,
        "per_day_then": 0.5,
    }
    assert made.curve["method"] == "Platt"
    assert made.note == ""


def test_confirmed_episodes_that_a_threshold_would_lose_are_named(yard: Camera) -> None:
    lost = history(yard)
    (made,) = calibrate(at=NOW, budget=0)
    assert made.suggested == 66
    assert sorted(made.effect["confirmed_lost"]) == sorted(str(episode.pk) for episode in lost)


def test_a_budget_that_is_kept_suggests_no_change(yard: Camera) -> None:
    history(yard)
    (made,) = calibrate(at=NOW, budget=6)
    assert (made.suggested, made.is_change) == (50, False)


def test_too_few_verdicts_say_how_many_are_missing(yard: Camera) -> None:
    episodes(yard, 20, 55, verdict="dismissed")
    (made,) = calibrate(at=NOW)
    assert made.suggested is None
    assert "10 more verdicts needed" in made.note
    assert "points" not in made.curve


def test_a_camera_with_too_few_verdicts_learns_from_all_cameras(yard: Camera) -> None:
    history(a_camera(2, "Gate", days=9))
    episodes(yard, 1, 55, verdict="dismissed")
    gate, here = calibrate(at=NOW, budget=2)
    assert (gate.camera.name, gate.is_pooled) == ("Gate", False)
    assert (here.camera.name, here.is_pooled, here.suggested) == ("Yard", True, 56)
    assert here.days_watched == 19
    assert (here.effect["dismissed_gone"], here.effect["confirmed"]) == (1, 0)


def test_the_budget_is_of_all_crime_types_together(yard: Camera) -> None:
    """Each type alone keeps a budget of six; both together do not."""
    history(yard)
    history(yard, "theft")
    made = calibrate(at=NOW, budget=6)
    assert sorted(row.suggested for row in made if row.suggested) == [50, 56]
    assert sum(row.effect["per_day_then"] for row in made) == 6.0


def test_all_dismissed_has_a_threshold_and_no_curve(yard: Camera) -> None:
    episodes(yard, 40, 55, verdict="dismissed")
    (made,) = calibrate(at=NOW, budget=2)
    assert (made.suggested, made.note) == (56, "no curve: 5 more confirmed needed")


def test_all_confirmed_is_left_as_it_is(yard: Camera) -> None:
    episodes(yard, 40, 55, verdict="confirmed")
    (made,) = calibrate(at=NOW, budget=0)
    assert (made.suggested, made.is_change) == (50, False)


def test_a_budget_that_cannot_be_kept_is_said(yard: Camera) -> None:
    episodes(yard, 100, 95, verdict="dismissed")
    (made,) = calibrate(at=NOW, budget=2)
    assert "cannot be kept: 10.0 a day would remain" in made.note


def test_no_budget_is_worth_more_than_a_tenth_of_the_crimes(yard: Camera) -> None:
    """And where the surer episodes are the wrong ones, that is said."""
    episodes(yard, 20, 55, verdict="confirmed")
    episodes(yard, 100, 70, verdict="dismissed")
    (made,) = calibrate(at=NOW, budget=2)
    assert made.suggested == 50
    assert "10 % of the confirmed lost at most" in made.note
    assert "a higher confidence was not right more often" in made.note


def test_drills_old_and_unreviewed_episodes_do_not_count(yard: Camera) -> None:
    episodes(yard, 40, 55, verdict="dismissed", dismiss_reason="test")
    episodes(yard, 40, 55, verdict="dismissed", started_at=NOW - timedelta(days=91))
    episodes(yard, 3, 55, verdict="confirmed")
    episodes(yard, 7, 55)
    (made,) = calibrate(at=NOW)
    assert (made.confirmed, made.dismissed, made.unreviewed) == (3, 0, 7)


def test_a_verdict_that_was_undone_does_not_count_and_an_escalation_changes_nothing(
    yard: Camera, officer: User
) -> None:
    StationAccess.objects.create(user=officer, all_stations=True)
    by = Actor(officer)
    first, second = episodes(yard, 2, 55)
    for one in (first, second):
        dismiss_episodes(episode_ids=[one.pk], reason="no_crime", by=by)
    escalate_episode(episode_id=second.pk, by=by)
    hold_episode(episode_id=second.pk, by=by)
    (made,) = calibrate(at=NOW)
    assert (made.dismissed, made.unreviewed) == (2, 0)
    steps = ReviewStep.objects.filter(act="dismissed")
    undo_step(episode_id=first.pk, by=by, step_id=steps.get(episode=first).pk)
    (made,) = calibrate(at=NOW)
    assert (made.dismissed, made.unreviewed) == (1, 1)
    undo_step(episode_id=second.pk, by=by, step_id=steps.get(episode=second).pk)
    assert calibrate(at=NOW) == []
    assert not ThresholdSuggestion.objects.exists(), "nothing is suggested by what was undone"


def test_where_coverage_is_not_known_days_count_from_the_first_verdict() -> None:
    episodes(a_camera(3, "Old", days=0), 40, 55, verdict="dismissed")
    (made,) = calibrate(at=NOW)
    assert made.days_watched == 5


def test_a_new_calculation_takes_the_place_of_what_nobody_applied(
    yard: Camera, officer: User
) -> None:
    history(yard)
    (first,) = calibrate(at=NOW, budget=2)
    calibrate(at=NOW, budget=6)
    assert [row.budget for row in ThresholdSuggestion.objects.all()] == [6]
    with pytest.raises(NotPossible, match="a newer calculation"):
        apply_suggestion(suggestion_id=first.pk, by=officer)


def test_old_suggestions_go(yard: Camera) -> None:
    history(yard)
    calibrate(at=NOW)
    retention.prune_tables(retention.TABLES, at=NOW + timedelta(days=366))
    assert not ThresholdSuggestion.objects.exists()


# --- applied and undone --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"loitering": {"dwell_seconds": 90}},
        {"thresholds": {"trespassing": {"crime": 85}}},
        {"thresholds": {"trespassing": {"alert": 52}, "theft": {"alert": 60}}},
    ],
)
def test_applying_and_undoing_leave_exactly_what_was(
    yard: Camera, officer: User, before: dict[str, Any]
) -> None:
    Camera.objects.filter(pk=yard.pk).update(rule_settings=before)
    history(yard)
    (made,) = calibrate(at=NOW, budget=2)
    apply_suggestion(suggestion_id=made.pk, by=officer)
    assert alert_of(yard) == 56
    with pytest.raises(NotPossible, match="applied before"):
        apply_suggestion(suggestion_id=made.pk, by=officer)
    undo_suggestion(suggestion_id=made.pk, by=officer)
    assert Camera.objects.get(pk=yard.pk).rule_settings == before
    with pytest.raises(NotPossible, match="not applied"):
        undo_suggestion(suggestion_id=made.pk, by=officer)


def test_each_change_is_on_the_audit_trail(yard: Camera, officer: User) -> None:
    history(yard)
    (made,) = calibrate(at=NOW, budget=2)
    apply_suggestion(suggestion_id=made.pk, by=officer)
    undo_suggestion(suggestion_id=made.pk, by=officer)
    records = AuditRecord.objects.filter(object_type="detection.camera").order_by("pk")
    name = "thresholds.trespassing.alert"
    assert [(r.username, r.details["settings"][name]) for r in records] == [
        ("officer", [None, 56]),
        ("officer", [56, None]),
    ]


def test_what_somebody_changed_since_is_not_undone(yard: Camera, officer: User) -> None:
    history(yard)
    (made,) = calibrate(at=NOW, budget=2)
    apply_suggestion(suggestion_id=made.pk, by=officer)
    theirs = {"thresholds": {"trespassing": {"alert": 61}}}
    Camera.objects.filter(pk=yard.pk).update(rule_settings=theirs)
    with pytest.raises(NotPossible, match="changed since, to 61"):
        undo_suggestion(suggestion_id=made.pk, by=officer)
    assert Camera.objects.get(pk=yard.pk).rule_settings == theirs


def test_a_suggestion_for_a_threshold_that_is_no_longer_in_force_is_not_applied(
    yard: Camera, officer: User
) -> None:
    history(yard)
    (made,) = calibrate(at=NOW, budget=2)
    Site.objects.create(pk=1, rule_settings={"thresholds": {"trespassing": {"alert": 53}}})
    with pytest.raises(NotPossible, match="changed to 53 since"):
        apply_suggestion(suggestion_id=made.pk, by=officer)
    assert Camera.objects.get(pk=yard.pk).rule_settings == {}


def test_a_suggestion_without_a_threshold_is_not_applied(yard: Camera, officer: User) -> None:
    episodes(yard, 3, 55, verdict="dismissed")
    (made,) = calibrate(at=NOW)
    with pytest.raises(NotPossible, match="no other threshold"):
        apply_suggestion(suggestion_id=made.pk, by=officer)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_says_what_it_learnt_and_changes_nothing(
    yard: Camera, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history(yard)
    out = tmp_path / "out.json"
    call_command("calibrate", "--budget", "2", "--camera", str(yard.pk), "--json", str(out))
    told = capsys.readouterr().out
    assert "Yard  trespassing" in told
    assert "22 confirmed, 55 dismissed at this camera in 10.0 camera-days" in told
    assert "50 % → 56 %: 50 of 55 dismissed gone, 0 of 22 confirmed lost" in told
    assert json.loads(out.read_text())[0]["suggested"] == 56
    assert Camera.objects.get(pk=yard.pk).rule_settings == {}


def test_without_verdicts_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("calibrate")
    assert "No episode of the last 90 days has a verdict." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "-1"], "--budget: -1"),
        (["--budget", "nan"], "--budget: nan"),
        (["--days", "0"], "--days: give 1 to 3650"),
        (["--camera", "99"], "there is no camera 99"),
    ],
)
def test_bad_input_is_named(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as raised:
        call_command("calibrate", *arguments)
    assert raised.value.returncode == 2
