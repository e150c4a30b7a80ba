"""What officers do with an episode: each act is a step, told to who comes second, and undone."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from detection import signals
from detection.models import (
    AuditRecord,
    Episode,
    ReviewAct,
    ReviewStep,
    StationAccess,
    Verdict,
)
from detection.services import review_flags, reviews
from detection.services.review_bulk import dismiss_episodes
from detection.services.review_steps import Actor, Outcome
from detection.services.review_undoing import CannotUndo, undo_step, undo_steps, undoable_step
from detection.services.reviews import AlreadyReviewed, expectation_of
from tests.integration.conftest import at_once
from tests.rows import a_camera, an_episode

pytestmark = pytest.mark.django_db


def an_officer(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, password="x", is_staff=True)
    StationAccess.objects.create(user=user, all_stations=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def ann() -> Actor:
    return Actor(an_officer("ann"))


@pytest.fixture
def bob() -> Actor:
    return Actor(an_officer("bob"))


@pytest.fixture
def chief() -> Actor:
    return Actor(an_officer("chief", "undo_others_review", "release_hold"))


@pytest.fixture
def episode() -> Episode:
    return an_episode(a_camera())


def fresh(episode: Episode) -> Episode:
    return Episode.objects.get(pk=episode.pk)


def confirm(episode: Episode, by: Actor, expected: str = "unreviewed") -> Outcome:
    return reviews.review_episode(
        episode_id=episode.pk, verdict=Verdict.CONFIRMED, by=by, expected=expected
    )


def dismiss(
    episode: Episode, by: Actor, expected: str = "unreviewed", reason: str = "no_crime"
) -> Outcome:
    return reviews.review_episode(
        episode_id=episode.pk,
        verdict=Verdict.DISMISSED,
        by=by,
        reason=reason,
        expected=expected,
    )


def note(episode: Episode, by: Actor, text: str) -> Outcome:
    return reviews.note_on_episode(episode_id=episode.pk, text=text, by=by)


def undo(episode: Episode, by: Actor, step_id: int | None = None) -> Outcome:
    return undo_step(episode_id=episode.pk, by=by, step_id=step_id)


def acts_on(episode: Episode) -> list[tuple[str, str]]:
    steps = ReviewStep.objects.filter(episode=episode).order_by("pk")
    return [(step.username, step.act) for step in steps]


# --- deciding -------------------------------------------------------------------------------------


def test_a_decision_is_a_step_with_before_and_after_and_an_audit_record(
    episode: Episode, ann: Actor
) -> None:
    outcome = dismiss(episode, ann, reason="test")
    step = ReviewStep.objects.get()
    assert outcome.step == step
    assert (step.username, step.act, step.undone_at) == ("ann", "dismissed", None)
    assert step.before == {
        "verdict": "unreviewed",
        "dismiss_reason": "",
        "reviewed_by_id": None,
        "reviewed_at": None,
    }
    assert (step.after["verdict"], step.after["dismiss_reason"]) == ("dismissed", "test")
    record = AuditRecord.objects.get()
    assert (record.username, record.action, record.object_id) == (
        "ann",
        "reviewed",
        str(episode.pk),
    )
    assert (record.details["step"], record.details["dismiss_reason"]) == (step.pk, "test")


def test_a_button_that_was_pressed_twice_decides_once(episode: Episode, ann: Actor) -> None:
    first, second = confirm(episode, ann), confirm(episode, ann)
    assert (second.step, second.is_new, first.is_new) == (first.step, False, True)
    assert acts_on(episode) == [("ann", "confirmed")]
    assert AuditRecord.objects.count() == 1


def test_who_comes_second_is_told_who_decided_what_and_when(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    confirm(episode, ann)
    when = timezone.localtime(ReviewStep.objects.get().at).strftime("%Y-%m-%d %H:%M:%S")
    said = f"^ann has already set this episode to confirmed, on {when}$"
    with pytest.raises(AlreadyReviewed, match=said):
        dismiss(episode, bob)
    with pytest.raises(AlreadyReviewed, match=said):
        confirm(episode, bob)  # also where both are of one mind
    assert acts_on(episode) == [("ann", "confirmed")]


def test_who_did_not_see_that_a_verdict_came_and_went_is_told_so(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    seen = expectation_of(episode)
    confirm(episode, ann)
    undo(episode, ann)
    assert fresh(episode).verdict == "unreviewed"
    with pytest.raises(
        AlreadyReviewed, match=r"ann has undone the verdict “confirmed” on .*; it is"
    ):
        dismiss(episode, bob, expected=seen)
    dismiss(episode, bob, expected=expectation_of(fresh(episode)))
    assert fresh(episode).verdict == "dismissed"


def test_who_saw_a_verdict_that_was_undone_meanwhile_is_told_so(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    confirm(episode, ann)
    undo(episode, ann)
    with pytest.raises(AlreadyReviewed, match="it is unreviewed now"):
        dismiss(episode, bob, expected="confirmed")


def test_a_verdict_from_before_there_were_steps_is_told_as_well(ann: Actor, bob: Actor) -> None:
    at = timezone.now()
    episode = an_episode(a_camera(), verdict="confirmed", reviewed_by=ann.user, reviewed_at=at)
    with pytest.raises(AlreadyReviewed, match="ann has already set this episode to confirmed, on"):
        dismiss(episode, bob)
    dismiss(episode, bob, expected=expectation_of(episode))
    assert fresh(episode).verdict == "dismissed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_of_two_who_decide_at_once_one_is_told_of_the_other(
    episode: Episode, ann: Actor, bob: Actor, round_: int
) -> None:
    def attempt(act: Callable[[], Outcome]) -> str:
        try:
            act()
        except AlreadyReviewed as told:
            return str(told)
        return ""

    said = at_once(
        [
            partial(attempt, partial(confirm, episode, ann)),
            partial(attempt, partial(dismiss, episode, bob)),
        ]
    )
    assert sorted(map(bool, said)) == [False, True]
    winner = "bob" if said[0] else "ann"
    assert f"{winner} has already set this episode to" in "".join(said)
    assert len(acts_on(episode)) == AuditRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_four_clicks_at_once_are_one_step_of_each_act(episode: Episode, ann: Actor) -> None:
    at_once([partial(confirm, episode, ann)] * 4)
    at_once([partial(review_flags.hold_episode, episode_id=episode.pk, by=ann)] * 4)
    at_once([partial(note, episode, ann, "a red van")] * 4)
    steps = ["confirmed", "held", "noted"]
    assert [act for _, act in acts_on(episode)] == steps
    assert AuditRecord.objects.count() == 3
    at_once([partial(undo, episode, ann, ReviewStep.objects.get(act="confirmed").pk)] * 4)
    assert [act for _, act in acts_on(episode)] == [*steps, "undone"]


# --- notes ----------------------------------------------------------------------------------------


def test_notes_join_one_another_and_none_is_written_over(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    note(episode, ann, " a red van ")
    note(episode, bob, "number plate FR-1")
    assert fresh(episode).note == "a red van\nnumber plate FR-1"
    assert acts_on(episode) == [("ann", "noted"), ("bob", "noted")]


def test_a_note_that_was_taken_back_stays_in_the_history(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    first = note(episode, ann, "the wrong camera").step
    note(episode, bob, "a red van")
    assert first is not None
    undo(episode, ann, first.pk)
    assert fresh(episode).note == "a red van"
    first.refresh_from_db()
    assert first.after == {"note": "the wrong camera"} and first.undone_at is not None


def test_a_note_comes_with_a_verdict_and_an_empty_one_is_refused(
    episode: Episode, ann: Actor
) -> None:
    outcome = reviews.review_episode(
        episode_id=episode.pk, verdict=Verdict.CONFIRMED, by=ann, note="seen"
    )
    assert fresh(episode).note == "seen"
    assert outcome.step is not None and outcome.step.act == "confirmed", "what undo takes back"
    with pytest.raises(ValueError, match="write what the next officer should know"):
        note(episode, ann, "  ")


# --- escalating and holding -----------------------------------------------------------------------


def test_an_escalation_is_asked_for_once_and_taken_back(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    review_flags.escalate_episode(episode_id=episode.pk, by=ann)
    assert fresh(episode).escalated_by == ann.user
    again = review_flags.escalate_episode(episode_id=episode.pk, by=bob)
    assert again.message.startswith("It is so already: ann, on ")
    assert (again.step, again.is_new) == (None, False)
    review_flags.take_escalation_back(episode_id=episode.pk, by=bob)
    assert fresh(episode).escalated_at is None
    assert acts_on(episode) == [("ann", "escalated"), ("bob", "deescalated")]


def test_a_hold_begins_ends_and_is_undone_like_any_act(episode: Episode, chief: Actor) -> None:
    review_flags.hold_episode(episode_id=episode.pk, by=chief)
    held_at = fresh(episode).held_at
    assert held_at is not None
    review_flags.release_episode(episode_id=episode.pk, by=chief)
    assert fresh(episode).held_at is None
    undo(episode, chief)
    assert (fresh(episode).held_at, fresh(episode).held_by) == (held_at, chief.user)


def test_a_hold_is_undone_by_its_officer_only_while_it_can_be_a_slip(
    episode: Episode, ann: Actor, chief: Actor
) -> None:
    review_flags.hold_episode(episode_id=episode.pk, by=ann)
    ReviewStep.objects.update(at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(CannotUndo, match="a hold is ended by a supervisor"):
        undo(episode, ann)
    assert undoable_step(episode, ann.user) is None
    undo(episode, chief)
    assert fresh(episode).held_at is None


# --- undoing --------------------------------------------------------------------------------------


def test_undo_takes_back_the_newest_step_whatever_it_was(episode: Episode, ann: Actor) -> None:
    confirm(episode, ann)
    dismiss(episode, ann, expected="confirmed")
    review_flags.escalate_episode(episode_id=episode.pk, by=ann)
    note(episode, ann, "see the clip")
    undo(episode, ann)
    assert (fresh(episode).note, fresh(episode).escalated_by) == ("", ann.user)
    undo(episode, ann)
    assert (fresh(episode).escalated_by, fresh(episode).verdict) == (None, "dismissed")
    undo(episode, ann)
    assert (fresh(episode).verdict, fresh(episode).dismiss_reason) == ("confirmed", "")
    undo(episode, ann)
    now = fresh(episode)
    assert (now.verdict, now.reviewed_by, now.reviewed_at) == ("unreviewed", None, None)
    with pytest.raises(CannotUndo, match="there is nothing to undo"):
        undo(episode, ann)
    assert AuditRecord.objects.filter(action="undone").count() == 4


def test_another_officer_cannot_undo_a_step_and_a_supervisor_can(
    episode: Episode, ann: Actor, bob: Actor, chief: Actor
) -> None:
    confirm(episode, ann)
    with pytest.raises(CannotUndo, match="only ann or a supervisor can undo it"):
        undo(episode, bob)
    assert undoable_step(episode, bob.user) is None
    assert undoable_step(episode, chief.user) == ReviewStep.objects.get()
    undo(episode, chief)
    assert fresh(episode).verdict == "unreviewed"


def test_a_step_that_somebody_has_built_on_is_not_undone_before_that(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    first = confirm(episode, ann).step
    assert first is not None
    note(episode, bob, "a note stands in nobody's way")
    dismiss(episode, bob, expected="confirmed")
    with pytest.raises(CannotUndo, match=r"since, on .*: that must be undone first"):
        undo(episode, ann, first.pk)
    assert fresh(episode).verdict == "dismissed"


def test_a_decision_is_undone_past_a_note_of_another(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    first = confirm(episode, ann).step
    assert first is not None
    note(episode, bob, "a red van")
    undo(episode, ann, first.pk)
    assert (fresh(episode).verdict, fresh(episode).note) == ("unreviewed", "a red van")


def test_ones_own_newest_step_is_undone_though_another_has_noted_since(
    episode: Episode, ann: Actor, bob: Actor, chief: Actor
) -> None:
    mine = confirm(episode, ann).step
    theirs = note(episode, bob, "a red van").step
    assert undoable_step(episode, ann.user) == mine
    assert undoable_step(episode, chief.user) == theirs
    undo(episode, ann)
    assert (fresh(episode).verdict, fresh(episode).note) == ("unreviewed", "a red van")


def test_what_another_has_decided_over_is_not_offered_to_undo(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    confirm(episode, ann)
    dismiss(episode, bob, expected="confirmed")
    assert undoable_step(episode, ann.user) is None
    with pytest.raises(CannotUndo, match="bob has changed it since"):
        undo(episode, ann)


def test_a_step_of_another_episode_is_not_undone_here(episode: Episode, ann: Actor) -> None:
    other = confirm(an_episode(a_camera(2)), ann).step
    assert other is not None
    with pytest.raises(CannotUndo, match="there is nothing to undo"):
        undo(episode, ann, other.pk)


def test_undoing_does_not_name_again_an_officer_who_is_gone(
    episode: Episode, ann: Actor, bob: Actor
) -> None:
    confirm(episode, ann)
    dismiss(episode, bob, expected="confirmed")
    User.objects.get(username="ann").delete()
    undo(episode, bob)
    now = fresh(episode)
    assert (now.verdict, now.reviewed_by, now.reviewed_at is None) == ("confirmed", None, False)


def test_a_siren_that_a_dismissal_silenced_stays_silent_and_the_officer_is_told(
    ann: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    going_on = an_episode(a_camera(), status="suspicious", ended_at=None)
    heard: list[dict[str, Any]] = []

    def hear(**said: Any) -> None:
        heard.append(said)

    signals.siren_unwanted.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            dismiss(going_on, ann)
        assert [said["episode_id"] for said in heard] == [going_on.pk]
        with django_capture_on_commit_callbacks(execute=True):
            outcome = undo(going_on, ann)
    finally:
        signals.siren_unwanted.disconnect(hear)
    assert "The siren that it silenced stays silent" in outcome.message
    assert len(heard) == 1
    over = an_episode(a_camera(2))
    dismiss(over, ann)
    assert "siren" not in undo(over, ann).message


# --- many at once ---------------------------------------------------------------------------------


def test_a_bulk_leaves_what_was_decided_or_goes_on_and_says_which(ann: Actor, bob: Actor) -> None:
    camera, other = a_camera(1), a_camera(2)
    free = [an_episode(camera), an_episode(camera)]
    decided = an_episode(camera)
    confirm(decided, bob)
    going_on = an_episode(other, status="suspicious", ended_at=None)
    ids = [one.pk for one in (*free, decided, going_on)]
    bulk = dismiss_episodes(episode_ids=ids, reason="no_crime", by=ann)
    assert {step.episode_id for step in bulk.steps} == {one.pk for one in free}
    told = {left.episode.pk: left.text for left in bulk.left}
    assert told == {
        decided.pk: "bob has set it to confirmed",
        going_on.pk: "it still goes on",
    }
    assert {fresh(one).verdict for one in free} == {"dismissed"}
    assert fresh(decided).verdict == "confirmed" and fresh(going_on).verdict == "unreviewed"
    records = AuditRecord.objects.filter(username="ann", action="reviewed")
    assert {record.details["step"] for record in records} == {step.pk for step in bulk.steps}


def test_a_bulk_is_undone_by_its_steps_but_for_what_was_changed_since(
    ann: Actor, bob: Actor
) -> None:
    camera = a_camera()
    first, second = an_episode(camera), an_episode(camera)
    bulk = dismiss_episodes(episode_ids=[first.pk, second.pk], reason="no_crime", by=ann)
    confirm(second, bob, expected="dismissed")
    undone, kept = undo_steps(step_ids=[step.pk for step in bulk.steps], by=ann)
    assert (undone, len(kept)) == (1, 1)
    assert kept[0].startswith("bob has changed it since")
    assert (fresh(first).verdict, fresh(second).verdict) == ("unreviewed", "confirmed")


def test_a_bulk_reaches_no_station_but_ones_own() -> None:
    user = User.objects.create_user("local", password="x")
    StationAccess.objects.create(user=user, stations=[7])
    ours, theirs = an_episode(a_camera(1, station_id=7)), an_episode(a_camera(2, station_id=8))
    bulk = dismiss_episodes(episode_ids=[ours.pk, theirs.pk], reason="test", by=Actor(user))
    assert [step.episode_id for step in bulk.steps] == [ours.pk]
    assert bulk.left == [] and fresh(theirs).verdict == "unreviewed"


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_bulk_needs_a_reason_of_the_list(episode: Episode, ann: Actor, reason: str) -> None:
    with pytest.raises(ValueError, match="choose a reason"):
        dismiss_episodes(episode_ids=[episode.pk], reason=reason, by=ann)


def test_a_bulk_costs_the_same_for_few_and_for_many(
    ann: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    camera = a_camera()
    dismiss_episodes(episode_ids=[], reason="no_crime", by=ann)  # learns what ann may
    for many in (2, 30):
        ids = [an_episode(camera).pk for _ in range(many)]
        with django_assert_num_queries(6):  # savepoint, lock, update, steps, records, release
            dismiss_episodes(episode_ids=ids, reason="no_crime", by=ann)


@pytest.mark.django_db(transaction=True)
def test_two_bulks_at_once_dismiss_each_episode_once(ann: Actor, bob: Actor) -> None:
    camera = a_camera()
    ids = [an_episode(camera).pk for _ in range(20)]
    bulks = at_once(
        [
            partial(dismiss_episodes, episode_ids=ids, reason="no_crime", by=ann),
            partial(dismiss_episodes, episode_ids=ids[::-1], reason="test", by=bob),
        ]
    )
    assert sorted(len(bulk.steps) for bulk in bulks) == [0, 20]
    assert sorted(len(bulk.left) for bulk in bulks) == [0, 20]
    assert ReviewStep.objects.filter(act=ReviewAct.DISMISSED).count() == 20


# --- what was there before ------------------------------------------------------------------------


def test_notes_from_before_there_were_steps_become_the_first_of_them(
    ann: Actor, bob: Actor
) -> None:
    camera, at = a_camera(), timezone.now()
    noted = an_episode(camera, note="a red van", reviewed_by=ann.user, reviewed_at=at)
    nobodys = an_episode(camera, note="by nobody any more")
    an_episode(camera)
    migration = import_module("detection.migrations.0009_reviews")
    migration.notes_as_steps(apps, None)
    steps = ReviewStep.objects.order_by("pk").values_list("episode", "username", "at", "after")
    assert set(steps.values_list("act", flat=True)) == {"noted"}
    assert {row[0]: row[1:3] for row in steps} == {
        noted.pk: ("ann", at),
        nobodys.pk: ("", nobodys.started_at),
    }
    note(noted, bob, "number plate FR-1")
    assert fresh(noted).note == "a red van\nnumber plate FR-1"
